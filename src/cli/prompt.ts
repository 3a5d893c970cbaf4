import { UserError } from '../errors/index.ts'
import type { CliContext } from './context.ts'

/** Questions to whoever sits before the terminal; what they say goes to stderr, as the answer of the command is not it. */
export interface Prompt {
	/** @throws UserError `INTERRUPTED` */
	ask(question: string): Promise<string>
	/** Shows nothing of what is typed. @throws UserError `INTERRUPTED` */
	askHidden(question: string): Promise<string>
	close(): void
}

const [INTERRUPT, END, BACKSPACE, DELETE, KILL] = ['\u0003', '\u0004', '\b', '\u007F', '\u0015']
const MAX_LENGTH = 64 * 1024

/** @param signal what Ctrl-C aborts; where nothing is shown it comes as a character */
export function openPrompt(
	{ stdin, stderr }: Pick<CliContext, 'stdin' | 'stderr'>,
	signal?: AbortSignal,
): Prompt {
	const chunks = stdin[Symbol.asyncIterator]()
	const aborted = new Promise<never>((_, reject) => {
		if (signal?.aborted === true) reject(interrupted())
		signal?.addEventListener('abort', () => reject(interrupted()), { once: true })
	})
	aborted.catch(() => undefined)
	let rest = ''

	async function readLine(): Promise<string> {
		let line = ''
		for (;;) {
			for (const sign of rest) {
				rest = rest.slice(sign.length)
				if (sign === '\n' || sign === '\r') return line
				if (sign === INTERRUPT || (sign === END && line === '')) throw interrupted()
				if (sign === BACKSPACE || sign === DELETE) line = line.replace(/.$/su, '')
				else if (sign === KILL) line = ''
				else if (line.length < MAX_LENGTH) line += sign
			}
			const next = await Promise.race([chunks.next(), aborted])
			if (next.done === true) throw interrupted()
			rest += Buffer.from(next.value).toString('utf8')
		}
	}

	return {
		async ask(question) {
			stderr.write(question)
			return (await readLine()).trim()
		},
		async askHidden(question) {
			stderr.write(question)
			stdin.setRawMode?.(true)
			try {
				return await readLine()
			} finally {
				stdin.setRawMode?.(false)
				stderr.write('\n')
			}
		},
		close() {
			// Reading on would keep the process.
			chunks.return?.().catch(() => undefined)
		},
	}
}

function interrupted(): UserError {
	return new UserError('INTERRUPTED', 'interrupted: nothing was done')
}
