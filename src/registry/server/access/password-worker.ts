import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'

/** A password to check; the number comes back with the answer. */
export interface PasswordQuestion {
	readonly number: number
	readonly password: string
	readonly hash: string
}

export interface PasswordAnswer {
	readonly number: number
	readonly right: boolean
}

/** The second thread of {@link file://./password-checker.ts}: a check takes a good part of a second. */
parentPort?.on('message', ({ number, password, hash }: PasswordQuestion) => {
	const answer: PasswordAnswer = { number, right: compareSync(password, hash) }
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
	parentPort?.postMessage(answer)
})
