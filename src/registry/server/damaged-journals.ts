import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { nameTwice } from './name-twice.ts'

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

/** Gives a journal a second name, `journal.damaged-TIME`. `at` is in milliseconds since 1970. @returns its path */
export function keepDamagedJournal(directory: string, at: number): string {
	const kept = join(directory, `${PREFIX}${new Date(at).toISOString().replaceAll(':', '-')}`)
	nameTwice(join(directory, 'journal'), kept)
	return kept
}
