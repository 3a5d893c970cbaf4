import type { TestProject } from 'vitest/node'
import { fillCache, findOnPath } from './build.ts'
import { copyBuilt } from './built.ts'
import { openJudges } from './judges.ts'
import { startStack } from './start.ts'
import { startSupervisor } from './supervisor.ts'
import { type Cache, GO_TOOLCHAIN, openCache } from './tools.ts'

/** Starts the stack once for all files of the run. @returns what stops it */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
	const started = Date.now()
	const say = (line: string): void => {
		process.stderr.write(`[${Math.round((Date.now() - started) / 1000)} s] ${line}\n`)
	}
	const [cache, judges] = [openCache(), openJudges()]
	const missing = whatIsMissing([cache, judges])
	if (missing !== undefined) {
		say(`the real stack is not started: it needs ${missing}`)
		project.provide('real', { missing })
		return undefined
	}
	const supervisor = await startSupervisor()
	try {
		for (const each of [cache, judges]) await fillCache(each, { supervisor, say })
		process.env.LADING_TEST_MAIN ??= copyBuilt(supervisor.directory)
		const parent = { run: supervisor.directory }
		const stack = await startStack({ bin: cache.directory, judges: judges.directory, parent })
		project.provide('real', { stack })
		say(`the stack runs in ${supervisor.directory}`)
	} catch (error) {
		await supervisor.end()
		throw error
	}
	return () => supervisor.end()
}

function whatIsMissing(caches: readonly Cache[]): string | undefined {
	const isComplete = ({ tools, files }: ReturnType<Cache['missing']>): boolean =>
		tools.length + files.length === 0
	if (!caches.every((each) => isComplete(each.missing())) && findOnPath('go') === undefined)
		return `Go 1.21 or newer on PATH, which fetches ${GO_TOOLCHAIN} and builds the stack once (about 20 GB with the caches of Go)`
	if (findOnPath('redis-server') === undefined) return 'redis-server on PATH (Debian package redis-server)'
	return undefined
}
