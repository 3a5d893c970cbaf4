import type { Cluster } from '../../cluster/index.ts'
import { control } from './controller.ts'
import { createOciLoader } from './oci-loader.ts'

export interface RunControllerOptions {
	readonly cluster: Cluster
	/** Namespace of Argo CD; `argocd`. */
	readonly namespace?: string | undefined
	/**
	 * Where a registry is reached from this process, when that is not by the name the
	 * cluster uses for it: `kind-registry:5000` may be `localhost:5001` here.
	 */
	readonly connectTo?: ((registry: string) => string | undefined | Promise<string | undefined>) | undefined
	/** Milliseconds between two looks at a registry; absent: `timeout.reconciliation` of `argocd-cm`, else 120 s, with a jitter. */
	readonly reconciliationMs?: number | undefined
	/** Milliseconds between two sync waves; 100. */
	readonly syncWaveDelayMs?: number | undefined
	/** `PATH` of which names the tools that render Kustomize and Helm; absent: nothing is rendered. */
	readonly environment?: Readonly<Record<string, string | undefined>> | undefined
	/** Ends the controller; the promise resolves when what is at hand is done. */
	readonly signal: AbortSignal
	/** Milliseconds since the epoch. */
	readonly now?: (() => number) | undefined
	/** In [0, 1). */
	readonly random?: (() => number) | undefined
	readonly log?: ((line: string) => void) | undefined
}

const DEFAULT_WAVE_DELAY_MS = 100

/**
 * The stand-in for Argo CD's application-controller and repo-server. It follows the
 * Applications of one namespace, deploys them to the very cluster it runs on, and
 * reports in their `status` with Argo CD's own words; its events name "(sandbox)" as
 * their source. Several sources, hydration, sync windows, impersonation, PreDelete and
 * PostDelete hooks are left to a real Argo CD.
 */
export async function runController(options: RunControllerOptions): Promise<void> {
	const { cluster, connectTo, environment = {} } = options
	const signal = AbortSignal.any([options.signal])
	const now = options.now ?? Date.now
	await control({
		cluster,
		signal,
		now,
		namespace: options.namespace ?? 'argocd',
		sleep: (ms) => abortableSleep(ms, signal),
		random: options.random ?? Math.random,
		reconciliationMs: options.reconciliationMs,
		syncWaveDelayMs: options.syncWaveDelayMs ?? DEFAULT_WAVE_DELAY_MS,
		log: options.log ?? (() => {}),
		createLoader: (settings) => createOciLoader({ ...settings, connectTo, environment }),
	})
}

function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer)
			signal.removeEventListener('abort', done)
			resolve()
		}
		const timer = setTimeout(done, ms)
		if (signal.aborted) done()
		else signal.addEventListener('abort', done, { once: true })
	})
}
