import type { Application, Progress } from '../argocd/index.ts'
import { unreachable } from '../errors/index.ts'

/** What an Application is waiting for, in a few words. */
export function describeProgress({ status }: Application, progress: Progress): string {
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
					return 'Argo CD applies'
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
