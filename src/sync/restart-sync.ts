import { type Application, isAutomated, isRetrying } from '../argocd/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ApiOptions, ApplicationApi, ApplicationRef } from './application-api.ts'

/** Milliseconds that a sync has to end when it is told to. */
const END_MS = 30_000

export interface RestartOptions extends ApiOptions {
	/** As it was before the change that the new sync is for. */
	readonly application: Application
	/** Delete what is no longer in the artifact, besides where Argo CD does so by itself. */
	readonly prune?: boolean | undefined
}

/**
 * Whether the last sync stands in the way of the next. Argo CD repeats a failed one for minutes, as it was
 * asked for then, and after that starts none by itself at the same source, or where it has no result.
 * @see argo-cd controller/appcontroller.go alreadyAttemptedSync
 */
export function isStuck(application: Application): boolean {
	const phase = application.status?.operationState?.phase
	return phase === 'Failed' || phase === 'Error' || isRetrying(application)
}

/** Ends a sync that is being repeated, and asks for one anew; who may do neither waits for what Argo CD does. */
export async function restartSync(
	api: ApplicationApi,
	ref: ApplicationRef,
	options: RestartOptions,
): Promise<void> {
	try {
		await restart(api, ref, options)
	} catch (error) {
		if (!(error instanceof RemoteError && error.code === 'FORBIDDEN')) throw error
	}
}

async function restart(
	api: ApplicationApi,
	ref: ApplicationRef,
	{ application, prune, signal }: RestartOptions,
): Promise<void> {
	if (isRetrying(application)) {
		await api.terminateSync(ref, { signal })
		await untilEnded(api, ref, signal)
	}
	const prunes = isAutomated(application) && application.spec.syncPolicy?.automated?.prune === true
	await api.requestSync(ref, { prune: prune === true || prunes, signal })
}

async function untilEnded(api: ApplicationApi, ref: ApplicationRef, signal?: AbortSignal): Promise<void> {
	const stop = new AbortController()
	const timer = setTimeout(() => stop.abort(), END_MS)
	const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
	try {
		for await (const application of api.watch(ref, { signal: either })) {
			const phase = application?.status?.operationState?.phase
			if (application?.operation === undefined && phase !== 'Running' && phase !== 'Terminating') return
		}
	} finally {
		clearTimeout(timer)
	}
}
