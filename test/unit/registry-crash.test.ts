import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { crashRounds } from '../soak/crash.ts'
import { chosenSeed, randomFrom } from '../soak/random.ts'
import { buildServer } from '../soak/server.ts'

const root = mkdtempSync(join(tmpdir(), 'lading-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

// `npm run test:soak` does this 200 times.
const seed = chosenSeed()
it(`a registry keeps what it acknowledged through kill -9, at any moment (LADING_SEED=${seed})`, async () => {
	const program = await buildServer(root)
	const random = randomFrom(seed)
	const { acknowledged } = await crashRounds({ program, data: join(root, 'data'), rounds: 8, random })
	expect(acknowledged).toBeGreaterThan(0)
}, 120_000)
