import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { program } from './program.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-kind-machine-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('a machine that cannot run the tests on kind', () => {
	it('is told at which step they stopped, and they count as skipped', async () => {
		const script = resolve(import.meta.dirname, '../kind/run.mjs')
		// No program at all, whoever runs this.
		const env = { PATH: directory, LADING_TEST_CACHE: directory }
		const { code, stdout } = await program(process.execPath, [script], { cwd: directory, env })
		expect(stdout).toMatch(/^ {2}npm run test:kind stopped at building the images: \S/m)
		expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 0 failed, 1 skipped')
		expect(code).toBe(0)
		expect(readdirSync(directory)).toEqual([])
	})
})
