import { findLeftBeside } from '../artifact/index.ts'
import type { Progress } from './progress.ts'

/** What is younger may be in the making. */
const OLD_MS = 60 * 60 * 1000

/**
 * Warns of what killed processes have left beside a path that is written next. It is
 * not removed: a slow process may still be at work on it.
 */
export function tellLeftovers(progress: Progress, path: string): void {
	const left = findLeftBeside(path, Date.now() - OLD_MS)
	if (left.length === 0) return
	progress.warn(
		`an interrupted run has left ${left.join(' and ')}`,
		'Nothing uses it any more, unless another lading is still at work there: remove it.',
	)
}
