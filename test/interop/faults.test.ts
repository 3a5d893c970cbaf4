import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, asyncProperty, constantFrom, nat } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokenBySeed, type FaultProxy, PASSING, startFaultProxy } from '../faults/fault-proxy.ts'
import {
	expectTagWholeOrAbsent,
	expectWhole,
	packDirectory,
	type PackedDirectory,
	pullFrom,
	pushTo,
	visit,
} from '../faults/road.ts'
import { type Registry, startDistribution, startDockerRegistry } from './registries.ts'

const BYTES = 3 * 1024 * 1024

describe.each([
	['docker-registry', startDockerRegistry],
	['distribution', startDistribution],
])('%s behind a proxy that breaks requests', (_, start) => {
	let directory: string
	let registry: Registry
	let proxy: FaultProxy
	let packed: PackedDirectory
	let number = 0
	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'lading-'))
		packed = await packDirectory(join(directory, 'packed'), BYTES)
		registry = await start(directory)
		proxy = await startFaultProxy({ target: registry.host, tokens: true })
	}, 600_000)
	afterAll(async () => {
		proxy?.close()
		await registry?.stop()
		rmSync(directory, { recursive: true, force: true })
	})

	it.each([undefined, 1_000_000, 'ahead' as const])(
		'takes what is pushed, and gives it back (pieces of %s bytes)',
		async (pieces) => {
			const [isAhead, chunkSize] = pieces === 'ahead' ? [true] : [false, pieces]
			await assert(
				asyncProperty(nat(), constantFrom(1, 2), async (seed, most) => {
					const name = `team/app-${++number}-${pieces}`
					proxy.decide = brokenBySeed(seed, { faults: PASSING, share: 0.5, most })
					const pushing = visit(proxy.host, name, {
						patience: 1000,
						...(chunkSize !== undefined && { chunkSize }),
					})
					const direct = visit(registry.host, name)
					const pulled = join(directory, 'pulled')
					try {
						await pushTo(pushing, packed, ['v1'], { isAhead })
						expect(await expectTagWholeOrAbsent(direct, 'v1')).toBe(true)
						await pullFrom(pushing, 'v1', pulled)
						expectWhole(pulled, packed)
					} finally {
						rmSync(pulled, { recursive: true, force: true })
						for (const { http } of [pushing, direct]) http.close()
					}
				}),
				{ numRuns: 12 },
			)
		},
	)

	it('goes on with a broken upload, or starts it anew, as the registry allows', async () => {
		let broken = 0
		proxy.decide = (kind) =>
			/^(?:PUT|PATCH) blobs/.test(kind) && broken++ < 2 ? { kind: 'reset-midway' } : undefined
		const name = `team/broken-${++number}`
		const [pushing, direct] = [visit(proxy.host, name), visit(registry.host, name)]
		try {
			await pushTo(pushing, packed)
			expect(await expectTagWholeOrAbsent(direct, 'v1')).toBe(true)
		} finally {
			for (const { http } of [pushing, direct]) http.close()
		}
	})
})
