import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cache, cacheOf, MODULE, STRIPPED, type Tool } from './tools.ts'

/**
 * Older versions of Argo CD of which there is a judge, each with the oras-go that it has:
 * the last of each minor version that can be had, and those nearest to both sides of a
 * change that lading's table knows.
 */
const ORAS: Readonly<Record<string, string>> = {
	'3.1.0': 'v2.6.0',
	'3.1.8': 'v2.6.0',
	'3.1.16': 'v2.6.0',
	'3.2.6': 'v2.6.0',
	'3.2.12': 'v2.6.0',
	'3.3.0': 'v2.6.0',
	'3.3.1': 'v2.6.0',
	'3.3.14': 'v2.6.0',
	'3.3.15': 'v2.6.2',
	'3.3.16': 'v2.6.2',
	'3.3.19': 'v2.6.2',
	'3.4.9': 'v2.6.0',
	'3.4.10': 'v2.6.2',
	'3.4.11': 'v2.6.2',
	'3.4.13': 'v2.6.2',
	'3.5.3': 'v2.6.1',
	'3.5.4': 'v2.6.1',
	'3.5.5': 'v2.6.2',
	'3.5.7': 'v2.6.2',
}

export const OLDER_VERSIONS: readonly string[] = Object.keys(ORAS)

/** The judges: source of our own, a change of which builds them anew and nothing else. */
export function openJudges(env: NodeJS.ProcessEnv = process.env): Cache {
	const older = Object.entries(ORAS).map(([version, oras]): Tool => ({
		name: `judge-${version}`,
		package: '.',
		ldflags: STRIPPED,
		...(!/^3\.[12]\./.test(version) && { tags: 'handlers' }),
		module: join(MODULE, 'judge/older'),
		requires: {
			'github.com/argoproj/argo-cd/v3': `v${version}`,
			'oras.land/oras-go/v2': oras,
			...(/^3\.[12]\./.test(version) && { 'github.com/cyphar/filepath-securejoin': 'v0.4.1' }),
			...(version.startsWith('3.1.') && { 'github.com/Masterminds/semver/v3': 'v3.3.1' }),
		},
	}))
	const current: Tool = { name: 'judge', package: './judge', ldflags: STRIPPED }
	return cacheOf({ tools: [current, ...older], files: [], source: filesOf(join(MODULE, 'judge')) }, env)
}

const filesOf = (directory: string): readonly string[] =>
	readdirSync(directory, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.toSorted()
		.map((path) => readFileSync(path, 'utf8'))
