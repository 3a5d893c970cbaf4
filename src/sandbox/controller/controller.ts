import { setMaxListeners } from 'node:events'
import { type Application, parseApplication } from '../../argocd/index.ts'
import type { Cluster, KubeObject } from '../../cluster/index.ts'
import { createApplicationWriter } from './application-writer.ts'
import { clusterMessage } from './apply.ts'
import { watchObjects, type WatchedObjects } from './argocd-objects.ts'
import { type ControllerContext, type Handled } from './controller-context.ts'
import { finalizeDeletion } from './deletion.ts'
import { builtInScope, createDiscovery } from './discovery.ts'
import { recordEvent } from './events.ts'
import { createLiveStore } from './live-store.ts'
import { fieldsAt } from './object-fields.ts'
import { processOperation } from './operation.ts'
import { parseProject } from './project.ts'
import { dueRefresh, type RefreshLevel, refreshApplication } from './refresh.ts'
import { parseDuration } from './retry.ts'
import type { LoadSource } from './source.ts'
import { createWorkQueue, type WorkQueue } from './work-queue.ts'

/** What Argo CD keeps about its surroundings, as loading a source needs it. */
export interface ArgocdSettings {
	/** Secrets of Argo CD's namespace. */
	readonly secrets: () => readonly KubeObject[]
	/** `argocd-tls-certs-cm`. */
	readonly tlsCertificates: () => KubeObject | undefined
}

export interface ControlOptions {
	readonly cluster: Cluster
	/** Namespace of Argo CD, and of its Applications. */
	readonly namespace: string
	readonly createLoader: (settings: ArgocdSettings) => LoadSource
	readonly signal: AbortSignal
	/** Milliseconds since the epoch. */
	readonly now: () => number
	/** Resolves after a time, or at once when `signal` aborts. */
	readonly sleep: (ms: number) => Promise<void>
	/** In [0, 1). */
	readonly random: () => number
	/** Milliseconds between two looks at a registry; absent: what `argocd-cm` says. */
	readonly reconciliationMs?: number | undefined
	readonly syncWaveDelayMs: number
	readonly log: (line: string) => void
}

const ARGOCD = 'argoproj.io/v1alpha1'
const CONCURRENCY = 8
const DEFAULT_RECONCILIATION_MS = 120_000
/** Spreads the looks of many applications over time. */
const JITTER_MS = 60_000
/** Before an application is tried again that the cluster would not let us handle. */
const FAULT_DELAY_MS = 2000
/** Steps of one application without a pause in between. */
const MAX_STEPS = 50

/** Runs until the signal aborts, then ends when the work at hand has. */
export async function control(options: ControlOptions): Promise<void> {
	const { cluster, namespace, signal, now, log } = options
	// every watch and every timer of every application listens to it
	setMaxListeners(0, signal)
	const onError = (error: unknown): void => log(`sandbox controller: ${clusterMessage(error)}`)
	const levels = new Map<string, RefreshLevel>()
	let queue: WorkQueue | undefined
	const ask = (name: string, level?: RefreshLevel): void => {
		if (level !== undefined && levels.get(name) === undefined) levels.set(name, level)
		queue?.add(name)
	}
	const watched = { cluster, namespace, signal, onError }
	const applications = watchObjects(
		{ apiVersion: ARGOCD, kind: 'Application' },
		{ ...watched, onChange: ask },
	)
	const askAll = (): void => {
		for (const name of applications.all.keys()) ask(name, 'latest')
	}
	const projects = watchObjects({ apiVersion: ARGOCD, kind: 'AppProject' }, { ...watched, onChange: askAll })
	const secrets = watchObjects({ apiVersion: 'v1', kind: 'Secret' }, watched)
	const configMaps = watchObjects({ apiVersion: 'v1', kind: 'ConfigMap' }, watched)
	const context = createContext(options, { projects, secrets, configMaps, ask, onError })
	const setting = (name: string): number | undefined => {
		const text = fieldsAt(configMaps.all.get('argocd-cm'), 'data')[name]
		return typeof text === 'string' ? parseDuration(text) : undefined
	}
	const reconciliation = (): number =>
		options.reconciliationMs ?? setting('timeout.reconciliation') ?? DEFAULT_RECONCILIATION_MS
	const jitter = (): number =>
		options.reconciliationMs === undefined ? (setting('timeout.reconciliation.jitter') ?? JITTER_MS) : 0
	await Promise.all([applications.ready, projects.ready, secrets.ready, configMaps.ready])
	queue = createWorkQueue({
		concurrency: CONCURRENCY,
		sleep: options.sleep,
		now,
		signal,
		async run(name) {
			try {
				const pending = levels.get(name)
				levels.delete(name)
				const again = await handle(name, {
					context,
					applications,
					level: pending,
					reconciliationMs: reconciliation(),
					log,
				})
				const timer = reconciliation()
				if (applications.all.has(name) && timer > 0)
					queue?.addAfter(name, timer + options.random() * jitter())
				// Without a level nobody would look at what has to wait.
				if (again !== undefined)
					queue?.addAfter(name, again, () => {
						if (levels.get(name) === undefined) levels.set(name, 'latest')
					})
			} catch (error) {
				if (signal.aborted) return
				log(`sandbox controller: application ${name}: ${clusterMessage(error)}`)
				queue?.addAfter(name, FAULT_DELAY_MS)
			}
		},
	})
	for (const name of applications.all.keys()) queue.add(name)
	if (!signal.aborted)
		await new Promise<void>((resolve) => {
			signal.addEventListener('abort', () => resolve(), { once: true })
		})
	await queue.settled()
}

