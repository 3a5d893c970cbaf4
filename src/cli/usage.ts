import { DOCUMENT_VERSION } from '../output/index.ts'

export const usageMessage = {
	unknownCommand(input: string, corrections: readonly string[]): string {
		if (corrections.length === 0) return `there is no command "${input}"`
		return `there is no command "${input}"; did you mean ${corrections.join(' or ')}?`
	},
	/** The help page nearest to what was typed. */
	helpFor(args: readonly string[]): string {
		const words: string[] = []
		for (const arg of args.slice(0, args[0] === 'registry' || args[0] === 'cluster' ? 2 : 1)) {
			if (/^[a-z]+$/.test(arg)) words.push(arg)
		}
		return [...words, '--help'].join(' ')
	},
} as const

export function usageDocument(message: string): string {
	const hint = 'lading --help'
	return `${JSON.stringify({ version: DOCUMENT_VERSION, error: { code: 'USAGE', message, hint } }, undefined, 2)}\n`
}
