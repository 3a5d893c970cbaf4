import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, UserError } from '../../errors/index.ts'

export interface DirectoryLock {
	readonly release: () => void
}

/** A full disk is told by whoever called. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

const NAME = /^lock\.(\d{1,10})\.(\d{1,20})\.[0-9a-f-]{36}$/

/**
 * Makes this process the only user of a directory until `release` or its end.
 *
 * Every contender first puts down a file that names its process, then looks who else
 * has: of two at the same moment both see each other and neither goes on, so there
 * are never two. The file of a process that is gone counts for nothing, however it went;
 * its start time tells it from a later one with the same number (where /proc does).
 * @throws UserError `ALREADY_RUNNING`, `FILE_UNWRITABLE`
 */
export function lockDirectory(
	directory: string,
	options: { readonly hint?: string | undefined } = {},
): DirectoryLock {
	const own = join(
		directory,
		`lock.${process.pid}.${processFacts(process.pid)?.started ?? '0'}.${randomUUID()}`,
	)
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		writeFileSync(own, '', { flag: 'wx', mode: 0o600 })
	} catch (error) {
		if (!isSystemError(error) || FULL.has(error.code ?? '')) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot write into ${directory}: ${error.message}`, {
			cause: error,
		})
	}
	const release = (): void => rmSync(own, { force: true })
	for (const name of readdirSync(directory)) {
		const match = NAME.exec(name)
		const path = join(directory, name)
		if (!match || path === own) continue
		const holder = { pid: Number(match[1]), started: match[2] ?? '', path }
		if (!isAlive(holder)) {
			rmSync(path, { force: true })
			continue
		}
		release()
		throw new UserError('ALREADY_RUNNING', `process ${holder.pid} already serves ${directory}`, {
			hint:
				options.hint ??
				'Use that registry, stop it with "lading registry down", or choose another directory with --data.',
		})
	}
	return { release }
}

interface Holder {
	readonly pid: number
	readonly started: string
	readonly path: string
}

function isAlive({ pid, started, path }: Holder): boolean {
	try {
		process.kill(pid, 0)
	} catch (error) {
		// EPERM: it is there, and somebody else's.
		if (!isSystemError(error, 'EPERM')) return false
	}
	const now = processFacts(pid)
	// A zombie has ended; only its parent has not looked yet.
	if (now !== undefined) return started === now.started && now.state !== 'Z'
	// Without /proc: a file older than this process is not this process's, whatever its number.
	const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs
	return pid !== process.pid || (written !== undefined && written >= performance.timeOrigin)
}

/** When a process started, in the kernel's ticks, and its state; `undefined` where the system does not tell. */
function processFacts(pid: number): { readonly state: string; readonly started: string } | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		// The second field is a name in parentheses that may hold anything; the state is field 3, the start time 22.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
		return { state: fields[0] ?? '', started: fields[19] ?? '' }
	} catch {
		return undefined
	}
}
