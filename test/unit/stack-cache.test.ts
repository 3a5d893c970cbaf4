import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fillCache } from '../real/stack/build.ts'
import { type OwnedSupervisor, startSupervisor } from '../real/stack/supervisor.ts'
import { type Cache, openCache, type Tool } from '../real/stack/tools.ts'

/** A `go` that notes its arguments and makes what it is asked for, unless the package is `broken`. */
const GO = `#!/bin/sh
echo "$*" >> "$GO_LOG"
for last; do :; done
[ "$last" != broken ] || { echo "no such package"; exit 1; }
while [ $# -gt 0 ]; do [ "$1" != -o ] || output=$2; shift; done
if [ -z "$output" ]; then output=\${last%@*}; output=$GOBIN/\${output##*/}; fi
sleep 0.2
echo built > "$output"
`

let directory: string
let supervisor: OwnedSupervisor
const said: string[] = []

beforeEach(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	writeFileSync(join(directory, 'go'), GO)
	chmodSync(join(directory, 'go'), 0o755)
	vi.stubEnv('PATH', `${directory}${delimiter}${process.env.PATH}`)
	vi.stubEnv('GO_LOG', join(directory, 'calls'))
	said.length = 0
	supervisor = await startSupervisor()
})
afterEach(async () => {
	vi.unstubAllEnvs()
	await supervisor.end()
	rmSync(directory, { recursive: true })
})

function cacheOf(...tools: readonly Tool[]): Cache {
	const path = join(directory, 'cache')
	const missing = (): readonly Tool[] => tools.filter(({ name }) => !existsSync(join(path, name)))
	return { directory: path, tools, missing: () => ({ tools: missing(), files: [] }) }
}

const tool = (name: string, path = `example.com/${name}`): Tool => ({ name, package: path, ldflags: '-s -w' })
const fill = (cache: Cache): Promise<void> => fillCache(cache, { supervisor, say: (line) => said.push(line) })
const calls = (): readonly string[] => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n')

describe('the cache of what the real stack is made of', () => {
	it('builds what is missing, once for all who ask at the same time, and nothing when all is there', async () => {
		const cache = cacheOf(tool('one'), tool('two', 'example.com/cmd/two@v1.0.0'))
		await Promise.all([fill(cache), fill(cache)])
		expect(calls()).toHaveLength(2)
		expect(calls()[1]).toBe('install -trimpath -ldflags -s -w example.com/cmd/two@v1.0.0')
		expect((await readdir(cache.directory)).sort()).toEqual(['one', 'two'])
		expect(said).toContain('another run is building the same; waiting for it')
		await fill(cache)
		expect(calls()).toHaveLength(2)
	})

	it('leaves nothing of a build that fails, and says why it did', async () => {
		const cache = cacheOf(tool('one', 'broken'))
		await expect(fill(cache)).rejects.toThrow('no such package')
		expect(await readdir(cache.directory)).toEqual([])
	})

	it('takes over from a run that was killed', async () => {
		const cache = cacheOf(tool('one'))
		mkdirSync(cache.directory)
		const lock = join(cache.directory, '.lock')
		writeFileSync(lock, '')
		utimesSync(lock, 1, 1)
		await fill(cache)
		expect(await readdir(cache.directory)).toEqual(['one'])
	})

	it('has a place of its own for each go.mod and system, under LADING_TEST_CACHE', () => {
		const { directory: path, tools } = openCache({ LADING_TEST_CACHE: '/cache' })
		expect(path).toMatch(/^\/cache\/real\/[0-9a-f]{16}$/)
		expect(tools.map(({ name }) => name)).toContain('kube-apiserver')
		expect(tools.find(({ name }) => name === 'argocd')?.ldflags).toMatch(/common\.version=3\.\d+\.\d+ /)
	})
})
