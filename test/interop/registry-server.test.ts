import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates, issueClientCertificate } from '../../src/http/server/index.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'

const USER = 'ada'
const PASSWORD = 'open sesame'

let directory: string
let registry: RunningRegistry
let host: string
let ca: string

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const htpasswd = join(directory, 'htpasswd')
	await writeFile(htpasswd, `${USER}:${await hash(PASSWORD, 6)}\n`)
	const dataDirectory = join(directory, 'data')
	registry = await serveRegistry({ dataDirectory, host: '127.0.0.1', port: 0, auth: { htpasswd } })
	// By name oras would take localhost for plain HTTP.
	host = `127.0.0.1:${registry.port}`
	ca = join(dataDirectory, 'ca.crt')
	await writeFile(join(directory, 'manifest.yaml'), 'kind: Namespace\n')
	await writeFile(join(directory, 'large.bin'), Buffer.alloc(5_000_000, 'large '))
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

const oras = (...args: readonly string[]): Promise<string> =>
	run('oras', ...args, '--ca-file', ca, '--username', USER, '--password', PASSWORD)

describe('oras', () => {
	it('pushes, lists, copies, pulls and deletes', async () => {
		await oras('push', `${host}/app:v1`, 'manifest.yaml', 'large.bin')
		await oras('tag', `${host}/app:v1`, 'v1.0.0', 'latest')
		expect((await oras('repo', 'tags', `${host}/app`)).trim().split('\n')).toEqual(['latest', 'v1', 'v1.0.0'])
		expect((await oras('repo', 'ls', host)).trim()).toBe('app')

		await mkdir(join(directory, 'out'))
		await oras('pull', `${host}/app:latest`, '--output', 'out')
		expect(await readFile(join(directory, 'out/manifest.yaml'), 'utf8')).toBe('kind: Namespace\n')
		const large = await readFile(join(directory, 'out/large.bin'))
		expect(large.equals(await readFile(join(directory, 'large.bin')))).toBe(true)

		const digest = (await oras('resolve', `${host}/app:v1`)).trim()
		await oras('manifest', 'delete', '--force', `${host}/app@${digest}`)
		await expect(oras('resolve', `${host}/app:v1`)).rejects.toThrow('not found')
	})

	it('attaches and discovers referrers', async () => {
		await oras('push', `${host}/team/app:v1`, 'manifest.yaml')
		await oras('attach', '--artifact-type', 'example/sbom', `${host}/team/app:v1`, 'manifest.yaml')
		const found = JSON.parse(await oras('discover', '--format', 'json', `${host}/team/app:v1`)) as {
			readonly referrers: readonly { readonly artifactType: string }[]
		}
		expect(found.referrers.map(({ artifactType }) => artifactType)).toEqual(['example/sbom'])
	})

	it('is refused with a wrong password', async () => {
		const wrong = ['--ca-file', ca, '--username', USER, '--password', 'wrong']
		await expect(run('oras', 'repo', 'tags', `${host}/app`, ...wrong)).rejects.toThrow('unauthorized')
	})
})

describe('skopeo', () => {
	it('copies in and out, and inspects', async () => {
		await oras('push', `${host}/source:v1`, 'manifest.yaml')
		const certificates = join(directory, 'certs')
		await mkdir(certificates, { recursive: true })
		await writeFile(join(certificates, 'ca.crt'), await readFile(ca))
		const credentials = `${USER}:${PASSWORD}`
		await run(
			'skopeo',
			'copy',
			`--src-cert-dir=${certificates}`,
			`--src-creds=${credentials}`,
			`--dest-cert-dir=${certificates}`,
			`--dest-creds=${credentials}`,
			`docker://${host}/source:v1`,
			`docker://${host}/copied:v1`,
		)
		const raw = await run(
			'skopeo',
			'inspect',
			'--raw',
			`--cert-dir=${certificates}`,
			`--creds=${credentials}`,
			`docker://${host}/copied:v1`,
		)
		expect(raw).toBe(await oras('manifest', 'fetch', `${host}/source:v1`))
	})
})

describe('curl', () => {
	const curl = (...args: readonly string[]): Promise<string> =>
		run(
			'curl',
			'--silent',
			'--show-error',
			'--fail',
			'--cacert',
			ca,
			'--user',
			`${USER}:${PASSWORD}`,
			...args,
		)

	it('reaches it by every name of the certificate', async () => {
		const kind = ['--resolve', `kind-registry:${registry.port}:127.0.0.1`]
		expect(await curl(`https://127.0.0.1:${registry.port}/v2/`)).toBe('{}')
		expect(await curl(...kind, `https://kind-registry:${registry.port}/v2/`)).toBe('{}')
	})

	it('uploads with Expect: 100-continue', async () => {
		const uploads = `https://${host}/v2/curl/blobs/uploads/`
		const headers = await curl('--request', 'POST', '--dump-header', '-', uploads)
		const location = /^location: (.*)\r$/im.exec(headers)?.[1] ?? ''
		const sum = (await run('sha256sum', 'large.bin')).split(' ')[0]
		const target = `https://${host}${location}?digest=sha256:${sum}`
		await curl('--header', 'Expect: 100-continue', '--upload-file', 'large.bin', target)
		expect(await curl('--range', '0-4', `https://${host}/v2/curl/blobs/sha256:${sum}`)).toBe('large')
	})
})

describe('openssl', () => {
	it('accepts the certificates under its strictest rules', async () => {
		const certificates = join(directory, 'strict')
		const names = ['localhost', 'kind-registry', '127.0.0.1', '::1']
		await ensureCertificates(certificates, { names })
		const client = await issueClientCertificate(certificates, {
			commonName: 'admin',
			organizations: ['a', 'b'],
		})
		await writeFile(join(certificates, 'client.crt'), client.certPem)
		const verify = (purpose: string, ...rest: readonly string[]): Promise<string> => {
			const authority = join(certificates, 'ca.crt')
			return run('openssl', 'verify', '-x509_strict', '-purpose', purpose, '-CAfile', authority, ...rest)
		}
		const server = join(certificates, 'server.crt')
		expect(await verify('sslserver', '-verify_hostname', 'kind-registry', server)).toContain(': OK')
		expect(await verify('sslserver', '-verify_ip', '::1', server)).toContain(': OK')
		expect(await verify('sslclient', join(certificates, 'client.crt'))).toContain(': OK')
	})
})
