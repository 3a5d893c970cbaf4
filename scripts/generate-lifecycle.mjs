// Writes src/schema/kubernetes-lifecycle.ts from the Go modules of Kubernetes' APIs: in which
// release each version of a kind came, was deprecated, went, and what replaces it.
//
//   node scripts/generate-lifecycle.mjs [--print]
//
// `go` must be on PATH. The output is a pure function of the modules; --print writes it to stdout
// instead.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const OUTPUT = join(import.meta.dirname, '../src/schema/kubernetes-lifecycle.ts')

/** From the oldest that tells of it to the newest: a kind that went long ago is in an old one only. */
const API_VERSIONS = [
	'v0.20.15',
	'v0.22.17',
	'v0.24.17',
	'v0.26.15',
	'v0.28.15',
	'v0.30.14',
	'v0.33.1',
	'v0.35.4',
	'v0.37.2',
]

/** Where each module keeps its groups. */
const MODULES = [
	...API_VERSIONS.map((version) => [`k8s.io/api@${version}`, '']),
	['k8s.io/apiextensions-apiserver@v0.37.2', 'pkg/apis'],
	['k8s.io/kube-aggregator@v0.37.2', 'pkg/apis'],
]

/** What came before this release is everywhere. */
const FIRST_MINOR = 20

/** @param {string} module @returns {string} */
function sourceDirectory(module) {
	const answer = execFileSync('go', ['mod', 'download', '-json', module], {
		encoding: 'utf8',
		maxBuffer: 1 << 20,
	})
	return JSON.parse(answer).Dir
}

/** @param {string} directory @returns {string} */
function groupName(directory) {
	const text = readFileSync(join(directory, 'register.go'), 'utf8')
	return /GroupName\s*=\s*"([^"]*)"/.exec(text)?.[1] ?? ''
}

/** @typedef {Record<string, Record<string, (number | string)[]>>} Table */

/** @param {string} directory @param {Table} table */
function readLifecycle(directory, table) {
	const path = join(directory, 'zz_generated.prerelease-lifecycle.go')
	if (!existsSync(path)) return
	const text = readFileSync(path, 'utf8')
	const group = groupName(directory)
	const version = directory.split('/').at(-1) ?? ''
	const apiVersion = group === '' ? version : `${group}/${version}`
	/** @type {Map<string, Record<string, number | string>>} */
	const kinds = new Map()
	for (const [, kind, what, body] of text.matchAll(
		/^func \(in \*(\w+)\) APILifecycle(\w+)\(\).*\{\n([\s\S]*?)\n\}$/gm,
	)) {
		const release = /return 1, (\d+)/.exec(body)?.[1]
		const to = /Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"/.exec(body)
		const value = to ? `${to[1] === '' ? '' : `${to[1]}/`}${to[2]} ${to[3]}` : Number(release)
		kinds.set(kind, { ...kinds.get(kind), [what]: value })
	}
	for (const [kind, { Introduced = 0, Deprecated = 0, Removed = 0, Replacement = '' }] of kinds) {
		if (kind.endsWith('List') && kinds.has(kind.slice(0, -4))) continue
		if (!Deprecated && !Removed && Introduced < FIRST_MINOR) continue
		const row = [Introduced, Deprecated, Removed, Replacement]
		while (!row.at(-1)) row.pop()
		table[apiVersion] = { ...table[apiVersion], [kind]: row }
	}
}

/** @type {Table} */
const table = {}
for (const [module, folder] of MODULES) {
	const root = join(sourceDirectory(module), folder)
	for (const group of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
		for (const version of readdirSync(join(root, group.name), { withFileTypes: true })) {
			if (version.isDirectory() && /^v\d/.test(version.name))
				readLifecycle(join(root, group.name, version.name), table)
		}
	}
}
const sorted = Object.fromEntries(
	Object.entries(table)
		.sort(([left], [right]) => (left < right ? -1 : 1))
		.map(([apiVersion, kinds]) => [
			apiVersion,
			Object.fromEntries(Object.entries(kinds).sort(([left], [right]) => (left < right ? -1 : 1))),
		]),
)
const source = `/**
 * In which release of Kubernetes, 1.N, each version of a kind was introduced, deprecated and removed
 * (0: not), and what replaces it: generated from the Go modules of its APIs by
 * scripts/generate-lifecycle.mjs, read by lifecycle.ts.
 */
export const KUBERNETES_LIFECYCLE: string =
	'${JSON.stringify(sorted)}'
`
if (process.argv.includes('--print')) process.stdout.write(source)
else {
	writeFileSync(OUTPUT, source)
	console.log(`${OUTPUT}: ${source.length} bytes`)
}
