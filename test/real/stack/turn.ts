import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError } from '../../../src/errors/index.ts'

/** In milliseconds. */
const LOOK_MS = 50

/** Waits until no other file of the run has the stack. @returns what gives it to the next */
export async function takeTurn(directory: string): Promise<() => void> {
	const turn = join(directory, 'turn')
	while (!isTaken(turn)) await sleep(LOOK_MS)
	return () => rmdirSync(turn)
}

function isTaken(turn: string): boolean {
	try {
		mkdirSync(turn)
		return true
	} catch (error) {
		if (isSystemError(error, 'EEXIST')) return false
		throw error
	}
}
