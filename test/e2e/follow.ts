import { spawn } from 'node:child_process'
import { type Ended, environmentOf, MAIN } from './program.ts'

/** A line of `dev --json`. */
export type DevLine = Readonly<Record<string, unknown>> & { readonly event: string }

export interface RunningDev {
	readonly pid: number
	readonly lines: readonly DevLine[]
	/** All that came on stderr. */
	stderr(): string
	/** Waits for a line; looks at those from `from` on. @throws Error when it ends before, or is too late */
	until(isRight: (line: DevLine) => boolean, from?: number): Promise<DevLine>
	/** Resolves when it has ended by itself. */
	readonly ended: Promise<Ended>
	/** Ctrl-C. */
	interrupt(): Promise<Ended>
}

const WAIT_MS = 60_000

/** Runs `lading dev … --json`. The caller interrupts it. */
export function startDev(
	args: readonly string[],
	{ cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): RunningDev {
	const child = spawn(process.execPath, [MAIN, 'dev', ...args, '--json'], {
		cwd,
		env: environmentOf({ cwd, env }),
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	const lines: DevLine[] = []
	let stdout = ''
	let stderr = ''
	let rest = ''
	const waiting = new Set<() => void>()
	const wake = (): void => {
		for (const each of waiting) each()
	}
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		stdout += text
		const parts = (rest + text).split('\n')
		rest = parts.pop() ?? ''
		lines.push(...parts.map((part) => JSON.parse(part) as DevLine))
		wake()
	})
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		stderr += text
	})
	const ended = new Promise<Ended>((resolve) => {
		child.on('close', (code, signal) => {
			resolve({ code, signal, stdout, stderr })
			wake()
		})
	})
	return {
		pid: child.pid ?? 0,
		lines,
		ended,
		stderr: () => stderr,
		async until(isRight, from = 0) {
			const end = Date.now() + WAIT_MS
			for (;;) {
				const found = lines.slice(from).find(isRight)
				if (found !== undefined) return found
				const last = lines.slice(-5).map((line) => JSON.stringify(line))
				if (child.exitCode !== null) throw new Error(`dev has ended:\n${last.join('\n')}\n${stderr}`)
				if (Date.now() > end) throw new Error(`dev says nothing of it:\n${last.join('\n')}\n${stderr}`)
				await new Promise<void>((resolve) => {
					const done = (): void => {
						waiting.delete(done)
						resolve()
					}
					waiting.add(done)
					setTimeout(done, 1000)
				})
			}
		},
		async interrupt() {
			child.kill('SIGINT')
			return await ended
		},
	}
}
