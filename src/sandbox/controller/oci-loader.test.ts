import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApplicationSource } from '../../argocd/index.ts'
import type { KubeObject } from '../../cluster/index.ts'
import { bytesSource } from '../../content/index.ts'
import { createHttpClient } from '../../http/client/index.ts'
import { type Descriptor, digestOf, emptyContent, MediaType } from '../../oci/index.ts'
import { createRegistryClient, type RemoteRepository } from '../../registry/client/index.ts'
import { type RunningRegistry, serveRegistry } from '../../registry/server/index.ts'
import { createOciLoader } from './oci-loader.ts'
import type { SourceAnswer } from './source.ts'

interface Entry {
	readonly path: string
	readonly content?: string
	readonly type?: string
	readonly link?: string
}

const BLOCK = 512

/** A ustar archive with whatever names and types a test wants. */
function tar(entries: readonly Entry[]): Buffer {
	const parts: Buffer[] = []
	for (const { path, content = '', type = '0', link = '' } of entries) {
		const header = Buffer.alloc(BLOCK)
		header.write(path, 0, 100)
		header.write('0000644\0', 100)
		header.write('0000000\0', 108)
		header.write('0000000\0', 116)
		header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
		header.write('00000000000\0', 136)
		header.write('        ', 148)
		header.write(type, 156)
		header.write(link, 157, 100)
		header.write('ustar\u000000', 257)
		const sum = header.reduce((total, byte) => total + byte, 0)
		header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
		const body = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK)
		body.write(content)
		parts.push(header, body)
	}
	return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: demo-app\n'
const good = tar([{ path: 'service.yaml', content: service }])

let registry: RunningRegistry
let locked: RunningRegistry
let directory: string
let repository: (name: string) => RemoteRepository
let caPem: string

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	registry = await serveRegistry({ dataDirectory: join(directory, 'open'), port: 0 })
	const htpasswd = join(directory, 'htpasswd')
	await writeFile(htpasswd, `user:${await hash('pass', 4)}\n`)
	locked = await serveRegistry({ dataDirectory: join(directory, 'locked'), port: 0, auth: { htpasswd } })
	caPem = registry.caPem ?? ''
	const http = createHttpClient({ ca: caPem })
	const client = createRegistryClient({ http, keychain: { resolve: async () => undefined } })
	repository = (name) => client.repository(`127.0.0.1:${registry.port}`, name)
})

afterAll(async () => {
	await registry.close()
	await locked.close()
	await rm(directory, { recursive: true, force: true })
})

interface LayerOf {
	readonly bytes: Uint8Array
	readonly mediaType?: string
}

/** Pushes an artifact under `v1` and answers its digest. */
async function push(name: string, layers: readonly LayerOf[], subject?: Descriptor): Promise<string> {
	const target = repository(name)
	const config = bytesSource(MediaType.empty, emptyContent)
	const sources = layers.map(({ bytes, mediaType = MediaType.layerTar }) => bytesSource(mediaType, bytes))
	for (const source of [config, ...sources]) await target.push(source)
	const manifest = Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: MediaType.imageManifest,
			artifactType: 'application/vnd.test',
			config: config.descriptor,
			layers: sources.map(({ descriptor }) => descriptor),
			subject,
		}),
	)
	await target.pushManifest(manifest, MediaType.imageManifest, { tag: 'v1' })
	return digestOf(manifest)
}

interface LoadOptions {
	readonly registry?: string
	readonly source?: Partial<ApplicationSource>
	readonly revision?: string
	readonly secrets?: readonly KubeObject[]
	/** Trusted certificates by host. */
	readonly trust?: Readonly<Record<string, string>>
	readonly connectTo?: (registry: string) => string | undefined
	readonly environment?: Readonly<Record<string, string>>
}

function load(name: string, options: LoadOptions = {}): Promise<SourceAnswer> {
	const host = options.registry ?? `127.0.0.1:${registry.port}`
	const loader = createOciLoader({
		secrets: () => options.secrets ?? [],
		tlsCertificates: () => ({
			apiVersion: 'v1',
			kind: 'ConfigMap',
			metadata: { name: 'argocd-tls-certs-cm' },
			data: options.trust ?? { '127.0.0.1': caPem },
		}),
		connectTo: options.connectTo,
		environment: options.environment ?? {},
	})
	return loader({
		source: { repoURL: `oci://${host}/${name}`, path: '.', ...options.source },
		revision: options.revision ?? 'v1',
		project: 'default',
		application: 'demo',
		namespace: 'demo',
		hard: false,
		signal: new AbortController().signal,
	})
}

