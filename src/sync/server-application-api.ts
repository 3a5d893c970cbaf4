import * as v from 'valibot'
import { type Application, ArgocdName, explainMessage, factsOf, parseApplication } from '../argocd/index.ts'
import { type ArgocdClient, GrpcCode, grpcCodeOf, readAnswer, refusalMessage } from '../argocd-api/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ApplicationApi, ApplicationRef } from './application-api.ts'
import { mergeApplication } from './merge-application.ts'
import { watchApplication } from './watch-application.ts'

export interface ServerOptions {
	/** Namespace of the Applications; Argo CD's own, by whatever name. */
	readonly namespace?: string | undefined
	readonly sleep?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

const REFRESH = { [ArgocdName.refreshAnnotation]: 'normal' } as const

/** Applications by Argo CD's own API. */
export function createServerApplicationApi(
	client: ArgocdClient,
	options: ServerOptions = {},
): ApplicationApi {
	const appNamespace = options.namespace
	const query = { appNamespace }

	/** Argo CD answers "permission denied" for what is not there too, so that nobody learns what there is. */
	const get = async (
		{ name }: ApplicationRef,
		{ refresh, signal }: { readonly refresh?: string; readonly signal?: AbortSignal | undefined },
	): Promise<Application | undefined> => {
		try {
			return readApplication(await client.json({ path: pathOf(name), query: { ...query, refresh }, signal }))
		} catch (error) {
			if (isAbsent(error)) return undefined
			throw error
		}
	}

	return {
		whenAbsent:
			'See which there are: lading status. Argo CD says the same of an Application that the token may not see.',
		async get(ref, { signal } = {}) {
			return await get(ref, { signal })
		},
		async list(_, { labelSelector, signal } = {}) {
			const answer = await client.json({
				path: 'v1/applications',
				query: { ...query, selector: labelSelector },
				signal,
			})
			return (readAnswer(listAnswer, answer).items ?? []).map(readApplication)
		},
		async apply(application, { signal } = {}) {
			const ref = { name: application.metadata.name, namespace: '' }
			const present = await get(ref, { signal })
			const { namespace: _, ...metadata } = application.metadata
			const wanted = {
				...application,
				metadata: {
					...metadata,
					...(appNamespace !== undefined && { namespace: appNamespace }),
					annotations: { ...metadata.annotations, ...REFRESH },
				},
			}
			// Whether the source can be read, the comparison tells, as everywhere: not with a refusal of the Application.
			const validate = { validate: 'false' }
			return readApplication(
				present === undefined
					? await client.json({
							method: 'POST',
							path: 'v1/applications',
							query: validate,
							body: wanted,
							signal,
						})
					: await client.json({
							method: 'PUT',
							path: pathOf(ref.name),
							query: validate,
							body: mergeApplication(present, wanted),
							signal,
						}),
			)
		},
		async setRevision({ name }, revision, { signal } = {}) {
			const patch = { metadata: { annotations: REFRESH }, spec: { source: { targetRevision: revision } } }
			const body = { name, appNamespace, patch: JSON.stringify(patch), patchType: 'merge' }
			try {
				return readApplication(await client.json({ method: 'PATCH', path: pathOf(name), body, signal }))
			} catch (error) {
				if (!(error instanceof RemoteError)) throw error
				const present = await get({ name, namespace: '' }, { signal })
				if (present === undefined) return undefined
				throw grpcCodeOf(error) === GrpcCode.invalidArgument ? notTaken(error, { present, revision }) : error
			}
		},
		async refresh(ref, { kind = 'normal', signal } = {}) {
			return await get(ref, { refresh: kind, signal })
		},
		async requestSync(ref, { prune = false, signal } = {}) {
			const present = await get(ref, { signal })
			const phase = present?.status?.operationState?.phase
			if (present === undefined || present.operation !== undefined) return present
			if (phase === 'Running' || phase === 'Terminating') return present
			const { name } = ref
			const body = { name, appNamespace, prune, strategy: { hook: {} } }
			try {
				return readApplication(
					await client.json({ method: 'POST', path: `${pathOf(name)}/sync`, body, signal }),
				)
			} catch (error) {
				// Another sync has begun in between: the caller waits for that one.
				if (grpcCodeOf(error) === GrpcCode.failedPrecondition) return await get(ref, { signal })
				throw error
			}
		},
		async terminateSync({ name }, { signal } = {}) {
			try {
				await client.json({ method: 'DELETE', path: `${pathOf(name)}/operation`, query, signal })
			} catch (error) {
				// It has ended in between.
				const isOver = grpcCodeOf(error) === GrpcCode.invalidArgument
				if (!isOver) throw error
			}
		},
		async delete(ref, { cascade, signal }) {
			if ((await get(ref, { signal })) === undefined) return false
			const how = {
				cascade: String(cascade),
				propagationPolicy: cascade ? 'background' : undefined,
			}
			try {
				await client.json({ method: 'DELETE', path: pathOf(ref.name), query: { ...query, ...how }, signal })
				return true
			} catch (error) {
				if (grpcCodeOf(error) === GrpcCode.notFound) return false
				throw error
			}
		},
		watch(ref, { signal } = {}) {
			return watchApplication({
				get: async (at) => await get(ref, { signal: at }),
				open: (at) =>
					client.stream({
						path: 'v1/stream/applications',
						query: { ...query, name: ref.name },
						signal: at,
					}),
				parse: readEvent,
				signal,
				sleep: options.sleep,
			})
		},
	}
}

function pathOf(name: string): string {
	return `v1/applications/${encodeURIComponent(name)}`
}

function isAbsent(error: unknown): boolean {
	const code = grpcCodeOf(error)
	return code === GrpcCode.notFound || code === GrpcCode.permissionDenied
}

/** Argo CD tries the source of an Application before it takes the change: what it says then is what a comparison says. */
function notTaken(
	error: RemoteError,
	{ present, revision }: { readonly present: Application; readonly revision: string },
): RemoteError {
	const message = refusalMessage(error)
	const { metadata, spec } = present
	const wanted = { ...spec, ...(spec.source && { source: { ...spec.source, targetRevision: revision } }) }
	const { what, why, next, cause } = explainMessage(message, factsOf({ metadata, spec: wanted }))
	const known = cause !== 'unknown'
	return new RemoteError(
		'SYNC_FAILED',
		`Argo CD does not take ${revision} for the Application ${metadata.name}, which stays as it is: ${known ? `${what} ${why}` : message}`,
		{ hint: known ? next : undefined, details: known ? [message] : [], cause: error, wire: error.wire },
	)
}

const listAnswer = v.looseObject({ items: v.nullish(v.array(v.unknown())) })
const applicationAnswer = v.looseObject({
	metadata: v.looseObject({ name: v.string() }),
	status: v.nullish(v.looseObject({ sync: v.nullish(v.looseObject({ status: v.optional(v.string()) })) })),
})
const eventAnswer = v.looseObject({ type: v.string(), application: v.unknown() })

/** An Application as Argo CD's API gives it: without its type, and with empty words for what Kubernetes leaves out. */
function readApplication(answer: unknown): Application {
	const { status, ...rest } = readAnswer(applicationAnswer, answer)
	const { sync, ...others } = status ?? {}
	const compared = sync?.status !== undefined && sync.status !== ''
	return parseApplication({
		...rest,
		apiVersion: ArgocdName.apiVersion,
		kind: 'Application',
		...(status && { status: { ...others, ...(compared && { sync }) } }),
	})
}

function readEvent(message: unknown): { readonly deleted: boolean; readonly application: Application } {
	const { type, application } = readAnswer(eventAnswer, message)
	return { deleted: type === 'DELETED', application: readApplication(application) }
}
