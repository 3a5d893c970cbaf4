import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError } from '../../../src/errors/index.ts'

/** In milliseconds. */
const LOOK_MS = 50

export interface TurnOptions {
	/** No other file has the stack meanwhile. */
	readonly alone: boolean
}

/**
 * Waits for the stack: until no other file of the run has it, or until none has it alone.
 * Who comes after one that waits to be alone waits for that one.
 * @returns what gives it back
 */
export async function takeTurn(directory: string, { alone }: TurnOptions): Promise<() => void> {
	const gate = join(directory, 'gate')
	const inside = join(directory, 'inside')
	mkdirSync(inside, { recursive: true })
	while (!isMade(gate)) await sleep(LOOK_MS)
	if (alone) {
		while (readdirSync(inside).length > 0) await sleep(LOOK_MS)
		return () => rmdirSync(gate)
	}
	const mine = join(inside, String(process.pid))
	mkdirSync(mine)
	rmdirSync(gate)
	return () => rmdirSync(mine)
}

function isMade(directory: string): boolean {
	try {
		mkdirSync(directory)
		return true
	} catch (error) {
		if (isSystemError(error, 'EEXIST')) return false
		throw error
	}
}
