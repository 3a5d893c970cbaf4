import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ManifestFile, parseInParallel } from './parse-in-parallel.ts'
import { parseManifests } from './parse-manifests.ts'

let directory = ''
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'lading-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function manyFiles(): ManifestFile[] {
	const filling = `  text: ${'x'.repeat(20_000)}\n`
	return Array.from({ length: 100 }, (_, index) => ({
		path: `${index}.yaml`,
		bytes: Buffer.from(`kind: ConfigMap\ndata:\n  number: "${index}"\n${filling}`),
	}))
}

/** A second thread that runs `code` for each request. */
function workerThat(code: string): string {
	const path = join(directory, 'worker.mjs')
	writeFileSync(
		path,
		`import { parentPort } from 'node:worker_threads'\nparentPort.on('message', ({ files }) => { ${code} })\n`,
	)
	return path
}

describe('parsing on two threads', () => {
	it('takes over what the second thread made of these very bytes, and of no others', async () => {
		const worker = workerThat(`parentPort.postMessage({ parsed: files.map(({ number }) =>
			({ number, documents: [{ path: '', line: 1, index: 0, value: 'from the thread', remarks: [] }] })) })`)
		const files = manyFiles()
		const parse = await parseInParallel(files, { worker })
		const first = files[0] ?? { path: '', bytes: Buffer.of() }
		expect(parse(first.bytes, first.path)[0]?.value).toBe('from the thread')
		const copy = Buffer.from(first.bytes)
		expect(parse(copy, first.path)).toEqual(parseManifests(copy, first.path))
	})

	it.each([
		['ends', 'process.exit(1)'],
		['throws', 'throw new Error("broken")'],
		['knows nothing', 'parentPort.postMessage({ parsed: [] })'],
	])('parses all of it when the second thread %s', async (_, code) => {
		const files = manyFiles()
		const parse = await parseInParallel(files, { worker: workerThat(code) })
		for (const { bytes, path } of files) expect(parse(bytes, path)).toEqual(parseManifests(bytes, path))
	})

	it('leaves errors to the one who asks', async () => {
		const files = [...manyFiles(), { path: 'broken.yaml', bytes: Buffer.from('a: [') }]
		const parse = await parseInParallel(files, {
			worker: workerThat('parentPort.postMessage({ parsed: [] })'),
		})
		expect(() => parse(files[100]?.bytes ?? Buffer.of(), 'broken.yaml')).toThrow(/broken\.yaml:\d+:\d+/)
	})
})
