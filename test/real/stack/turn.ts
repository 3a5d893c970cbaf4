import { randomUUID } from 'node:crypto'
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
 * Waits for the stack: until no other file of the run has it, or until none has it alone or waits to have it so.
 * @returns what gives it back
 */
export async function takeTurn(directory: string, { alone }: TurnOptions): Promise<() => void> {
	const gate = join(directory, 'gate')
	const [waiting, inside] = [join(directory, 'waiting'), join(directory, 'inside')]
	const id = `${process.pid}-${randomUUID()}`
	for (const each of [waiting, inside]) mkdirSync(each, { recursive: true })
	if (alone) {
		// Together, as while one is alone the others wait and the processors have nothing to do.
		mkdirSync(join(waiting, id))
		while (!isMade(gate)) await sleep(LOOK_MS)
		while (readdirSync(inside).length > 0) await sleep(LOOK_MS)
		rmdirSync(join(waiting, id))
		return () => rmdirSync(gate)
	}
	while (readdirSync(waiting).length > 0 || !isMade(gate)) await sleep(LOOK_MS)
	mkdirSync(join(inside, id))
	rmdirSync(gate)
	return () => rmdirSync(join(inside, id))
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