function createContext(
	options: ControlOptions,
	parts: {
		readonly projects: WatchedObjects
		readonly secrets: WatchedObjects
		readonly configMaps: WatchedObjects
		readonly ask: (name: string, level: RefreshLevel) => void
		readonly onError: (error: unknown) => void
	},
): ControllerContext {
	const { cluster, namespace, signal, now, sleep } = options
	let sequence = 0
	return {
		cluster,
		namespace,
		signal,
		now,
		sleep,
		syncWaveDelayMs: options.syncWaveDelayMs,
		sourceFailures: new Map(),
		discovery: createDiscovery(cluster, builtInScope),
		writer: createApplicationWriter(cluster, signal),
		live: createLiveStore({
			cluster,
			signal,
			onChange: (application) => parts.ask(application, 'recent'),
			onError: parts.onError,
		}),
		load: options.createLoader({
			secrets: () => [...parts.secrets.all.values()],
			tlsCertificates: () => parts.configMaps.all.get('argocd-tls-certs-cm'),
		}),
		project(name) {
			const object = parts.projects.all.get(name)
			return object && parseProject(object)
		},
		async event(application, event) {
			sequence = (sequence + 1) % 0xffff
			await recordEvent(cluster, application, { ...event, now: now(), sequence, signal })
		},
	}
}

/**
 * Does for one application what is due, until nothing is.
 * @returns milliseconds after which to look again although nothing happened
 */
async function handle(
	name: string,
	work: {
		readonly context: ControllerContext
		readonly applications: WatchedObjects
		readonly level: RefreshLevel | undefined
		readonly reconciliationMs: number
		readonly log: (line: string) => void
	},
): Promise<number | undefined> {
	const { context, applications } = work
	let level = work.level
	let again = Infinity
	for (let step = 0; step < MAX_STEPS && !context.signal.aborted; step += 1) {
		const application = read(name, work)
		if (application === undefined) return undefined
		const settle = ({ application: written, againAfterMs }: Handled): void => {
			again = Math.min(again, againAfterMs ?? Infinity)
			if (written !== undefined) applications.record(written)
		}
		if (application.metadata.deletionTimestamp !== undefined) {
			settle(await finalizeDeletion(application, context))
			break
		}
		if (isOperating(application)) {
			const handled = await processOperation(application, context)
			settle(handled)
			if (handled.againAfterMs === undefined) level = 'latest'
		}
		const current = read(name, work)
		if (current === undefined) return undefined
		const due = dueRefresh(current, { now: context.now(), reconciliationMs: work.reconciliationMs })
		const wanted = due === 'requested' || level === undefined ? due : level
		level = undefined
		if (wanted === undefined) break
		settle(await refreshApplication(current, wanted, context))
		// what changes from here on comes with an event of its own, but for an operation just begun
		const after = applications.all.get(name)
		if (isOperating(current) || (after?.['operation'] ?? undefined) === undefined) break
	}
	return again === Infinity ? undefined : again
}

const isOperating = (application: Application): boolean =>
	application.operation !== undefined && application.operation !== null

/** An object that is no Application in truth is left alone until somebody changes it. */
function read(
	name: string,
	work: { readonly applications: WatchedObjects; readonly log: (line: string) => void },
): Application | undefined {
	const object = work.applications.all.get(name)
	try {
		return object && parseApplication(object)
	} catch (error) {
		work.log(`sandbox controller: ${clusterMessage(error)}`)
		return undefined
	}
}
