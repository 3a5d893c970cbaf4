import { DOCUMENT_VERSION } from '../output/index.ts'
import { routes } from './routes.ts'

export function unknownCommand(input: string, corrections: readonly string[]): string {
	const message = `there is no command "${input}"`
	if (corrections.length === 0) return message
	return `${message}; did you mean ${corrections.map((each) => each.replaceAll('`', '')).join(' or ')}?`
}

/** The help page nearest to what was typed: `lading push --help`. */
export function nearestHelp(args: readonly string[]): string {
	const words: string[] = []
	let target: ReturnType<typeof routes.getRoutingTargetForInput> = routes
	for (const word of args) {
		if (!target || !('getRoutingTargetForInput' in target)) break
		target = target.getRoutingTargetForInput(word)
		if (target) words.push(word)
	}
	return ['lading', ...words, '--help'].join(' ')
}

/** Wrong usage, for people or as the document of `--json`. */
export function usageAnswer(
	message: string,
	args: readonly string[],
): { readonly text: string; readonly document: string } {
	const hint = nearestHelp(args)
	const document = { version: DOCUMENT_VERSION, error: { code: 'USAGE', message, hint } }
	return {
		text: `error: ${message}\nnext:  ${hint}\n`,
		document: `${JSON.stringify(document, undefined, 2)}\n`,
	}
}
