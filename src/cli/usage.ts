import type { RouteMap } from '@stricli/core'
import { DOCUMENT_VERSION, type Program } from '../output/index.ts'
import type { CliContext } from './context.ts'

/** What was typed, and what can be. */
export interface Typed {
	readonly args: readonly string[]
	readonly routes: RouteMap<CliContext>
	readonly program: Program
}

export function unknownCommand(input: string, corrections: readonly string[]): string {
	const message = `there is no command "${input}"`
	if (corrections.length === 0) return message
	return `${message}; did you mean ${corrections.map((each) => each.replaceAll('`', '')).join(' or ')}?`
}

/** The help page nearest to what was typed: `lading push --help`. */
export function nearestHelp({ args, routes, program }: Typed): string {
	const words: string[] = []
	let target: ReturnType<RouteMap<CliContext>['getRoutingTargetForInput']> = routes
	for (const word of args) {
		if (!target || !('getRoutingTargetForInput' in target)) break
		target = target.getRoutingTargetForInput(word)
		if (target) words.push(word)
	}
	return [program, ...words, '--help'].join(' ')
}

/** Wrong usage, for people or as the document of `--json`. */
export function usageAnswer(
	message: string,
	typed: Typed,
): { readonly text: string; readonly document: string } {
	const hint = nearestHelp(typed)
	const document = { version: DOCUMENT_VERSION, error: { code: 'USAGE', message, hint } }
	return {
		text: `error: ${message}\nnext:  ${hint}\n`,
		document: `${JSON.stringify(document, undefined, 2)}\n`,
	}
}
