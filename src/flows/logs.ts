import type { KubeObject } from '../cluster/index.ts'
import { fieldOf, listOf, type Pods, textOf } from '../cluster/index.ts'
import { RemoteError, UserError } from '../errors/index.ts'
import { type ConnectedCluster, reached, type ReachedCluster } from './clusters.ts'
import { findApplication, podsOfApplication, refuseSandbox } from './pod-target.ts'
import type { Session } from './session.ts'

/** The parts of Argo CD, by the value of their label `app.kubernetes.io/name` without `argocd-`. */
export type ArgocdComponent =
	| 'repo-server'
	| 'application-controller'
	| 'server'
	| 'applicationset-controller'
	| 'notifications-controller'
	| 'dex-server'
	| 'redis'

export const argocdComponents: readonly ArgocdComponent[] = [
	'repo-server',
	'application-controller',
	'server',
	'applicationset-controller',
	'notifications-controller',
	'dex-server',
	'redis',
]

export interface LogsOptions {
	/** Name of an Application; without it a part of Argo CD is meant. */
	readonly name?: string | undefined
	/** Default `repo-server`, which reads the artifacts. */
	readonly component?: ArgocdComponent | undefined
	readonly follow?: boolean | undefined
	/** Lines from the end of each container's log. */
	readonly tail?: number | undefined
	readonly onLine: (line: LogLine) => void
}

export interface LogLine {
	readonly pod: string
	readonly container: string
	readonly text: string
}

const FOLLOW_POLL_MS = 1000

/**
 * What the containers of an Application, or of a part of Argo CD, have written. Followed,
 * it goes on with the pods that replace them until the signal aborts.
 * @throws UserError `NOT_FOUND`, `USAGE`
 */
export async function logs(
	session: Session,
	connected: ConnectedCluster,
	options: LogsOptions,
): Promise<void> {
	refuseSandbox(connected, 'no log')
	const target = reached(connected)
	const { signal } = session
	const api = await target.pods()
	const first = await findPods(session, target, options)
	if (first.length === 0) {
		const what = options.name ?? `argocd-${options.component ?? 'repo-server'}`
		throw new UserError('NOT_FOUND', `${what} has no pod in ${target.name}`, {
			hint: options.name === undefined ? 'Is Argo CD there? lading doctor' : `lading status ${options.name}`,
		})
	}
	if (options.follow !== true) {
		for (const pod of first)
			for (const container of containersOf(pod)) await print(api, { pod, container, options, signal })
		return
	}
	await followAll(session, {
		api,
		first,
		options,
		find: async () => await findPods(session, target, options),
	})
}

async function findPods(
	session: Session,
	target: ReachedCluster,
	{ name, component = 'repo-server' }: LogsOptions,
): Promise<readonly KubeObject[]> {
	const { cluster, argocdNamespace: namespace } = target
	if (name === undefined) {
		const labelSelector = `app.kubernetes.io/name=argocd-${component}`
		return (
			await cluster.list(
				{ apiVersion: 'v1', kind: 'Pod' },
				{ namespace, labelSelector, signal: session.signal },
			)
		).items
	}
	const application = await findApplication(session, target, name)
	if (application !== undefined) return await podsOfApplication(session, target, application)
	throw new UserError('NOT_FOUND', `there is no Application "${name}" in ${namespace}`, {
		hint: 'lading status lists them; without a name the log is that of Argo CD’s repo-server.',
	})
}

function containersOf(pod: KubeObject): readonly string[] {
	return listOf(fieldOf(pod.spec, 'containers')).map((each) => textOf(each, 'name'))
}

interface Printing {
	readonly pod: KubeObject
	readonly container: string
	readonly options: LogsOptions
	readonly signal: AbortSignal | undefined
}

async function print(api: Pods, { pod, container, options, signal }: Printing): Promise<void> {
	const { name, namespace = 'default' } = pod.metadata
	const { follow, tail, onLine } = options
	try {
		for await (const text of api.logs({ namespace, name }, { container, follow, tail, signal }))
			onLine({ pod: name, container, text })
	} catch (error) {
		// A container that has not started yet has no log; a pod may be gone by now.
		const status = error instanceof RemoteError ? error.wire?.status : undefined
		if (signal?.aborted === true || status === 404) return
		if (status === 400) return onLine({ pod: name, container, text: `(no log: it has not started)` })
		if (follow === true && error instanceof Error && !(error instanceof RemoteError)) return
		throw error
	}
}

interface Following {
	readonly api: Pods
	readonly first: readonly KubeObject[]
	readonly options: LogsOptions
	readonly find: () => Promise<readonly KubeObject[]>
}

/** Follows every container, and those that come. */
async function followAll(session: Session, { api, first, options, find }: Following): Promise<void> {
	const { signal } = session
	const followed = new Map<string, Promise<void>>()
	const begin = (pods: readonly KubeObject[], tail: number | undefined): void => {
		for (const pod of pods) {
			const started = listOf(fieldOf(pod.status, 'containerStatuses')).filter(
				(each) => fieldOf(fieldOf(each, 'state'), 'running') !== undefined,
			)
			for (const status of started) {
				const container = textOf(status, 'name')
				const key = `${pod.metadata.uid ?? pod.metadata.name} ${container} ${textOf(status, 'containerID')}`
				if (followed.has(key)) continue
				followed.set(key, print(api, { pod, container, options: { ...options, tail }, signal }))
			}
		}
	}
	begin(first, options.tail)
	const ended = (): boolean => signal?.aborted === true
	while (!ended()) {
		await sleep(FOLLOW_POLL_MS, signal)
		if (ended()) break
		// A cluster that is away for a moment comes back: what is new is looked for again.
		begin(await find().catch(() => []), undefined)
	}
	await Promise.allSettled(followed.values())
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
	await new Promise<void>((resolve) => {
		const timer = setTimeout(done, milliseconds)
		function done(): void {
			clearTimeout(timer)
			signal?.removeEventListener('abort', done)
			resolve()
		}
		signal?.addEventListener('abort', done, { once: true })
	})
}
