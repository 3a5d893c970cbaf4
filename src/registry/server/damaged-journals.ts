import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { copyFlushed } from './name-twice.ts'

const PREFIX = 'journal.damaged-'

/**
 * Journals with damaged lines, kept beside the one that was written without them: for as long as one
 * is there, what its lines named may be needed by somebody.
 * @returns their paths
 */
export function damagedJournals(directory: string): readonly string[] {
	return readdirSync(directory)
		.filter((name) => name.startsWith(PREFIX))
		.map((name) => join(directory, name))
}

/** Copies a journal to `journal.damaged-TIME`, which people may edit. `at` is in milliseconds since 1970. @returns its path */
export function keepDamagedJournal(directory: string, at: number): string {
	const kept = join(directory, `${PREFIX}${new Date(at).toISOString().replaceAll(':', '-')}`)
	copyFlushed(join(directory, 'journal'), kept)
	return kept
}
