import { createHash, randomUUID } from 'node:crypto'
import {
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmdirSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isSystemError, UserError } from '../../errors/index.ts'
import type { Fence } from './fence.ts'

export interface DirectoryLock extends Fence {
	/** Of its file: no other lock ever has it. */
	readonly name: string
	readonly release: () => void
}

/** A full disk is told by whoever called. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

/** The last part is a UUID, or begins with the namespace that the process number is of. */
const NAME = /^lock\.(\d{1,10})\.(\d{1,20})\.(?:([0-9a-f]{16})-[0-9a-f-]{19}|[0-9a-f-]{36})$/

/** How often a lock tells that its process lives, in milliseconds. */
const BEAT_MS = 5000
/** A process that cannot be seen from here, and has not told so for so long, is gone; in milliseconds. */
export const STALE_MS = 45_000

export interface LockOptions {
	readonly hint?: string | undefined
	/** The directory is somebody else's now, as this process did not run for a while; is told why. Once. */
	readonly onLost?: ((why: UserError) => void) | undefined
	/** What a process number is unique in; `undefined`: everywhere here. Default: what the system says. */
	readonly namespace?: string | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
}

/**
 * Makes this process the only user of a directory until `release` or its end.
 *
 * Every contender first puts down a file that names its process, then looks who else
 * has: of two at the same moment both see each other and neither goes on, so there
 * are never two. The file of a process that is gone counts for nothing, however it went;
 * its start time tells it from a later one with the same number (where /proc does).
 *
 * Processes of another container, or machine, cannot be seen from here, and their numbers mean others
 * here: their files count for as long as they are touched, and {@link STALE_MS} longer.
 * @throws UserError `ALREADY_RUNNING`, `FILE_UNWRITABLE`
 */