/** The answer with what differs from run to run written as REAL-STACK wrote it. */
async function errorOf(answer: Promise<SourceAnswer>): Promise<string> {
	const settled = await answer
	return settled.ok
		? `ok: ${settled.manifests.map((each) => `${each.kind}/${each.metadata.name}`).join(',')}`
		: settled.error
}

const UNKNOWN = 'rpc error: code = Unknown desc = '
const unresolved = (revision: string): string =>
	`${UNKNOWN}failed to resolve revision "${revision}": cannot get digest for revision ${revision}: `

describe('a revision', () => {
	const host = (): string => `127.0.0.1:${registry.port}`

	it('names what it does not find, as Argo CD does', async () => {
		await push('revisions', [{ bytes: good }])
		expect(await errorOf(load('revisions', { revision: 'v9.9.9' }))).toBe(
			`${unresolved('v9.9.9')}${host()}/revisions:v9.9.9: not found`,
		)
		expect(await errorOf(load('no-such-repo'))).toBe(
			`${unresolved('v1')}${host()}/no-such-repo:v1: not found`,
		)
		const absent = `sha256:${'0'.repeat(64)}`
		expect(await errorOf(load('revisions', { revision: absent }))).toBe(
			`${unresolved(absent)}${host()}/revisions@${absent}: not found`,
		)
		expect(await errorOf(load('revisions', { revision: 'HEAD' }))).toBe(
			`${unresolved('HEAD')}${host()}/revisions:HEAD: not found`,
		)
	})

	it('is refused before the registry is asked', async () => {
		expect(await errorOf(load('revisions', { revision: '' }))).toBe(`${unresolved('')}invalid reference`)
		expect(await errorOf(load('revisions', { revision: 'feature/x' }))).toBe(
			`${unresolved('feature/x')}invalid reference: mismatch between received "feature/x" and expected "${host()}/revisions"`,
		)
		expect(await errorOf(load('Demo-App'))).toBe(
			`${UNKNOWN}failed to initialize oci client: failed to initialize repository: invalid reference: invalid repository "Demo-App"`,
		)
	})

	it('may be a range, a digest, or a tag with a digest', async () => {
		const digest = await push('ranges', [{ bytes: good }])
		await repository('ranges').pushTagged(
			bytesSource(MediaType.imageManifest, await manifestOf('ranges', digest)),
			'v1.2.0',
		)
		expect(await errorOf(load('ranges', { revision: '^9.0.0' }))).toBe(
			`${UNKNOWN}failed to resolve revision "^9.0.0": no version for constraints: version matching constraint not found in 2 tags`,
		)
		for (const revision of ['^1.0.0', digest, `v1@${digest}`]) {
			expect(await load('ranges', { revision })).toMatchObject({ ok: true, revision: digest })
		}
	})
})

async function manifestOf(name: string, digest: string): Promise<Uint8Array> {
	const target = repository(name)
	const descriptor = await target.resolve(digest)
	const chunks: Uint8Array[] = []
	if (descriptor !== undefined)
		for await (const chunk of (await target.fetch(descriptor)) ?? []) chunks.push(chunk)
	return Buffer.concat(chunks)
}

