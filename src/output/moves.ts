import { printableLine } from './style.ts'

/** Where artifacts are now: one line for each. */
export function formatMoves(artifacts: readonly { readonly reference: string }[]): string {
	return artifacts.map(({ reference }) => printableLine(reference)).join('\n')
}