export function lockDirectory(directory: string, options: LockOptions = {}): DirectoryLock {
	const { namespace = ownNamespace(), now = Date.now } = options
	const name = nameOfLock(namespace)
	const own = join(directory, name)
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		writeFileSync(own, '', { flag: 'wx', mode: 0o600 })
	} catch (error) {
		if (!isSystemError(error) || FULL.has(error.code ?? '')) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot write into ${directory}: ${error.message}`, {
			hint: 'Choose another directory, or mend its permissions.',
			cause: error,
		})
	}
	let touchedAt = now()
	let lost: UserError | undefined
	const look = (): void => {
		if (lost) return
		touchedAt = now()
		if (touch(own)) return
		clearInterval(beat)
		lost = lostDirectory(directory)
		options.onLost?.(lost)
	}
	const beat = setInterval(look, BEAT_MS)
	beat.unref()
	const isHeld = (): boolean => {
		// A process that was stopped goes on where it stood, before any of its timers.
		if (Math.abs(now() - touchedAt) > 2 * BEAT_MS) look()
		return lost === undefined
	}
	const assertHeld = (): void => {
		if (!isHeld() && lost) throw lost
	}
	const release = (): void => {
		clearInterval(beat)
		rmSync(own, { force: true })
	}
	for (const { left, isGone, ...holder } of locksIn(directory, { namespace, now })) {
		if (holder.path === own) continue
		if (isGone) {
			rmSync(holder.path, { force: true })
			continue
		}
		release()
		throw left === undefined
			? heldHere(directory, { ...options, ...holder })
			: heldElsewhere(directory, { ...options, left })
	}
	return { name, isHeld, assertHeld, release }
}

/** Whether the process whose lock has that name has a directory now. Nothing in it changes. */
export function isLockHeld(directory: string, name: string): boolean {
	const options = { namespace: ownNamespace(), now: Date.now }
	return [...locksIn(directory, options)].some(
		({ path, isGone }) => path === join(directory, name) && !isGone,
	)
}

interface FoundLock extends Holder {
	/** It counts for nothing any more. */
	readonly isGone: boolean
	/** Of a process that cannot be seen from here: milliseconds until it counts for nothing. */
	readonly left: number | undefined
}

function* locksIn(
	directory: string,
	{ namespace, now }: { readonly namespace: string | undefined; readonly now: () => number },
): Generator<FoundLock, void, undefined> {
	for (const name of readdirSync(directory)) {
		const match = NAME.exec(name)
		if (!match) continue
		const holder = { pid: Number(match[1]), started: match[2] ?? '', path: join(directory, name) }
		const isForeign = match[3] !== undefined && namespace !== undefined && match[3] !== namespace
		const left = isForeign ? staleIn(holder.path, now()) : undefined
		yield { ...holder, left, isGone: left === undefined ? !isAlive(holder) : left <= 0 }
	}
}

export interface LockInTurnOptions extends LockOptions {
	/** Milliseconds to wait for whoever has it. */
	readonly waitMs: number
	readonly signal?: AbortSignal | undefined
}

/** Between two looks, in milliseconds. */
const POLL_MS = 50

/**
 * {@link lockDirectory} of a directory that is there for the time of a change: waits its turn, and leaves no empty
 * one behind.
 * @throws UserError as that does, when the wait is over
 */
export async function lockInTurn(directory: string, options: LockInTurnOptions): Promise<DirectoryLock> {
	const { waitMs, signal } = options
	for (let waited = 0; ;) {
		signal?.throwIfAborted()
		try {
			const { release, ...fence } = lockDirectory(directory, options)
			return {
				...fence,
				release() {
					release()
					removeIfEmpty(directory)
				},
			}
		} catch (error) {
			// The owner has just removed the directory.
			const isGone = error instanceof UserError && isSystemError(error.cause, 'ENOENT')
			const isTaken = error instanceof UserError && error.code === 'ALREADY_RUNNING'
			if ((!isTaken && !isGone) || waited >= waitMs) throw error
		}
		// Two that meet give way to each other: not at the same pace.
		const pause = POLL_MS * (0.5 + Math.random())
		await delay(pause, undefined, { signal })
		waited += pause
	}
}

function removeIfEmpty(directory: string): void {
	try {
		rmdirSync(directory)
	} catch (error) {
		if (!isSystemError(error)) throw error
	}
}

function lostDirectory(directory: string): UserError {
	return new UserError('ALREADY_RUNNING', `${directory} is no longer this process’s: its lock is gone`, {
		hint: 'It did not run for so long that another process took the directory over, or the directory was removed. What was acknowledged is there. Use the other server, or stop it and start this one again.',
	})
}

function heldHere(directory: string, { hint, pid }: LockOptions & Holder): UserError {
	return new UserError('ALREADY_RUNNING', `process ${pid} already serves ${directory}`, {
		hint:
			hint ??
			'Use that registry, stop it with "lading registry down", or choose another directory with --data.',
	})
}

function heldElsewhere(
	directory: string,
	{
		hint = 'Use that registry, stop it, or choose another directory with --data.',
		left,
	}: LockOptions & { left: number },
): UserError {
	return new UserError(
		'ALREADY_RUNNING',
		`a process of another container or machine already serves ${directory}`,
		{
			hint: `${hint} If it has crashed, its lock ends by itself: try again in ${Math.ceil(left / 1000)} seconds.`,
		},
	)
}

/** Without a look into the file: it is made in one step, and a full disk has room for it. */
function nameOfLock(namespace: string | undefined): string {
	const started = processFacts(process.pid)?.started ?? '0'
	const unique = namespace === undefined ? randomUUID() : `${namespace}-${randomUUID().slice(-19)}`
	return `lock.${process.pid}.${started}.${unique}`
}

/** What the number of a process is unique in: 16 hex digits, of the start of the machine and the PID namespace. */
function ownNamespace(): string | undefined {
	try {
		const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
		const facts = `${boot.trim()} ${readlinkSync('/proc/self/ns/pid')}`
		return createHash('sha256').update(facts).digest('hex').slice(0, 16)
	} catch {
		return undefined
	}
}

/** @returns whether the lock is still there */
function touch(path: string): boolean {
	try {
		const now = new Date()
		utimesSync(path, now, now)
		return true
	} catch (error) {
		return !isSystemError(error, 'ENOENT')
	}
}

/** Milliseconds until a lock counts for nothing, if nobody touches it; a clock that is ahead makes it more. */
function staleIn(path: string, now: number): number {
	const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs
	return touched === undefined ? 0 : touched + STALE_MS - now
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
