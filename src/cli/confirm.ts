import { UserError } from '../errors/index.ts'
import type { Invocation } from './invocation.ts'
import { openPrompt } from './prompt.ts'

export interface Question {
	/** What would be done: whole lines. */
	readonly text: string
	/** Given `--yes`. */
	readonly yes: boolean | undefined
	/** The command, for the hint: `lading delete`. */
	readonly command: string
}

/**
 * Asks on a terminal whether to go on.
 * @returns whether the answer is yes
 * @throws UserError `USAGE` where nobody can answer, with what would be done
 */
export async function confirm(
	{ context, signal }: Invocation,
	{ text, yes, command }: Question,
): Promise<boolean> {
	if (yes === true) return true
	if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) {
		throw new UserError('USAGE', `${command} asks before it does anything, and nobody can answer here`, {
			details: text.split('\n'),
			hint: 'Add --yes to do it, or --dry-run to see it only.',
		})
	}
	const prompt = openPrompt(context, signal)
	try {
		return /^y(?:es)?$/i.test(await prompt.ask(`${text}\nGo on? [y/N] `))
	} finally {
		prompt.close()
	}
}
