import * as v from 'valibot'
import { RemoteError } from '../errors/index.ts'
import { openAccess } from './access.ts'
import { NO_KIND_MATCH } from './api-failure.ts'
import type { Cluster, ListOptions, ObjectList } from './cluster.ts'
import { basePath, createDiscovery, type Discovery } from './discovery.ts'
import { chooseContext, type Environment } from './kubeconfig.ts'
import { type KubeObject, type ObjectRef, refOf, type ResourceType } from './objects.ts'
import { parseObject, withType } from './parse-object.ts'
import { anySignal, type ApiRequest, createTransport, pause, type Transport } from './transport.ts'
import { watchObjects } from './watch-objects.ts'

export interface ConnectOptions {
	/** Path of a kubeconfig; `$KUBECONFIG`, `~/.kube/config`, a pod's service account otherwise. */
	readonly kubeconfig?: string | undefined
	/** A context of it; its current one. */
	readonly context?: string | undefined
	/** For `KUBECONFIG`, `HOME` and credential plugins; empty. */
	readonly env?: Environment | undefined
	/** Ends everything that is done with the cluster. */
	readonly signal?: AbortSignal | undefined
	/** Milliseconds since the epoch. */
	readonly now?: (() => number) | undefined
	readonly sleep?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

/**
 * Access to the cluster that a kubeconfig names. Sends nothing yet.
 * @throws UserError `KUBECONFIG_INVALID`
 */
export async function connectCluster(options: ConnectOptions = {}): Promise<Cluster> {
	const { env = {}, now = Date.now, sleep = pause, signal } = options
	const context = await chooseContext({ kubeconfig: options.kubeconfig, context: options.context, env })
	const access = await openAccess(context, { env, now })
	const transport = createTransport({ access, signal, sleep })
	return createRestCluster({ transport, discovery: createDiscovery(transport), sleep, signal })
}

interface Parts {
	readonly transport: Transport
	readonly discovery: Discovery
	readonly signal: AbortSignal | undefined
	readonly sleep: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
}

const FIELD_MANAGER = 'lading'
const PAGE = '500'
/** The server ends a watch after this; a silent connection is dead some time later. */
const WATCH_SECONDS = 240
const WATCH_IDLE_MS = (WATCH_SECONDS + 30) * 1000

const versionAnswer = v.looseObject({ gitVersion: v.string() })
const listAnswer = v.looseObject({
	metadata: v.looseObject({
		resourceVersion: v.optional(v.string(), ''),
		continue: v.optional(v.string(), ''),
	}),
	items: v.nullish(v.array(v.unknown())),
})

function createRestCluster({ transport, discovery, sleep, signal: life }: Parts): Cluster {
	const { server } = transport

	const pathOf = async (
		type: ResourceType,
		at: {
			readonly namespace?: string | undefined
			readonly name?: string | undefined
			readonly signal?: AbortSignal | undefined
		},
	): Promise<string | undefined> => {
		const served = await discovery.find(type, at.signal)
		if (served === undefined) return undefined
		const namespace =
			served.namespaced && at.namespace !== undefined ? `/namespaces/${encodeURIComponent(at.namespace)}` : ''
		const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`
		return `${basePath(type.apiVersion)}${namespace}/${served.plural}${name}`
	}

	const writePath = async (
		ref: ObjectRef,
		at: { readonly named: boolean; readonly signal?: AbortSignal | undefined },
	): Promise<string> => {
		const path = await pathOf(ref, {
			namespace: ref.namespace,
			name: at.named ? ref.name : undefined,
			signal: at.signal,
		})
		if (path !== undefined) return path
		throw new RemoteError(
			'CLUSTER_FAILED',
			`the cluster ${server.host} does not know the kind ${ref.kind} of ${ref.apiVersion}`,
			{
				wire: {
					method: 'GET',
					url: new URL(basePath(ref.apiVersion), server).href,
					errors: [{ code: NO_KIND_MATCH, message: `no matches for kind ${ref.kind}` }],
				},
				hint: ref.apiVersion.startsWith('argoproj.io/')
					? 'Install Argo CD there first.'
					: 'Install what brings this kind (a CustomResourceDefinition) first.',
			},
		)
	}

	/** `undefined` for 404. */
	const optional = async (request: ApiRequest): Promise<unknown> => {
		try {
			return await transport.json(request)
		} catch (error) {
			if (error instanceof RemoteError && error.wire?.status === 404) return undefined
			throw error
		}
	}

	const list = async (type: ResourceType, options: ListOptions = {}): Promise<ObjectList> => {
		const path = await pathOf(type, options)
		if (path === undefined) return { items: [], resourceVersion: '' }
		const items: KubeObject[] = []
		let next: string | undefined
		for (;;) {
			const answer = await optional({
				method: 'GET',
				path,
				signal: options.signal,
				query: { ...selectors(options), limit: PAGE, continue: next },
			})
			if (answer === undefined) return { items: [], resourceVersion: '' }
			const parsed = v.safeParse(listAnswer, answer)
			if (!parsed.success)
				throw new RemoteError(
					'CLUSTER_FAILED',
					`the cluster ${server.host} answers with something that is no list`,
				)
			for (const item of parsed.output.items ?? []) items.push(withType(item, type))
			const { metadata } = parsed.output
			if (metadata.continue === '') return { items, resourceVersion: metadata.resourceVersion }
			next = metadata.continue
		}
	}

	return {
		server: server.href,
		list,
		async version({ signal } = {}) {
			const answer = v.safeParse(
				versionAnswer,
				await transport.json({ method: 'GET', path: 'version', signal }),
			)
			if (answer.success) return answer.output.gitVersion
			throw new RemoteError(
				'CLUSTER_FAILED',
				`${server.host} does not tell its version: it is no Kubernetes API`,
			)
		},
		async get(ref, { signal } = {}) {
			const path = await pathOf(ref, { ...ref, signal })
			const answer = path === undefined ? undefined : await optional({ method: 'GET', path, signal })
			return answer === undefined ? undefined : parseObject(answer)
		},
		async create(object, { signal } = {}) {
			const path = await writePath(refOf(object), { named: false, signal })
			return parseObject(
				await transport.json({
					method: 'POST',
					path,
					body: object,
					signal,
					query: { fieldManager: FIELD_MANAGER },
				}),
			)
		},
		async apply(object, { fieldManager, force, dryRun, fieldValidation, namespace, signal }) {
			const path = await writePath({ namespace, ...refOf(object) }, { named: true, signal })
			const query = {
				fieldManager,
				force: force === true ? 'true' : 'false',
				dryRun: dryRun === true ? 'All' : undefined,
				fieldValidation,
			}
			return parseObject(
				await transport.json({
					method: 'PATCH',
					path,
					query,
					body: object,
					contentType: 'application/apply-patch+yaml',
					signal,
				}),
			)
		},
		async patch(ref, patch, { type, fieldManager = FIELD_MANAGER, signal }) {
			const path = await writePath(ref, { named: true, signal })
			const answer = await optional({
				method: 'PATCH',
				path,
				body: patch,
				contentType: type,
				query: { fieldManager },
				signal,
			})
			return answer === undefined ? undefined : parseObject(answer)
		},
		async delete(ref, { propagation, signal } = {}) {
			const path = await pathOf(ref, { ...ref, signal })
			if (path === undefined) return false
			const body = {
				apiVersion: 'v1',
				kind: 'DeleteOptions',
				...(propagation && { propagationPolicy: propagation }),
			}
			return (await optional({ method: 'DELETE', path, body, signal })) !== undefined
		},
		async *watch(type, options = {}) {
			const signal = anySignal(life, options.signal)
			let path: string | undefined
			const open = async (
				resourceVersion: string,
				at: AbortSignal | undefined,
			): ReturnType<Transport['stream']> => {
				path ??= await writePath(
					{ ...type, name: '', namespace: options.namespace },
					{ named: false, signal: at },
				)
				const query = {
					...selectors(options),
					watch: 'true',
					allowWatchBookmarks: 'true',
					resourceVersion,
					timeoutSeconds: String(WATCH_SECONDS),
				}
				return await transport.stream({ method: 'GET', path, query, signal: at, idleTimeout: WATCH_IDLE_MS })
			}
			yield* watchObjects({
				list: async (at) => await list(type, { ...options, signal: at }),
				open,
				url: server,
				signal,
				sleep,
			})
		},
	}
}

function selectors({
	labelSelector,
	fieldSelector,
}: ListOptions): Readonly<Record<string, string | undefined>> {
	return { labelSelector, fieldSelector }
}
