import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { STOP_MS } from '../registry/server/index.ts'
import { startInBackground } from './background.ts'
import { stopRegistry } from './local-registry.ts'
import { silentProgress } from './progress.ts'
import type { Session } from './session.ts'
import { openWorkspace } from './workspace.ts'

let root = ''
let session: Session
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'lading-'))
	session = { workspace: openWorkspace(root), env: {}, progress: silentProgress }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A registry that is told to end, and does so when `over` is there: until then, an upload goes on. */
const SERVER = `import { existsSync, writeFileSync } from 'node:fs'
const [directory, instance] = [process.argv[2], process.argv.at(-1)]
writeFileSync(directory + '/server.json', JSON.stringify({ pid: process.pid, instance, port: 4711, startedAt: 'now' }))
process.on('SIGTERM', () => writeFileSync(directory + '/asked', ''))
setInterval(() => {
	if (!existsSync(directory + '/over')) return
	writeFileSync(directory + '/ended', '')
	process.exit()
}, 5)
process.send({ type: 'ready', port: 4711 }, () => process.disconnect())
`

it('waits for a registry that uses all of its time to end, and kills only one that takes more', async () => {
	const dataDirectory = session.workspace.paths.registry
	mkdirSync(dataDirectory, { recursive: true })
	const at = (name: string): string => join(dataDirectory, name)
	const program = join(root, 'server.mjs')
	writeFileSync(program, SERVER)
	/** @returns whether it ended by itself, with an upload that is over after so many milliseconds */
	const endsWithin = async (uploadMs: number): Promise<boolean> => {
		for (const name of ['over', 'asked', 'ended']) rmSync(at(name), { force: true })
		await startInBackground({
			launcher: { command: process.execPath, args: [program] },
			args: [dataDirectory],
			dataDirectory,
		})
		let waited = 0
		const pause = async (milliseconds: number): Promise<void> => {
			const isOver = (waited += milliseconds) >= uploadMs
			if (isOver) writeFileSync(at('over'), '')
			// Only what it takes to end a process takes time.
			if (isOver || !existsSync(at('asked'))) await delay(milliseconds)
		}
		expect(await stopRegistry(session, { keepData: true, pause })).toBe(true)
		return existsSync(at('ended'))
	}
	expect(await endsWithin(STOP_MS)).toBe(true)
	expect(await endsWithin(2 * STOP_MS)).toBe(false)
})