describe('an artifact', () => {
	const extraction = (digest: string): string =>
		`${UNKNOWN}cannot extract contents of oci image with revision ${digest}: failed to perform "Push" on destination: could not decompress layer: `
	const allowed = (type: string): string =>
		`${UNKNOWN}oci layer media type ${type} is not in the list of allowed media types`

	it.each([
		['tar', [{ bytes: good }], 'ok: Service/demo-app'],
		['targz', [{ bytes: gzipSync(good), mediaType: MediaType.layerTarGzip }], 'ok: Service/demo-app'],
		[
			'extra-layer',
			[{ bytes: good }, { bytes: Buffer.from('{}'), mediaType: 'application/spdx+json' }],
			'ok: Service/demo-app',
		],
		['empty-tar', [{ bytes: tar([]) }], 'ok: '],
		['no-kind', [{ bytes: tar([{ path: 'x.yaml', content: 'a: 1\n' }]) }], 'ok: '],
		['no-recurse', [{ bytes: tar([{ path: 'a/service.yaml', content: service }]) }], 'ok: '],
		[
			'hardlink-out',
			[
				{
					bytes: tar([
						{ path: 'service.yaml', content: service },
						{ path: 'x.yaml', type: '1', link: '/etc/passwd' },
					]),
				},
			],
			'ok: Service/demo-app',
		],
		['absname', [{ bytes: tar([{ path: '/service.yaml', content: service }]) }], 'ok: Service/demo-app'],
		[
			'yaml-layer',
			[{ bytes: Buffer.from(service), mediaType: 'application/yaml' }],
			`${UNKNOWN}expected only a single oci content layer, got 0`,
		],
		[
			'zstd-type',
			[{ bytes: good, mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' }],
			`${UNKNOWN}expected only a single oci content layer, got 0`,
		],
		[
			'custom-tar-type',
			[{ bytes: good, mediaType: 'application/vnd.acme.content.v1.tar' }],
			allowed('application/vnd.acme.content.v1.tar'),
		],
		[
			'flux-type',
			[{ bytes: good, mediaType: 'application/vnd.cncf.flux.content.v1.tar+gzip' }],
			allowed('application/vnd.cncf.flux.content.v1.tar+gzip'),
		],
		[
			'json-array',
			[{ bytes: tar([{ path: 'a.json', content: '[1]' }]) }],
			'rpc error: code = FailedPrecondition desc = Failed to unmarshal "a.json": json: cannot unmarshal array into Go value of type map[string]interface {}',
		],
		[
			'json-stray',
			[{ bytes: tar([{ path: 'package.json', content: '{"name":"x"}' }]) }],
			"failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing in '{…}'",
		],
	] as const)('%s', async (name, layers, expected) => {
		await push(name, layers)
		expect(await errorOf(load(name))).toBe(expected)
	})

	it.each([
		['gzip-as-tar', { bytes: gzipSync(good) }, 'error while iterating on tar reader: unexpected EOF'],
		[
			'tar-as-gzip',
			{ bytes: good, mediaType: MediaType.layerTarGzip },
			'error reading file: gzip: invalid header',
		],
		[
			'garbage-tar',
			{ bytes: Buffer.alloc(2048, 'garbage ') },
			'error while iterating on tar reader: archive/tar: invalid tar header',
		],
		[
			'dotdot',
			{ bytes: tar([{ path: '../../evil.yaml', content: service }]) },
			'error creating nested folders: mkdirat ../..: path escapes from parent',
		],
		[
			'symlink-rel',
			{ bytes: tar([{ path: 'x.yaml', type: '2', link: '../../../../../etc/passwd' }]) },
			'error checking symlink "../../../../../etc/passwd" target: statat ../../../../../etc/passwd: path escapes from parent',
		],
	] as const)('%s', async (name, layer, expected) => {
		const digest = await push(name, [layer])
		expect(await errorOf(load(name))).toBe(`${extraction(digest)}${expected}`)
	})

	it('has a subject that is there, or none', async () => {
		const gone = { mediaType: MediaType.imageManifest, digest: digestOf('gone'), size: 4 }
		const digest = await push('subject-gone', [{ bytes: good }], gone)
		expect(await errorOf(load('subject-gone'))).toBe(
			`${UNKNOWN}could not save oci digest ${digest}: failed to perform "FindSuccessors" on source: ${gone.digest}: not found`,
		)
	})

	it('is limited in its layers', async () => {
		const tars = ['a', 'b', 'c'].map((name) => ({ bytes: tar([{ path: `${name}.yaml`, content: service }]) }))
		await push('3layers', tars)
		expect(await errorOf(load('3layers'))).toBe(`${UNKNOWN}expected only a single oci content layer, got 3`)
		const many = Array.from({ length: 12 }, (_, index) => ({
			bytes: Buffer.from(`${index}`),
			mediaType: 'text/plain',
		}))
		await push('12layers', many)
		expect(await errorOf(load('12layers'))).toBe(`${UNKNOWN}expected no more than 10 oci layers, got 12`)
	})

	it('may have a path, which has to be there', async () => {
		await push('paths', [{ bytes: tar([{ path: 'k8s/service.yaml', content: service }]) }])
		expect(await errorOf(load('paths', { source: { path: 'k8s' } }))).toBe('ok: Service/demo-app')
		expect(await errorOf(load('paths', { source: { path: 'other' } }))).toBe(
			`${UNKNOWN}other: app path does not exist`,
		)
		expect(await errorOf(load('paths', { source: { directory: { recurse: true } } }))).toBe(
			'ok: Service/demo-app',
		)
	})

	it('with broken YAML that looks like Kubernetes is a failed precondition', async () => {
		await push('bad-yaml-k8s', [
			{ bytes: tar([{ path: 'x.yaml', content: 'apiVersion: v1\nkind: Service\nmetadata: {name: x\n' }]) },
		])
		expect(await errorOf(load('bad-yaml-k8s'))).toMatch(
			/^rpc error: code = FailedPrecondition desc = Failed to unmarshal "x\.yaml": /,
		)
	})

	it('of Kustomize is not rendered without a tool, and the sandbox says so', async () => {
		await push('kustomize', [
			{
				bytes: tar([
					{ path: 'kustomization.yaml', content: 'resources: [service.yaml]\n' },
					{ path: 'service.yaml', content: service },
				]),
			},
		])
		expect(await errorOf(load('kustomize'))).toMatch(/^rpc error: code = Unknown desc = sandbox: /)
	})

	it('may hold a manifest that is a link to a file of another name', async () => {
		const entries = [
			{ path: 'a/service.txt', content: service },
			{ path: 'service.yaml', type: '2', link: 'a/service.txt' },
		]
		await push('linked', [{ bytes: tar(entries) }])
		expect(await errorOf(load('linked'))).toBe('ok: Service/demo-app')
	})

	it.runIf(process.platform !== 'win32')('of a chart is rendered without the one directory', async () => {
		const program = join(directory, 'helm')
		await writeFile(program, '#!/bin/sh\ncat "$3/templates/service.yaml"\n', { mode: 0o755 })
		const chart = tar([
			{ path: 'web/Chart.yaml', content: 'apiVersion: v2\nname: web\nversion: 1.0.0\n' },
			{ path: 'web/templates/service.yaml', content: service },
		])
		await push('chart', [{ bytes: gzipSync(chart), mediaType: MediaType.helmChart }])
		const environment = { PATH: `${directory}${delimiter}${process.env['PATH']}` }
		expect(await errorOf(load('chart', { environment }))).toBe('ok: Service/demo-app')
	})
})

describe('what the sandbox does not do', () => {
	it('is said of a subject that is there: Argo CD would merge it', async () => {
		const digest = await push('subject', [{ bytes: tar([{ path: 'other.yaml', content: service }]) }])
		const subject = await repository('subject').resolve(digest)
		await push('subject', [{ bytes: good }], subject)
		expect(await errorOf(load('subject'))).toBe(
			`${UNKNOWN}sandbox: the subject ${digest} is merged into the manifests, which needs a real Argo CD`,
		)
	})

	it('is said of jsonnet', async () => {
		const entries = [
			{ path: 'a.jsonnet', content: '{}' },
			{ path: 'b.yaml', content: service },
		]
		await push('jsonnet', [{ bytes: tar(entries) }])
		expect(await errorOf(load('jsonnet'))).toContain('sandbox: a.jsonnet needs a real Argo CD: ')
	})

	it('is said of a file that changes the source, where Argo CD would read it', async () => {
		const file = (path: string): readonly LayerOf[] => [
			{
				bytes: tar([
					{ path, content: 'directory: {}\n' },
					{ path: 'service.yaml', content: service },
				]),
			},
		]
		await push('override', file('.argocd-source.yaml'))
		expect(await errorOf(load('override'))).toMatch(/sandbox: \.argocd-source\.yaml changes the source/)
		await push('override-mine', file('.argocd-source-demo.yaml'))
		expect(await errorOf(load('override-mine'))).toContain('sandbox: .argocd-source-demo.yaml')
		await push('override-other', file('.argocd-source-other.yaml'))
		expect(await errorOf(load('override-other'))).toBe('ok: Service/demo-app')
	})

	it('is said of options for Helm and Kustomize', async () => {
		await push('options', [{ bytes: good }])
		const helm = { valueFiles: ['prod.yaml'] }
		expect(await errorOf(load('options', { source: { helm } }))).toContain('sandbox: spec.source.helm')
		const kustomize = { namePrefix: 'x-' }
		expect(await errorOf(load('options', { source: { kustomize } }))).toContain(
			'sandbox: spec.source.kustomize',
		)
	})
})

describe('a registry', () => {
	const head = (base: string, name: string): string => `${base}/v2/${name}/manifests/v1`

	it('has to be trusted, by host name without port', async () => {
		await push('trusted', [{ bytes: good }])
		const name = `localhost:${registry.port}`
		expect(await errorOf(load('trusted', { registry: name }))).toBe(
			`${unresolved('v1')}Head "${head(`https://${name}`, 'trusted')}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
		)
		expect(await errorOf(load('trusted', { registry: name, trust: { localhost: caPem } }))).toBe(
			'ok: Service/demo-app',
		)
		const secret = repositorySecret({ url: `oci://${name}/trusted`, type: 'oci', insecure: 'true' })
		expect(await errorOf(load('trusted', { registry: name, secrets: [secret] }))).toBe('ok: Service/demo-app')
	})

	it('may have another name in the cluster', async () => {
		await push('renamed', [{ bytes: good }])
		const options = {
			registry: 'kind-registry:5000',
			trust: { 'kind-registry': caPem },
			connectTo: (name: string) => (name === 'kind-registry:5000' ? `127.0.0.1:${registry.port}` : undefined),
		}
		expect(await errorOf(load('renamed', options))).toBe('ok: Service/demo-app')
		expect(await errorOf(load('renamed', { ...options, revision: 'v2' }))).toBe(
			`${unresolved('v2')}kind-registry:5000/renamed:v2: not found`,
		)
	})

	it('may be down', async () => {
		const server = createServer().listen(0, '127.0.0.1')
		await new Promise((resolve) => {
			server.once('listening', resolve)
		})
		const { port } = server.address() as AddressInfo
		await new Promise((resolve) => {
			server.close(resolve)
		})
		const name = `127.0.0.1:${port}`
		expect(await errorOf(load('demo-app', { registry: name }))).toBe(
			`${unresolved('v1')}Head "${head(`https://${name}`, 'demo-app')}": dial tcp ${name}: connect: connection refused`,
		)
	})

	it('may speak plain HTTP, which a Secret has to say', async () => {
		const plain = await serveRegistry({ dataDirectory: join(directory, 'plain'), port: 0, plainHttp: true })
		try {
			const name = `127.0.0.1:${plain.port}`
			expect(await errorOf(load('e-http', { registry: name }))).toBe(
				`${unresolved('v1')}Head "${head(`https://${name}`, 'e-http')}": http: server gave HTTP response to HTTPS client`,
			)
			const secret = repositorySecret({ url: `oci://${name}/e-http`, insecureOCIForceHttp: 'true' })
			expect(await errorOf(load('e-http', { registry: name, secrets: [secret] }))).toBe(
				`${unresolved('v1')}${name}/e-http:v1: not found`,
			)
		} finally {
			await plain.close()
		}
	})

	it('may want a password', async () => {
		const name = `127.0.0.1:${locked.port}`
		const options = { registry: name, trust: { '127.0.0.1': locked.caPem ?? '' } }
		const url = head(`https://${name}`, 'e-auth')
		expect(await errorOf(load('e-auth', options))).toBe(
			`${unresolved('v1')}HEAD "${url}": basic credential not found`,
		)
		const secret = (password: string): KubeObject =>
			repositorySecret({ url: `oci://${name}/e-auth`, username: 'user', password })
		expect(await errorOf(load('e-auth', { ...options, secrets: [secret('wrong')] }))).toBe(
			`${unresolved('v1')}HEAD "${url}": response status code 401: Unauthorized`,
		)
		expect(await errorOf(load('e-auth', { ...options, secrets: [secret('pass')] }))).toBe(
			`${unresolved('v1')}${name}/e-auth:v1: not found`,
		)
	})
})

function repositorySecret(data: Readonly<Record<string, string>>): KubeObject {
	const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
	return {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: { name: 'repository', labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
		data: Object.fromEntries(encoded),
	}
}
