import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exchangeWith } from './exchange.ts'
import { must } from './image.ts'
import { buildServer, type RegistryProcess, startServer } from './server.ts'

/** What a container has: numbers of processes that mean others elsewhere. */
const CONTAINER: readonly string[] = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const canUnshare = spawnSync(CONTAINER[0] ?? '', [...CONTAINER.slice(1), 'true']).status === 0

const root = mkdtempSync(join(tmpdir(), 'lading-'))
const data = join(root, 'data')
const servers: RegistryProcess[] = []
afterAll(async () => {
	await Promise.all(servers.map((server) => server.kill()))
	rmSync(root, { recursive: true, force: true })
})

// Needs root, or a system that gives everybody namespaces of processes.
it.skipIf(!canUnshare)(
	'two containers do not serve one directory, and a crash in one ends its lock',
	async () => {
		const program = await buildServer(root)
		const start = async (inside: readonly string[]): Promise<RegistryProcess> => {
			const server = await startServer({ program, data, inside })
			servers.push(server)
			return server
		}
		const first = await start(CONTAINER)
		for (const inside of [[], CONTAINER]) await expect(start(inside)).rejects.toThrow(/another container/)
		must(await exchangeWith(first.url)('GET /v2/'), 200, 'the first one')
		await first.kill()

		await expect(start([])).rejects.toThrow(/try again in \d+ seconds/)
		const long = Date.now() / 1000 - 60
		for (const name of readdirSync(data))
			if (name.startsWith('lock.')) utimesSync(join(data, name), long, long)
		const second = await start([])
		await expect(start(CONTAINER)).rejects.toThrow(/another container/)
		await second.kill()
		const third = await start([])
		must(await exchangeWith(third.url)('GET /v2/'), 200, 'the next one in the same namespace')
	},
)
