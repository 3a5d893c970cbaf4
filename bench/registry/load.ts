import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Server } from './contenders.ts'

const run = promisify(execFile)

/** What `load` says; durations in milliseconds but for `seconds` and `cpu`. */
interface Outcome {
	readonly requests: number
	readonly errors: number
	readonly fault?: string
	readonly bytes: number
	readonly seconds: number
	readonly p50: number
	readonly p99: number
}

export interface Measured {
	/** Requests (or pushes) a second. */
	readonly rate: number
	/** In milliseconds. */
	readonly p50: number
	readonly p99: number
	/** Of the registry alone, in microseconds a request; `undefined` where the system does not tell. */
	readonly cpu: number | undefined
}

export type Load = (server: Server, args: readonly string[]) => Promise<Measured>

/** Builds the load generator into a directory. */
export async function buildLoad(directory: string): Promise<Load> {
	const program = join(directory, 'load')
	await run('go', ['build', '-o', program, '.'], {
		cwd: join(import.meta.dirname, 'load'),
		env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
	})
	return async (server, args) => {
		const before = cpuSeconds(server)
		const { stdout } = await run(program, ['-address', server.address, ...args])
		const outcome = JSON.parse(stdout) as Outcome
		if (outcome.errors > 0 || outcome.requests === 0)
			throw new Error(`${args.join(' ')}: ${outcome.errors} errors, the first: ${outcome.fault}`)
		const after = cpuSeconds(server)
		return {
			rate: outcome.requests / outcome.seconds,
			p50: outcome.p50,
			p99: outcome.p99,
			cpu:
				before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / outcome.requests,
		}
	}
}

/** What a process has used so far. */
function cpuSeconds({ process: { pid } }: Server): number | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
		return (Number(fields[11]) + Number(fields[12])) / 100
	} catch {
		return undefined
	}
}

/** Resident memory of a process, in MiB. */
export function residentMiB({ process: { pid } }: Server): number | undefined {
	try {
		return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
	} catch {
		return undefined
	}
}
