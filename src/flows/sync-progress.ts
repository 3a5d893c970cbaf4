import { type Application, explain, type Explanation, type Progress } from '../argocd/index.ts'
import { unreachable, UserError } from '../errors/index.ts'
import type { ConnectedCluster } from './clusters.ts'
import type { Session } from './session.ts'

/** What an Application is waiting for, in a few words. */
export function describeProgress(application: Application, progress: Progress): string {
	const { status } = application
	switch (progress.state) {
		case 'settled':
			return 'Synced and Healthy'
		case 'stopped':
			return `${status?.sync?.status ?? 'Unknown'}, ${status?.health?.status ?? 'Unknown'}`
		case 'running':
			switch (progress.why) {
				case 'not-compared':
					return 'Argo CD compares'
				case 'other-revision':
					return 'still at the revision before'
				case 'syncing':
					return describeSyncing(application)
				case 'progressing':
					return `Synced, ${status?.health?.status ?? 'Progressing'}`
				case 'deleting':
					return 'being removed'
				default:
					return unreachable(progress)
			}
		default:
			return unreachable(progress)
	}
}

/** Argo CD tries a failed sync again for minutes: who waits shall know what for. */
function describeSyncing(application: Application): string {
	const failed = explain(application).find(({ severity }) => severity === 'error')
	return failed === undefined ? 'Argo CD applies' : `Argo CD tries again: ${failed.what}`
}

/** Says what there is to say of an Application that is Synced and Healthy all the same. */
export function warnOf(
	{ progress }: Pick<Session, 'progress'>,
	{ explanations }: { readonly explanations: readonly Explanation[] },
): void {
	for (const { what, next } of explanations) progress.warn(what, next)
}

/**
 * Runs a wait. Whoever interrupts it is told what stays as it is: Argo CD goes on alone.
 * @throws UserError `INTERRUPTED`, and what `wait` throws
 */
export async function interruptible<T>(
	{ signal }: Pick<Session, 'signal'>,
	name: string,
	wait: () => Promise<T>,
): Promise<T> {
	try {
		return await wait()
	} catch (error) {
		if (signal?.aborted !== true) throw error
		throw new UserError('INTERRUPTED', `interrupted: nobody waits for ${name} any more`, {
			cause: error,
			hint: `The Application stands as it was written, and Argo CD goes on with it: lading status ${name} – or wait again with the same command.`,
		})
	}
}

/** Why an Application is not Healthy: a line for each resource. */
export async function whyUnhealthy(
	{ readUnhealthy }: Pick<ConnectedCluster, 'readUnhealthy'>,
	application: Application,
	signal: AbortSignal | undefined,
): Promise<readonly string[]> {
	const found = await readUnhealthy(application, { signal })
	return found.map(({ kind, name, message }) => `${kind} ${name}: ${message}`)
}
