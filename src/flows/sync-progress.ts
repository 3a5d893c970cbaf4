import { type Application, explain, type Progress } from '../argocd/index.ts'
import { unreachable } from '../errors/index.ts'
import type { ConnectedCluster } from './clusters.ts'

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

/** Why an Application is not Healthy: a line for each resource. */
export async function whyUnhealthy(
	{ readUnhealthy }: Pick<ConnectedCluster, 'readUnhealthy'>,
	application: Application,
	signal: AbortSignal | undefined,
): Promise<readonly string[]> {
	const found = await readUnhealthy(application, { signal })
	return found.map(({ kind, name, message }) => `${kind} ${name}: ${message}`)
}
