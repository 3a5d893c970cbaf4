import { UserError } from '../errors/index.ts'

export interface RunToolOptions {
	/** The tool's name, for messages. */
	readonly name: string
	readonly environment: Readonly<Record<string, string>>
	/** Milliseconds. */
	readonly timeout: number
	/** Most bytes of standard output. */
	readonly maxBytes: number
	readonly directory?: string | undefined
	readonly signal?: AbortSignal | undefined
}

const MAX_STDERR_BYTES = 8 * 1024

type Stopped = 'timeout' | 'size' | 'aborted'

/**
 * Runs a program without a shell and gives what it printed. It is killed when it takes
 * too long, prints too much, or when the signal aborts.
 * @throws UserError `TOOL_FAILED`, `TIMED_OUT`; the signal's reason
 */
export async function runTool(
	executable: string,
	args: readonly string[],
	options: RunToolOptions,
): Promise<Uint8Array> {
	const { spawn } = await import('node:child_process')
	options.signal?.throwIfAborted()
	const child = spawn(executable, args, {
		env: options.environment,
		stdio: ['ignore', 'pipe', 'pipe'],
		windowsHide: true,
		...(options.directory !== undefined && { cwd: options.directory }),
	})
	let stopped: Stopped | undefined
	const stop = (why: Stopped): void => {
		stopped ??= why
		child.kill('SIGKILL')
		// What it has started may hold its output open for ever.
		child.stdout.destroy()
		child.stderr.destroy()
	}
	const onAbort = (): void => stop('aborted')
	options.signal?.addEventListener('abort', onAbort, { once: true })
	const timer = setTimeout(() => stop('timeout'), options.timeout)
	const output: Buffer[] = []
	let size = 0
	let complaint = ''
	child.stdout.on('data', (chunk: Buffer) => {
		size += chunk.byteLength
		if (size > options.maxBytes) stop('size')
		else output.push(chunk)
	})
	child.stderr.on('data', (chunk: Buffer) => {
		if (complaint.length < MAX_STDERR_BYTES) complaint += chunk.toString('utf8')
	})
	try {
		const status = await new Promise<number | null>((done, fail) => {
			child.once('error', fail)
			child.once('close', done)
		})
		if (stopped !== undefined) throw stoppedError(stopped, options)
		if (status === 0) return Buffer.concat(output)
		throw new UserError('TOOL_FAILED', `${options.name} failed: ${firstLine(complaint)}`, {
			details: complaint.slice(0, MAX_STDERR_BYTES).trim().split('\n').slice(1, 20),
		})
	} catch (error) {
		if (error instanceof UserError) throw error
		if (stopped === 'aborted') options.signal?.throwIfAborted()
		throw new UserError('TOOL_FAILED', `${options.name} could not be run`, { cause: error })
	} finally {
		clearTimeout(timer)
		options.signal?.removeEventListener('abort', onAbort)
	}
}

function stoppedError(why: Stopped, options: RunToolOptions): Error {
	switch (why) {
		case 'timeout':
			return new UserError('TIMED_OUT', `${options.name} took longer than ${options.timeout / 1000} s`)
		case 'size':
			return new UserError('TOOL_FAILED', `${options.name} printed more than ${options.maxBytes} bytes`)
		case 'aborted':
			return new UserError('INTERRUPTED', `${options.name} was interrupted`, {
				cause: options.signal?.reason,
			})
	}
}

function firstLine(text: string): string {
	return text.trim().split('\n', 1)[0]?.slice(0, 500) || 'it gave no reason'
}
