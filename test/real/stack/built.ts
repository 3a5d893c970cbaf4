import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../../..')

/**
 * Copies the built program, so that another build in the same checkout takes nothing away from a run.
 * @returns its main file, for LADING_TEST_MAIN
 */
export function copyBuilt(directory: string): string {
	const copy = join(directory, 'built')
	for (const name of ['package.json', 'dist']) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
	return join(copy, 'dist/cli/main.cjs')
}
