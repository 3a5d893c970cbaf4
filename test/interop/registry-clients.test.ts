import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goProgram } from './go-program.ts'
import { PASSWORD, type Registry, startLadingRegistry, USER } from './registries.ts'

const CRANE = { package: 'github.com/google/go-containerregistry/cmd/crane', version: 'v0.22.1' } as const
const BUILD_MS = 600_000

const directory = mkdtempSync(join(tmpdir(), 'lading-'))
let registry: Registry
let path: string
beforeAll(async () => {
	path = [dirname(await goProgram(CRANE)), process.env.PATH].join(delimiter)
	registry = await startLadingRegistry(directory, { tls: true })
}, BUILD_MS)
afterAll(async () => {
	await registry.stop()
	rmSync(directory, { recursive: true, force: true })
})

/** Runs a tool that must be on PATH; a missing one fails the test. */
async function run(tool: string, ...args: readonly string[]): Promise<string> {
	const ca = registry.flags[1] ?? ''
	const home = { HOME: directory, DOCKER_CONFIG: directory, SSL_CERT_FILE: ca }
	const env = { ...process.env, ...home, PATH: path }
	const { stdout, stderr } = await promisify(execFile)(tool, args, { cwd: directory, env })
	return stdout === '' ? stderr : stdout
}

describe('crane', () => {
	it('makes an image of files, copies, tags, lists, pulls, checks and deletes it', async () => {
		const { host } = registry
		await run('crane', 'auth', 'login', host, '--username', USER, '--password', PASSWORD)
		writeFileSync(join(directory, 'file.txt'), 'content\n')
		await run('tar', '--create', '--file', 'layer.tar', 'file.txt')
		await run('crane', 'append', '--new_layer', 'layer.tar', '--new_tag', `${host}/crane/app:v1`)
		await run('crane', 'validate', '--remote', `${host}/crane/app:v1`)
		await run('crane', 'copy', `${host}/crane/app:v1`, `${host}/crane/copied:v1`)
		await run('crane', 'tag', `${host}/crane/app:v1`, 'latest')
		expect((await run('crane', 'ls', `${host}/crane/app`)).trim().split('\n')).toEqual(['latest', 'v1'])
		expect((await run('crane', 'catalog', host)).split('\n')).toEqual(
			expect.arrayContaining(['crane/app', 'crane/copied']),
		)
		const digest = (await run('crane', 'digest', `${host}/crane/app:v1`)).trim()
		expect((await run('crane', 'digest', `${host}/crane/copied:v1`)).trim()).toBe(digest)
		await run('crane', 'pull', '--format', 'oci', `${host}/crane/app@${digest}`, 'pulled')
		await run('crane', 'push', 'pulled', `${host}/crane/again:v1`)
		expect((await run('crane', 'digest', `${host}/crane/again:v1`)).trim()).toBe(digest)
		await run('crane', 'export', `${host}/crane/again:v1`, 'out.tar')
		expect(await run('tar', '--extract', '--to-stdout', '--file', 'out.tar', 'file.txt')).toBe('content\n')
		await run('crane', 'delete', `${host}/crane/again@${digest}`)
		await expect(run('crane', 'digest', `${host}/crane/again:v1`)).rejects.toThrow('MANIFEST_UNKNOWN')
	})

	it('moves an image of several layers and 20 MB between repositories', async () => {
		const { host } = registry
		writeFileSync(join(directory, 'large.bin'), Buffer.alloc(20_000_000, 'large '))
		await run('tar', '--create', '--file', 'large.tar', 'large.bin')
		const to = `${host}/crane/large:v1`
		await run('crane', 'append', '--new_layer', 'layer.tar,large.tar', '--new_tag', to)
		await run('crane', 'copy', to, `${host}/crane/other:v1`)
		expect(await run('crane', 'validate', '--remote', `${host}/crane/other:v1`)).toContain('PASS')
	})

	it('sees what lading pushed', async () => {
		mkdirSync(join(directory, 'manifests'))
		writeFileSync(
			join(directory, 'manifests/namespace.yaml'),
			'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n',
		)
		const { MAIN } = await import('../e2e/program.ts')
		const to = `${registry.host}/crane/shop:v1`
		const env = { ...process.env, ...registry.env }
		const args = [MAIN, 'push', 'manifests', to, ...registry.flags]
		const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory, env })
		expect(stdout.trim()).toBe(`${registry.host}/crane/shop@${(await run('crane', 'digest', to)).trim()}`)
	})
})

describe('helm', () => {
	it('logs in, pushes a chart, shows it and pulls it', async () => {
		const { host, flags } = registry
		const ca = ['--ca-file', flags[1] ?? '']
		mkdirSync(join(directory, 'chart/templates'), { recursive: true })
		writeFileSync(
			join(directory, 'chart/Chart.yaml'),
			'apiVersion: v2\nname: shop\nversion: 1.2.3\ndescription: a chart\n',
		)
		writeFileSync(
			join(directory, 'chart/templates/namespace.yaml'),
			'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n',
		)
		await run('helm', 'registry', 'login', host, '--username', USER, '--password', PASSWORD, ...ca)
		await run('helm', 'package', 'chart')
		await run('helm', 'push', 'shop-1.2.3.tgz', `oci://${host}/charts`, ...ca)
		const chart = `oci://${host}/charts/shop`
		expect(await run('helm', 'show', 'chart', chart, '--version', '1.2.3', ...ca)).toContain('name: shop')
		await run('helm', 'pull', chart, '--version', '1.2.3', '--untar', '--untardir', 'charts', ...ca)
		expect(await run('helm', 'template', 'charts/shop')).toContain('kind: Namespace')
		await expect(run('helm', 'pull', chart, '--version', '9.9.9', ...ca)).rejects.toThrow(/not found/i)
	})
})
