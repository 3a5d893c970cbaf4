import { UserError } from '../errors/index.ts'
import type { Invocation } from './invocation.ts'

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
	context.stderr.write(`${text}\nGo on? [y/N] `)
	const answer = await firstLine(context.stdin, signal)
	return /^\s*y(?:es)?\s*$/i.test(answer)
}

/** Longer than any answer, in characters. */
const MAX_ANSWER = 1000

async function firstLine(stdin: Invocation['context']['stdin'], signal: AbortSignal): Promise<string> {
	const interrupted = new Promise<never>((_, reject) => {
		signal.addEventListener('abort', () => reject(new UserError('INTERRUPTED', 'interrupted')), {
			once: true,
		})
	})
	interrupted.catch(() => {})
	const chunks = stdin[Symbol.asyncIterator]()
	let text = ''
	try {
		while (!text.includes('\n') && text.length < MAX_ANSWER) {
			const next = await Promise.race([chunks.next(), interrupted])
			if (next.done === true) break
			text += Buffer.from(next.value).toString('utf8')
		}
	} finally {
		// The stream ends with it: nothing else is asked.
		void chunks.return?.()
	}
	return text.split('\n')[0] ?? ''
}
