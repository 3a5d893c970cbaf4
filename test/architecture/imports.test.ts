import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The folders of src/ in the order of the data flow. A file imports from folders
 * above its own (through their door, `index.ts`) and from its own folder.
 */
const FLOW: readonly string[] = [
	'errors',
	'cache',
	'oci',
	'http/client',
	'http/server',
	'content',
	'manifests',
	'artifact',
	'registry/client',
	'registry/server',
	'signing',
	'cluster',
	'schema',
	'argocd',
	'argocd-api',
	'validation',
	'kind',
	'sandbox/api',
	'sandbox/controller',
	'sync',
	'observe',
	'gate',
	'relay',
	'flows',
	'library',
	'config',
	'output',
	'cli',
]

/** Stages never call each other: only these join them. */
const JOINS: ReadonlySet<string> = new Set(['flows', 'gate', 'relay', 'library', 'cli', 'sandbox/controller'])

/** Vocabulary and transport that every stage may use. */
const VOCABULARY: ReadonlySet<string> = new Set([
	'errors',
	'cache',
	'oci',
	'http/client',
	'http/server',
	'content',
	'cluster',
	'schema',
	'argocd',
	'argocd-api',
])

/** Further edges between stages, each with its reason. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
	// the value a stage takes is the previous stage's, and its type lives there
	artifact: ['manifests'],
	argocd: ['manifests', 'artifact'],
	'sandbox/api': ['manifests'],
	validation: ['manifests'],
	observe: ['manifests', 'artifact', 'registry/client', 'kind', 'sync'],
	output: ['config', 'flows', 'manifests', 'validation'],
	config: [],
}

const SRC = resolve(import.meta.dirname, '../../src')

interface Edge {
	readonly file: string
	readonly target: string
}

function sourceFiles(): string[] {
	return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
		.filter((path) => path.endsWith('.ts'))
		.map((path) => join(SRC, path))
}

function edges(): Edge[] {
	const found: Edge[] = []
	for (const file of sourceFiles()) {
		const text = readFileSync(file, 'utf8')
		for (const match of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
			found.push({ file, target: resolve(dirname(file), match[1] ?? '') })
		}
	}
	return found
}

function folderOf(path: string): string | undefined {
	const local = relative(SRC, path)
	return [...FLOW].sort((a, b) => b.length - a.length).find((folder) => local.startsWith(`${folder}/`))
}

describe('imports', () => {
	it('finds the sources', () => {
		expect(sourceFiles().length).toBeGreaterThan(10)
		expect(edges().length).toBeGreaterThan(10)
	})

	it('every source stands in a folder of the data flow, or is the door', () => {
		const strays = sourceFiles().filter(
			(file) => folderOf(file) === undefined && relative(SRC, file) !== 'index.ts',
		)
		expect(strays.map((file) => relative(SRC, file))).toEqual([])
	})

	it('point up the data flow, through the door of a folder', () => {
		const wrong: string[] = []
		for (const { file, target } of edges()) {
			const from = folderOf(file)
			const to = folderOf(target)
			const edge = `${relative(SRC, file)} -> ${relative(SRC, target)}`
			if (to === undefined) {
				wrong.push(`${edge} (outside the data flow)`)
				continue
			}
			if (from === to) continue
			if (relative(SRC, target) !== join(to, 'index.ts')) wrong.push(`${edge} (not through the door)`)
			if (from === undefined) continue
			if (FLOW.indexOf(to) > FLOW.indexOf(from)) wrong.push(`${edge} (down the data flow)`)
			const allowed = JOINS.has(from) || VOCABULARY.has(to) || (ALLOWED[from] ?? []).includes(to)
			if (!allowed && !file.endsWith('.test.ts')) wrong.push(`${edge} (a stage calls another)`)
		}
		expect(wrong).toEqual([])
	})

	it('have no cycles', () => {
		const graph = new Map<string, Set<string>>()
		for (const { file, target } of edges()) graph.set(file, (graph.get(file) ?? new Set()).add(target))
		const done = new Set<string>()
		const cycles: string[] = []
		const visit = (file: string, path: readonly string[]): void => {
			if (path.includes(file)) {
				cycles.push([...path.slice(path.indexOf(file)), file].map((each) => relative(SRC, each)).join(' -> '))
				return
			}
			if (done.has(file)) return
			for (const next of graph.get(file) ?? []) visit(next, [...path, file])
			done.add(file)
		}
		for (const file of graph.keys()) visit(file, [])
		expect(cycles).toEqual([])
	})
})
