import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { array, assert, asyncProperty, constantFrom, record, string } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkArtifact, judgeArtifact, judgeFile, withoutObjects } from '../../src/argocd/index.ts'
import { treeOf } from '../../src/artifact/index.ts'
import { judgeAhead } from '../../src/flows/judge-ahead.ts'
import { parseManifests, readManifestSet } from '../../src/manifests/index.ts'

const WORKER = resolve(import.meta.dirname, '../../dist/cli/judge-worker.js')

let root = ''
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'lading-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): void {
	mkdirSync(dirname(join(root, path)), { recursive: true })
	writeFileSync(join(root, path), text)
}

/** So many files that a second thread is worth it. */
function fill(): void {
	for (let index = 0; index < 60; index++) {
		const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: filling-${index}\ndata:\n  text: ${'x'.repeat(20_000)}\n`
		write(`filling/${index}.yaml`, text)
	}
}

const MANIFESTS: readonly string[] = [
	'apiVersion: v1\nkind: Secret\nmetadata:\n  name: plain\ndata:\n  a: Yg==\n',
	'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: 5\n  labels:\n    on: yes\n',
	'kind: ConfigMap\nmetadata:\n  generateName: some-\n---\napiVersion: v1\nkind: List\nitems:\n- kind: Pod\n',
	'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: same\n',
	'apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  name: merged\n  annotations: {<<: *m}\n',
	'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\ndata: [\n',
	'a: 1\na: 2\n',
	'# nothing\n',
	'replicas: 1\n',
	'# +argocd:skip-file-rendering\nkind: X\n',
	'{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "json"}}',
	'{"kind": "Pod"} {"kind": "Pod"}',
	'\ufeffkind: Bom\nmetadata: {name: bom}\n',
]

describe('judging ahead on two threads', () => {
	it('has the second thread in the build', () => expect(existsSync(WORKER)).toBe(true))

	it('gives the verdict of one thread, whatever the files hold', async () => {
		fill()
		const file = { extension: constantFrom('yaml', 'yml', 'json', 'txt'), text: constantFrom(...MANIFESTS) }
		const anything = record({ extension: file.extension, text: string({ unit: 'binary', maxLength: 80 }) })
		await assert(
			asyncProperty(
				array(record(file), { maxLength: 12 }),
				array(anything, { maxLength: 4 }),
				async (some, wild) => {
					rmSync(join(root, 'some'), { recursive: true, force: true })
					for (const [index, { extension, text }] of [...some, ...wild].entries()) {
						write(`some/${index}.${extension}`, text)
					}
					const set = await readManifestSet(root)
					const judge = await judgeAhead(treeOf(set), { recurse: true, worker: WORKER })
					const contents = new Map<string, Uint8Array>()
					const tree = treeOf(set, contents)
					const ahead = await judgeAhead(tree, { recurse: true, worker: WORKER })
					const { resources, ...verdict } = checkArtifact(
						{ tree: treeOf(set) },
						{ recurse: true, parse: parseManifests },
					)
					const expected = { ...verdict, resources: resources.map(({ object: _, ...identity }) => identity) }
					expect(judgeArtifact({ tree }, { recurse: true, judge: ahead })).toEqual(expected)
					// Of another array it knows nothing, equal or not.
					expect(judgeArtifact({ tree: treeOf(set) }, { recurse: true, judge })).toEqual(expected)
					expect(contents.size).toBeGreaterThanOrEqual(60)
				},
			),
			{ numRuns: 8 },
		)
	})

	it('names a file by the path it is asked for, also behind a link', async () => {
		fill()
		write('broken.yaml', MANIFESTS[5] ?? '')
		symlinkSync('broken.yaml', join(root, 'link.yaml'))
		const tree = treeOf(await readManifestSet(root))
		const judge = await judgeAhead(tree, { recurse: true, worker: WORKER })
		const { findings } = judgeArtifact({ tree }, { recurse: true, judge })
		expect(findings.map(({ file }) => file)).toEqual(expect.arrayContaining(['broken.yaml', 'link.yaml']))
	})

	it.each([
		['ends at once', 'process.exit(1)'],
		['throws', 'throw new Error("broken")'],
		[
			'takes files and never answers',
			'Atomics.add(new Int32Array(workerData.marks), 0, 40); process.exit(0)',
		],
		['answers nothing', 'parentPort.postMessage({ judged: [], last: true })'],
	])('judges all of it when the second thread %s', async (_, code) => {
		fill()
		const worker = join(root, '..', `worker-${process.pid}.mjs`)
		writeFileSync(worker, `import { parentPort, workerData } from 'node:worker_threads'\n${code}\n`)
		try {
			const tree = treeOf(await readManifestSet(root))
			const judge = await judgeAhead(tree, { recurse: true, worker })
			expect(judgeArtifact({ tree }, { recurse: true, judge }).resources).toHaveLength(60)
		} finally {
			rmSync(worker)
		}
	})

	it('takes over what the second thread says of these very bytes, and of no others', async () => {
		fill()
		const worker = join(root, '..', `worker-says-${process.pid}.mjs`)
		const skipped = `{ outcome: { kind: 'skipped', reason: 'empty', detail: 'said the thread' }, breaches: [] }`
		// It takes all of the files, reads none of them and speaks of the first.
		writeFileSync(
			worker,
			`import { parentPort } from 'node:worker_threads'\nparentPort.postMessage({ judged: [[0, ${skipped}]], last: true })\n`,
		)
		try {
			const contents = new Map<string, Uint8Array>()
			const tree = treeOf(await readManifestSet(root), contents)
			const judge = await judgeAhead(tree, { recurse: true, worker })
			const path = 'filling/0.yaml'
			const bytes = contents.get(path) ?? Buffer.of()
			expect(judge({ path, bytes }).outcome).toMatchObject({ detail: 'said the thread' })
			const copy = Buffer.from(bytes)
			const alone = withoutObjects(judgeFile({ path, bytes: copy }, { parse: parseManifests }))
			expect(judge({ path, bytes: copy })).toEqual(alone)
			expect(judge({ path: 'other.yaml', bytes }).outcome.kind).toBe('resources')
		} finally {
			rmSync(worker)
		}
	})

	it('leaves a file that is not as long as it was, or a link in its place, to who reads next', async () => {
		fill()
		write('grown.yaml', MANIFESTS[3] ?? '')
		write('swapped.yaml', MANIFESTS[3] ?? '')
		const contents = new Map<string, Uint8Array>()
		const tree = treeOf(await readManifestSet(root), contents)
		write('grown.yaml', `${MANIFESTS[3]}# more\n`)
		rmSync(join(root, 'swapped.yaml'))
		symlinkSync('grown.yaml', join(root, 'swapped.yaml'))
		await judgeAhead(tree, { recurse: true, worker: WORKER })
		expect(contents.has('grown.yaml')).toBe(false)
		expect(contents.has('swapped.yaml')).toBe(false)
		expect(contents.has('filling/0.yaml')).toBe(true)
	})
})
