import { setTimeout as delay } from 'node:timers/promises'
import {
	type Cluster,
	isWorkloadReady,
	type KubeObject,
	podTrouble,
	type ResourceType,
} from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'

export interface ReadyOptions {
	readonly namespace: string
	/** Whether the workload of a name is waited for; every one. */
	readonly needs?: ((name: string) => boolean) | undefined
	/** Milliseconds. */
	readonly timeoutMs: number
	/** What is ready, and what keeps the rest. */
	readonly onProgress?: ((progress: ReadyProgress) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

export interface ReadyProgress {
	readonly ready: number
	readonly of: number
	/** Names of the workloads that are not ready. */
	readonly waiting: readonly string[]
	/** One line for each pod that something stops. */
	readonly troubles: readonly string[]
}

const WATCHED: readonly ResourceType[] = [
	{ apiVersion: 'apps/v1', kind: 'Deployment' },
	{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
	{ apiVersion: 'v1', kind: 'Pod' },
]

/**
 * Waits, by watching, until the Deployments and StatefulSets of a namespace are ready; there has to be one.
 * @throws RemoteError `ARGOCD_NOT_READY` when time is up, with what stops each pod
 */
export async function waitUntilReady(cluster: Cluster, options: ReadyOptions): Promise<void> {
	const end = new AbortController()
	const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal
	const live = new Map<string, KubeObject>()
	let synced = 0
	let told = ''

	const look = (): ReadyProgress => {
		const objects = [...live.values()]
		const workloads = objects.filter(
			({ kind, metadata }) => kind !== 'Pod' && (options.needs?.(metadata.name) ?? true),
		)
		const waiting = workloads.filter((each) => !isWorkloadReady(each)).map(({ metadata }) => metadata.name)
		const troubles = objects
			.filter(
				({ kind, metadata }) => kind === 'Pod' && waiting.some((name) => metadata.name.startsWith(name)),
			)
			.flatMap((pod) => {
				const why = podTrouble(pod)
				return why === undefined ? [] : [`${pod.metadata.name}: ${why}`]
			})
		return { ready: workloads.length - waiting.length, of: workloads.length, waiting, troubles }
	}
	const isDone = ({ ready, of }: ReadyProgress): boolean => synced >= WATCHED.length && ready === of && of > 0

	const follow = async (type: ResourceType): Promise<void> => {
		for await (const event of cluster.watch(type, { namespace: options.namespace, signal })) {
			if (event.type === 'RESYNCED') {
				for (const [key, object] of live) if (object.kind === type.kind) live.delete(key)
				for (const object of event.items) live.set(keyOf(object), object)
				synced++
			} else if (event.type === 'DELETED') live.delete(keyOf(event.object))
			else live.set(keyOf(event.object), event.object)
			const progress = look()
			const text = JSON.stringify(progress)
			if (text !== told) options.onProgress?.(progress)
			told = text
			if (isDone(progress)) end.abort()
		}
	}

	const timer = delay(options.timeoutMs, undefined, { signal }).then(
		() => end.abort(),
		() => {},
	)
	try {
		await Promise.all(WATCHED.map(follow))
	} finally {
		end.abort()
		await timer
	}
	options.signal?.throwIfAborted()
	const progress = look()
	if (isDone(progress)) return
	throw notReady(progress, options)
}

function notReady({ ready, of, waiting, troubles }: ReadyProgress, options: ReadyOptions): RemoteError {
	const what = of === 0 ? 'nothing is there' : `${ready} of ${of} are ready, and not ${waiting.join(', ')}`
	return new RemoteError(
		'ARGOCD_NOT_READY',
		`the workloads of ${options.namespace} did not get ready within ${Math.round(options.timeoutMs / 1000)} s: ${what}`,
		{
			details: troubles,
			hint: 'Run the same command again to go on waiting; lading doctor looks for the cause.',
		},
	)
}

const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`
