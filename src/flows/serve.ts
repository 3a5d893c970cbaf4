import { randomBytes } from 'node:crypto'
import { LadingError } from '../errors/index.ts'
import { onStarterLost, recordServer, reportStartup } from './background.ts'

export interface ServedBy {
	readonly port: number
	/** Aborted, with an error that says why, when it cannot serve any longer. */
	readonly lost?: AbortSignal | undefined
	close(): Promise<void>
}

export interface ServeOptions<T extends ServedBy> {
	readonly dataDirectory: string
	/** Name of this run, when it was started in the background. */
	readonly instance?: string | undefined
	readonly signal: AbortSignal
	/** Starts listening. */
	open(instance: string): Promise<T>
	/** Called once it listens. */
	onReady?(served: T): void
	readonly now: () => Date
}

/**
 * Runs a server until the signal aborts, and tells the process that started it in
 * the background how that went.
 * @throws what the server was lost by
 */
export async function serveUntilStopped<T extends ServedBy>(options: ServeOptions<T>): Promise<void> {
	const instance = options.instance ?? randomBytes(8).toString('hex')
	let isAbandoned = false
	const keepOn = onStarterLost(() => {
		isAbandoned = true
	})
	let served: T
	try {
		served = await options.open(instance)
	} catch (error) {
		if (error instanceof LadingError) {
			reportStartup({ type: 'failed', code: error.code, message: error.message, hint: error.hint })
		}
		throw error
	}
	if (isAbandoned) {
		await served.close()
		return
	}
	keepOn()
	const { port } = served
	const record = { pid: process.pid, instance, port, startedAt: options.now().toISOString() }
	const forget = options.instance === undefined ? undefined : recordServer(options.dataDirectory, record)
	reportStartup({ type: 'ready', port })
	options.onReady?.(served)
	await aborted(AbortSignal.any([options.signal, ...(served.lost ? [served.lost] : [])]))
	await served.close()
	forget?.()
	served.lost?.throwIfAborted()
}

async function aborted(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return
	await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
