import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { PasswordAnswer, PasswordQuestion } from './password-worker.ts'

/** A thread without work is ended after so long, in milliseconds: it takes memory. */
const IDLE_MS = 30_000

/** Compares passwords with bcrypt hashes on a second thread, so that nobody else waits. */
export class PasswordChecker {
	readonly #path: string | undefined
	#worker: Promise<Worker> | undefined
	readonly #waiting = new Map<number, (right: boolean) => void>()
	#asked = 0
	#idle: NodeJS.Timeout | undefined

	/** @param worker file of the thread; where there is none, this thread does it, in slices */
	constructor(worker: string | undefined = builtWorker()) {
		this.#path = worker
	}

	/** Whether the password is that of the hash; `false` where the thread fails. */
	async check(password: string, hash: string): Promise<boolean> {
		if (this.#path === undefined) {
			const { compare } = await import('bcryptjs')
			return compare(password, hash)
		}
		clearTimeout(this.#idle)
		this.#worker ??= this.#start(this.#path)
		const worker = await this.#worker
		const number = this.#asked++
		return await new Promise<boolean>((resolve) => {
			this.#waiting.set(number, resolve)
			const question: PasswordQuestion = { number, password, hash }
			// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
			worker.postMessage(question)
		})
	}

	close(): void {
		clearTimeout(this.#idle)
		const worker = this.#worker
		this.#end()
		void worker?.then((started) => started.terminate()).catch(() => undefined)
	}

	async #start(path: string): Promise<Worker> {
		const threads = await import('node:worker_threads')
		const worker = new threads.Worker(path, { resourceLimits: { maxYoungGenerationSizeMb: 4 } })
		worker.unref()
		worker.on('message', ({ number, right }: PasswordAnswer) => {
			this.#waiting.get(number)?.(right)
			this.#waiting.delete(number)
			if (this.#waiting.size > 0) return
			this.#idle = setTimeout(() => this.close(), IDLE_MS)
			this.#idle.unref()
		})
		worker.on('error', () => this.#end())
		return worker
	}

	/** Who still waits is not let in. */
	#end(): void {
		this.#worker = undefined
		for (const resolve of this.#waiting.values()) resolve(false)
		this.#waiting.clear()
	}
}

function builtWorker(): string | undefined {
	const path = fileURLToPath(new URL('./password-worker.js', import.meta.url))
	return existsSync(path) ? path : undefined
}
