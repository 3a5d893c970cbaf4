/** Why a symlink must not be in an artifact. */
export type LinkProblem = 'absolute' | 'escapes' | 'roundabout' | 'empty'

/**
 * Judges the target of a symlink at `path` by its text alone. It may go up only at its
 * start and not above the root: `..` after a name could follow another link, so such a
 * target is `roundabout`. Links that pass stay inside whatever they lead through.
 * @returns `undefined` when it is fine
 */
export function judgeLink(path: string, target: string): LinkProblem | undefined {
	if (target === '') return 'empty'
	if (target.startsWith('/')) return 'absolute'
	const steps = target.split('/').filter((step) => step !== '' && step !== '.')
	const up = steps.findIndex((step) => step !== '..')
	const ups = up < 0 ? steps.length : up
	if (ups > path.split('/').length - 1) return 'escapes'
	return steps.slice(ups).includes('..') ? 'roundabout' : undefined
}
