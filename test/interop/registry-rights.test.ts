import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
	type AccessEntry,
	createToken,
	type RunningRegistry,
	serveRegistry,
} from '../../src/registry/server/index.ts'

let directory: string
let certificates: string
let registry: RunningRegistry
let host: string
let ca: string
let writer: string
let reader: string
let entries: AccessEntry[] = []

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const dataDirectory = join(directory, 'data')
	const now = new Date()
	writer = (await createToken(dataDirectory, { name: 'ci', right: 'write', now })).text
	reader = (await createToken(dataDirectory, { name: 'argocd', right: 'read', now })).text
	registry = await serveRegistry({
		dataDirectory,
		port: 0,
		auth: { anonymous: 'read' },
		onAccess: (entry) => entries.push(entry),
	})
	// By name oras would take localhost for plain HTTP.
	host = `127.0.0.1:${registry.port}`
	ca = join(dataDirectory, 'ca.crt')
	certificates = join(directory, 'certs')
	await mkdir(certificates)
	await writeFile(join(certificates, 'ca.crt'), await readFile(ca))
	await writeFile(join(directory, 'manifest.yaml'), 'kind: Namespace\n')
	await writeFile(join(directory, 'large.bin'), Buffer.alloc(3_000_000, 'large '))
	await oras('push', [`${host}/app:v1`, 'manifest.yaml', 'large.bin'], writer)
})
beforeEach(() => {
	entries = []
})
afterAll(async () => {
	await registry.close()
	await rm(directory, { recursive: true, force: true })
})

/** Runs a tool that must be on PATH; a missing one fails the test. */
async function run(tool: string, ...args: readonly string[]): Promise<string> {
	const { stdout } = await promisify(execFile)(tool, args, {
		cwd: directory,
		env: { ...process.env, HOME: directory, DOCKER_CONFIG: directory },
	})
	return stdout
}

function oras(command: string, args: readonly string[], token?: string): Promise<string> {
	const login = token === undefined ? [] : ['--username', 'anybody', '--password', token]
	return run('oras', command, ...args, '--ca-file', ca, ...login)
}

const skopeo = (...args: readonly string[]): Promise<string> => run('skopeo', ...args)

/** What a copy sent: the bytes of all its request bodies but those of manifests. */
const uploaded = (): number =>
	entries.filter(({ route }) => route !== 'manifest').reduce((sum, { received }) => sum + received, 0)

describe('oras', () => {
	it('pulls without a password where everybody may read, and pushes with a token for writing', async () => {
		await oras('pull', [`${host}/app:v1`, '--output', 'out'])
		expect(await readFile(join(directory, 'out/manifest.yaml'), 'utf8')).toBe('kind: Namespace\n')
		await expect(oras('push', [`${host}/app:v2`, 'manifest.yaml'])).rejects.toThrow(/401|unauthorized/i)
		await expect(oras('push', [`${host}/app:v2`, 'manifest.yaml'], reader)).rejects.toThrow(/403|denied/i)
		await expect(oras('push', [`${host}/app:v2`, 'manifest.yaml'], 'ldr_wrong')).rejects.toThrow(
			/401|unauthorized/i,
		)
		await oras('push', [`${host}/app:v2`, 'manifest.yaml'], writer)
		expect(entries.findLast(({ method, route }) => method === 'PUT' && route === 'manifest')).toMatchObject({
			user: 'ci',
			status: 201,
		})
	})

	it('copies within the registry without an upload', async () => {
		const login = ['--from-ca-file', ca, '--from-username', 'x', '--from-password', writer]
		const to = ['--to-ca-file', ca, '--to-username', 'x', '--to-password', writer]
		await run('oras', 'cp', `${host}/app:v1`, `${host}/team/copied:v1`, ...login, ...to)
		expect(uploaded()).toBe(0)
		const mounts = entries.filter(
			({ method, route, status }) => method === 'POST' && route === 'uploads' && status === 201,
		)
		expect(mounts.length).toBeGreaterThan(0)
		expect((await oras('resolve', [`${host}/team/copied:v1`])).trim()).toBe(
			(await oras('resolve', [`${host}/app:v1`])).trim(),
		)
	})
})

describe('skopeo', () => {
	it('pulls without a password, logs in with a token, and copies without an upload', async () => {
		const image = `docker://${host}/app:v1`
		expect(await skopeo('inspect', '--raw', `--cert-dir=${certificates}`, image)).toContain('schemaVersion')
		const authfile = join(directory, 'auth.json')
		await skopeo(
			'login',
			`--cert-dir=${certificates}`,
			`--authfile=${authfile}`,
			'-u',
			'x',
			'-p',
			writer,
			host,
		)
		const both = [
			`--src-cert-dir=${certificates}`,
			`--dest-cert-dir=${certificates}`,
			`--authfile=${authfile}`,
		]
		await skopeo('copy', ...both, image, `docker://${host}/team/second:v1`)
		entries = []
		await skopeo('copy', ...both, image, `docker://${host}/team/second:v2`)
		expect(uploaded()).toBe(0)
		const denied = ['--dest-creds', `x:${reader}`]
		await expect(
			skopeo(
				'copy',
				`--src-cert-dir=${certificates}`,
				`--dest-cert-dir=${certificates}`,
				...denied,
				image,
				`docker://${host}/team/third:v1`,
			),
		).rejects.toThrow(/denied|403|unauthorized/i)
	})
})
