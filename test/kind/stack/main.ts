import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { fillCache } from '../../real/stack/build.ts'
import { copyBuilt } from '../../real/stack/built.ts'
import { startSupervisor } from '../../real/stack/supervisor.ts'
import { type Cache, cacheRoot, openCache } from '../../real/stack/tools.ts'
import { archivesOf, makeArchives } from './images.ts'
import { type Machine, MACHINE_VARIABLE, NODE_IMAGE, REGISTRY_IMAGE } from './machine.ts'
import { Namespace, removeLeftovers } from './namespace.ts'
import { ARGOCD, argocdManifest, openPrograms } from './programs.ts'
import { hasAllCapabilities, whatIsLacking } from './requirements.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
/** Of inside.sh: the engine did not start. */
const NO_ENGINE = 125
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * `npm run test:kind [-- FILTER…]`: makes what the cache lacks, then runs the tests on kind in namespaces of
 * their own.
 * @returns the exit code
 */
export async function main(filters: readonly string[]): Promise<number> {
	const started = Date.now()
	const say = (line: string): void => {
		process.stderr.write(`[${Math.round((Date.now() - started) / 1000)} s] ${line}\n`)
	}
	const cache = join(cacheRoot(), 'kind')
	const [real, own] = [openCache(), openPrograms()]
	const sources = { real: real.directory, own: own.directory, cache, say }
	const isBuilt = Object.values(archivesOf(sources)).every((path) => existsSync(path))
	const lacking = whatIsLacking({ cache, isBuilt })
	if (lacking) return skipped(`${lacking.step}: ${lacking.why}`)
	await removeLeftovers(cache)
	const interruption = new AbortController()
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
		process.on(signal, () => {
			if (!interruption.signal.aborted) say('interrupted: removing what this run has made')
			interruption.abort(INTERRUPTED[signal])
		})
	const { signal } = interruption
	const namespace = new Namespace(cache)
	try {
		await fillCaches([real, own], { say, signal })
		const archives = await makeArchives({ ...sources, work: join(namespace.directory, 'work'), signal })
		signal.throwIfAborted()
		const built = process.env.LADING_TEST_MAIN ?? copyBuilt(namespace.directory)
		say('starting a Docker engine and the tests')
		const code = await namespace.run({
			command: [
				process.execPath,
				join(ROOT, 'node_modules/vitest/vitest.mjs'),
				'run',
				'--project',
				'kind',
				...filters,
			],
			cwd: ROOT,
			env: { ...environment({ real, own }), LADING_TEST_MAIN: built },
			images: Object.values(archives),
			runtime: hasAllCapabilities() ? 'runc' : join(own.directory, 'runtime'),
			signal,
		})
		if (code === NO_ENGINE) return skipped(`starting dockerd: ${namespace.lastWords()}`)
		return code ?? (signal.aborted ? Number(signal.reason) : 1)
	} catch (error) {
		if (signal.aborted) return Number(signal.reason)
		throw error
	} finally {
		await namespace.remove()
	}
}

async function fillCaches(
	caches: readonly Cache[],
	{ say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
	const supervisor = await startSupervisor()
	const end = (): void => void supervisor.end()
	signal.addEventListener('abort', end)
	try {
		for (const cache of caches) await fillCache(cache, { supervisor, say })
	} finally {
		signal.removeEventListener('abort', end)
		await supervisor.end()
	}
}

function environment({ real, own }: Record<'real' | 'own', Cache>): Record<string, string | undefined> {
	const machine: Machine = {
		nodeImage: NODE_IMAGE,
		registryImage: REGISTRY_IMAGE,
		argocdManifest: argocdManifest(own),
		argocdVersion: ARGOCD.slice(1),
	}
	return {
		...process.env,
		PATH: [own.directory, real.directory, process.env.PATH].join(delimiter),
		// Neither another engine nor the user's clusters.
		DOCKER_HOST: undefined,
		DOCKER_CONTEXT: undefined,
		KUBECONFIG: undefined,
		[MACHINE_VARIABLE]: JSON.stringify(machine),
	}
}

/** What was not run is said as the other suites say it, and is neither a pass nor a failure. */
function skipped(why: string): number {
	process.stdout.write(
		`\nNot run here:\n  npm run test:kind stopped at ${why}\n\n0 passed, 0 failed, 1 skipped\n`,
	)
	return 0
}
