import { spawn } from 'node:child_process'
import { isSystemError, UserError } from '../errors/index.ts'
import { installHint, type ToolName } from './install-hint.ts'

export interface RunToolOptions {
	/** Goes to its standard input, which is empty otherwise. */
	readonly input?: string | undefined
	/** Milliseconds; one minute. */
	readonly timeoutMs?: number | undefined
	/** Told each line of its standard error: how it gets on. */
	readonly onLine?: ((line: string) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

export interface ToolResult {
	/** 0: done; anything else is for the caller to judge. */
	readonly status: number
	readonly stdout: string
	readonly stderr: string
}

/**
 * Runs a program of PATH without a shell. The one way to Docker and kind, so that a test
 * can answer in their place.
 * @throws UserError `TOOL_MISSING`, `TIMED_OUT`; the signal's reason
 */
export type RunTool = (
	tool: ToolName,
	args: readonly string[],
	options?: RunToolOptions,
) => Promise<ToolResult>

export interface ToolRunnerOptions {
	/** Given to the programs whole: contexts, hosts and proxies of Docker stand in it. */
	readonly env: Readonly<Record<string, string | undefined>>
	/** For the sentence that tells how a missing program is installed. */
	readonly platform: string
}

const TIMEOUT_MS = 60_000
const KILL_GRACE_MS = 2000
const MAX_OUTPUT_CHARS = 16 * 1024 * 1024

export function createToolRunner({ env, platform }: ToolRunnerOptions): RunTool {
	return async (tool, args, { input, timeoutMs = TIMEOUT_MS, onLine, signal } = {}) => {
		signal?.throwIfAborted()
		const child = spawn(tool, args, { env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
		let stopped: 'timeout' | 'aborted' | undefined
		const stop = (why: 'timeout' | 'aborted'): void => {
			stopped ??= why
			child.kill('SIGTERM')
			setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS).unref()
		}
		const onAbort = (): void => stop('aborted')
		signal?.addEventListener('abort', onAbort, { once: true })
		const timer = setTimeout(() => stop('timeout'), timeoutMs)
		let stdout = ''
		let stderr = ''
		const tellLine = lineTeller(onLine)
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			if (stdout.length < MAX_OUTPUT_CHARS) stdout += text
		})
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			if (stderr.length < MAX_OUTPUT_CHARS) stderr += text
			tellLine(text)
		})
		// One that ends before it has read everything is judged by its status.
		child.stdin.on('error', () => {})
		child.stdin.end(input ?? '')
		try {
			const status = await new Promise<number | null>((done, fail) => {
				child.once('error', fail)
				child.once('close', done)
			})
			if (stopped === 'aborted') throw new UserError('INTERRUPTED', `${tool} was interrupted`)
			if (stopped === 'timeout')
				throw new UserError('TIMED_OUT', `${tool} ${args[0] ?? ''} took longer than ${timeoutMs / 1000} s`)
			return { status: status ?? 1, stdout, stderr }
		} catch (error) {
			if (!isSystemError(error)) throw error
			const hint = installHint(tool, platform)
			if (error.code === 'ENOENT')
				throw new UserError('TOOL_MISSING', `${tool} is not installed, or not on PATH`, {
					hint,
					cause: error,
				})
			throw new UserError('TOOL_MISSING', `${tool} cannot be run (${error.code})`, { hint, cause: error })
		} finally {
			clearTimeout(timer)
			signal?.removeEventListener('abort', onAbort)
		}
	}
}

function lineTeller(onLine: ((line: string) => void) | undefined): (text: string) => void {
	let rest = ''
	return (text) => {
		if (onLine === undefined) return
		const lines = (rest + text).split(/[\r\n]+/)
		rest = lines.pop() ?? ''
		for (const line of lines) if (line.trim() !== '') onLine(line.trim())
	}
}

/** What a program that failed has to say, in one line. */
export function complaintOf({ stderr, stdout, status }: ToolResult): string {
	const lines = (stderr.trim() === '' ? stdout : stderr)
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '')
	const told = lines.find((line) => /^(?:error|docker: error|cannot connect)/i.test(line)) ?? lines.at(-1)
	return (told ?? `it ended with status ${status}`).slice(0, 500)
}

/** The last lines of what a program that failed has printed. */
export function detailsOf({ stderr }: ToolResult): readonly string[] {
	return stderr
		.split('\n')
		.map((line) => line.trimEnd())
		.filter((line) => line !== '')
		.slice(-10)
}
