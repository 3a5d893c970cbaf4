import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { powerLosses } from './power-loss.ts'
import { chosenSeed, randomFrom } from './random.ts'
import type { Ignores } from './volatile-disk.ts'

vi.mock('node:fs', async () => (await import('./volatile-disk.ts')).volatileFs)

const LOSSES = Number(process.env.LADING_POWER_LOSSES ?? 700)
/** A missing flush is found after a hundred on average, and after several hundred with some seeds. */
const ENOUGH = 5000

const root = mkdtempSync(join(tmpdir(), 'lading-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const seed = chosenSeed()
it(`a storage has what it acknowledged after ${LOSSES} losses of power (LADING_SEED=${seed})`, async () => {
	const { wrong, kills, packs } = await powerLosses({ root, budget: LOSSES, random: randomFrom(seed) })
	expect(wrong).toEqual([])
	expect(kills).toBeGreaterThan(0)
	expect(packs).toBeGreaterThan(0)
})

it.each<[string, Ignores]>([
	['the names of packs', (path) => path === 'packs'],
	['the names of large content', (path) => path === 'blobs/sha256'],
	['the journal that it starts on', (path, isSync) => path === 'journal' && isSync],
	['the journal that it writes anew', (path) => path === 'journal.tmp'],
])(`one that does not flush %s is found out (LADING_SEED=${seed})`, async (_, ignores) => {
	const { wrong } = await powerLosses({ root, budget: ENOUGH, random: randomFrom(seed), ignores })
	expect(wrong).not.toEqual([])
})
