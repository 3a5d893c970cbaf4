import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startArgoCd } from './argocd.ts'
import { fillCache, findOnPath } from './build.ts'
import { startKubernetes, untilNodeReady } from './kubernetes.ts'
import { startRegistry } from './registries.ts'
import type { StackData } from './stack.ts'
import { type Supervisor, startSupervisor } from './supervisor.ts'
import { openJudges } from './judges.ts'
import { type Cache, GO_TOOLCHAIN, openCache } from './tools.ts'

/** Argo CD's own default is 120 s; a test of polling restarts the controller with another. */
const RESYNC = '120s'

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
		const running = await start(supervisor, cache.directory)
		project.provide('real', { stack: { ...running, judges: judges.directory } })
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

async function start(supervisor: Supervisor, bin: string): Promise<Omit<StackData, 'judges'>> {
	const host = { supervisor, bin }
	const { directory } = supervisor
	const pki = mkdtempSync(join(directory, 'registry-pki-'))
	const startRegistries = async (): Promise<StackData['registries']> => ({
		tls: await startRegistry(host, { name: 'registry-tls', pki }),
		auth: await startRegistry(host, {
			name: 'registry-auth',
			pki,
			username: 'ann',
			password: 'a secret: of ann',
		}),
		http: await startRegistry(host, { name: 'registry-http' }),
	})
	const startClusterAndArgoCd = async (): Promise<Pick<StackData, 'kubernetes' | 'argocd'>> => {
		const kubernetes = await startKubernetes(host)
		const argocd = await startArgoCd(host, kubernetes, { resync: process.env.LADING_TEST_RESYNC ?? RESYNC })
		await untilNodeReady(host, kubernetes)
		return { kubernetes, argocd }
	}
	const [registries, cluster] = await Promise.all([startRegistries(), startClusterAndArgoCd()])
	return { directory, bin, registries, ...cluster }
}
