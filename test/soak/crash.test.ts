import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { crashRounds } from './crash.ts'
import { chosenSeed, randomFrom } from './random.ts'
import { buildServer } from './server.ts'

const ROUNDS = Number(process.env.LADING_CRASHES ?? 200)
/** Registries that are killed at the same time, one for each core of a small machine. */
const LANES = 2

const root = mkdtempSync(join(tmpdir(), 'lading-'))
let program: string
beforeAll(async () => {
	program = await buildServer(root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const seed = chosenSeed()
it(
	`keeps what it acknowledged through ${ROUNDS} kills (LADING_SEED=${seed})`,
	{ timeout: 1_800_000 },
	async () => {
		const lanes = await Promise.all(
			Array.from({ length: LANES }, (_, lane) =>
				crashRounds({
					program,
					data: join(root, `data-${lane}`),
					rounds: Math.ceil(ROUNDS / LANES),
					random: randomFrom(seed + lane),
				}),
			),
		)
		for (const { acknowledged, resumed, packs } of lanes) {
			expect(acknowledged).toBeGreaterThan(ROUNDS)
			expect(resumed).toBeGreaterThan(0)
			expect(packs).toBeGreaterThan(0)
		}
	},
)
