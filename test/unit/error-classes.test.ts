import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import {
	createServer,
	type IncomingMessage,
	type RequestListener,
	type Server,
	type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/app.ts'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { type ErrorCode, errorCodes } from '../../src/errors/index.ts'
import { type Certificates, ensureCertificates } from '../../src/http/server/index.ts'
import { digestOf } from '../../src/oci/index.ts'

// What a user sees of every way in which a registry, or the way to it, can fail: the whole command,
// its exit code, and that no secret, no control character and no stack is among it.

let directory = ''
let good: Certificates
let other: Certificates
let expired: Certificates
const servers: Server[] = []

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-errors-'))
	cpSync(join(import.meta.dirname, '../../sample-manifests'), join(directory, 'manifests'), {
		recursive: true,
	})
	const names = ['127.0.0.1']
	good = await ensureCertificates(join(directory, 'good'), { names })
	other = await ensureCertificates(join(directory, 'other'), { names: ['other.test'] })
	expired = await ensureCertificates(join(directory, 'expired'), { names, now: new Date('2001-01-01') })
})
afterAll(() => {
	for (const server of servers) {
		server.closeAllConnections()
		server.close()
	}
	rmSync(directory, { recursive: true, force: true })
})

async function listen(server: Server): Promise<string> {
	servers.push(server)
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const plain = async (handler: RequestListener): Promise<string> => await listen(createServer(handler))
const tls = async ({ certPem, keyPem }: Certificates): Promise<string> =>
	await listen(createTlsServer({ cert: certPem, key: keyPem }, (_, response) => response.end('fine')))

const ESCAPES = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u202E'
const SECRET = 'hunter2-s3cret'

interface Answer {
	readonly status: number
	readonly headers?: Readonly<Record<string, string>>
	readonly body?: string
}

/** A registry that answers everything in one way: with a web page's manners, and escapes for the terminal. */
const always =
	({ status, headers, body }: Answer): RequestListener =>
	(request: IncomingMessage, response: ServerResponse) => {
		request.resume()
		const text = body ?? JSON.stringify({ errors: [{ code: 'X', message: `its words ${ESCAPES}` }] })
		response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '100000', ...headers })
		response.end(request.method === 'HEAD' ? undefined : text)
	}

const MANIFEST = JSON.stringify({
	schemaVersion: 2,
	mediaType: 'application/vnd.oci.image.manifest.v1+json',
	artifactType: 'application/vnd.lading.manifests.v1',
	config: {
		mediaType: 'application/vnd.oci.empty.v1+json',
		digest: digestOf(Buffer.from('{}')),
		size: 2,
	},
	layers: [
		{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${'0'.repeat(64)}`, size: 1024 },
	],
})

/** A registry with one artifact; its layer is served by `blob`. */
const withBlob =
	(blob: RequestListener): RequestListener =>
	(request, response) => {
		if (request.url?.includes('/manifests/') !== true) return blob(request, response)
		response.writeHead(200, {
			'content-type': 'application/vnd.oci.image.manifest.v1+json',
			'docker-content-digest': digestOf(Buffer.from(MANIFEST)),
			'content-length': MANIFEST.length,
		})
		response.end(request.method === 'HEAD' ? undefined : MANIFEST)
	}

interface Outcome {
	readonly code: number
	readonly stdout: string
	readonly stderr: string
}

async function lading(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): { write(text: string): void } => ({
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args,
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Readable.from([`${SECRET}\n`]),
		cwd: directory,
		env: { HOME: directory, ...env },
		version: '9.9.9',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, ...written }
}

interface Case {
	readonly name: string
	readonly registry: () => string | Promise<string>
	/** After the registry is known. */
	readonly args: (registry: string) => readonly string[]
	readonly env?: (registry: string) => Readonly<Record<string, string>>
	readonly code: ErrorCode
	readonly message: RegExp
	readonly hint: RegExp
}

const SIGN_IN = ['--username', 'robot', '--password-stdin'] as const
const inspect = (registry: string): readonly string[] => [
	'inspect',
	`${registry}/team/app:v1`,
	'--plain-http',
]
const push = (registry: string): readonly string[] => [
	'push',
	'manifests',
	`${registry}/team/app:v1`,
	'--plain-http',
]
const pull = (registry: string): readonly string[] => [
	'pull',
	`${registry}/team/app:v1`,
	'pulled',
	'--plain-http',
]
const overTls =
	(...more: readonly string[]) =>
	(registry: string): readonly string[] => ['inspect', `${registry}/team/app:v1`, ...more]
const answers = (answer: Answer) => async (): Promise<string> => await plain(always(answer))

const HTML = '<!doctype html><title>Sign in</title>'

const cases: readonly Case[] = [
	{
		name: 'a name that does not resolve',
		registry: () => 'no-such-host.invalid',
		args: overTls(),
		code: 'CONNECTION_FAILED',
		message: /no-such-host\.invalid/,
		hint: /DNS/,
	},
	{
		name: 'nothing that listens',
		registry: () => '127.0.0.1:1',
		args: overTls(),
		code: 'CONNECTION_FAILED',
		message: /nothing listens at 127\.0\.0\.1:1/,
		hint: /running/,
	},
	{
		name: 'a CA that is not known',
		registry: async () => await tls(good),
		args: overTls(),
		code: 'TLS_UNKNOWN_CA',
		message: /CA that is not trusted here/,
		hint: /--ca FILE/,
	},
	{
		name: 'a certificate for another name',
		registry: async () => await tls(other),
		args: (registry) => overTls('--ca', 'other/ca.crt')(registry),
		code: 'TLS_NAME_MISMATCH',
		message: /for other names: .*other\.test/,
		hint: /names that the certificate carries/,
	},
	{
		name: 'a certificate that has expired',
		registry: async () => await tls(expired),
		args: (registry) => overTls('--ca', 'expired/ca.crt')(registry),
		code: 'TLS_EXPIRED',
		message: /has expired/,
		hint: /clock/,
	},
	{
		name: 'plain HTTP where TLS is expected',
		registry: answers({ status: 200 }),
		args: overTls(),
		code: 'TLS_PROTOCOL',
		message: /answers in plain HTTP/,
		hint: /--plain-http/,
	},
	{
		name: 'TLS where plain HTTP is expected',
		registry: async () => await tls(good),
		args: inspect,
		code: 'TLS_PROTOCOL',
		message: /speaks TLS/,
		hint: /Leave out --plain-http/,
	},
	{
		name: '401 without a credential',
		registry: answers({ status: 401 }),
		args: inspect,
		code: 'UNAUTHENTICATED',
		message: /refused to/,
		hint: /Sign in first: lading login 127/,
	},
	{
		name: '401 with a credential',
		registry: answers({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
		args: (registry) => [...inspect(registry), ...SIGN_IN],
		code: 'UNAUTHENTICATED',
		message: /refused to/,
		hint: /not accepted/,
	},
	{
		name: '403 without a credential',
		registry: answers({ status: 403 }),
		args: inspect,
		code: 'FORBIDDEN',
		message: /refused to/,
		hint: /Sign in first/,
	},
	{
		name: '404 of a tag',
		registry: answers({ status: 404 }),
		args: inspect,
		code: 'NOT_FOUND',
		message: /team\/app:v1/,
		hint: /./,
	},
	{
		name: '404 of a repository',
		registry: answers({ status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}' }),
		args: (registry) => ['tags', `${registry}/team/app`, '--plain-http'],
		code: 'NOT_FOUND',
		message: /team\/app/,
		hint: /./,
	},
	{
		name: '404 where content is pushed to',
		registry: answers({ status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}' }),
		args: push,
		code: 'NOT_FOUND',
		message: /refused to/,
		hint: /repository to be created first/,
	},
	{
		name: '405',
		registry: answers({ status: 405 }),
		args: inspect,
		code: 'REGISTRY_FAILED',
		message: /status 405/,
		hint: /does not offer/,
	},
	{
		name: '413 for a layer',
		registry: async () =>
			await plain((request, response) => {
				const isQuestion = request.method === 'HEAD' || request.method === 'GET'
				always({ status: isQuestion ? 404 : 413 })(request, response)
			}),
		args: push,
		code: 'REGISTRY_FAILED',
		message: /status 413/,
		hint: /larger than/,
	},
	{
		name: '416 for a layer',
		registry: async () => await plain(withBlob(always({ status: 416 }))),
		args: pull,
		code: 'REGISTRY_FAILED',
		message: /status 416/,
		hint: /again/,
	},
	{
		name: '429',
		registry: answers({ status: 429 }),
		args: inspect,
		code: 'REGISTRY_FAILED',
		message: /status 429/,
		hint: /Too many requests: wait 100000 s/,
	},
	...[500, 502, 503, 504].map((status): Case => ({
		name: String(status),
		registry: answers({ status }),
		args: inspect,
		code: 'REGISTRY_FAILED',
		message: new RegExp(`status ${status}`),
		hint: /in trouble/,
	})),
	{
		name: '507, and a full quota',
		registry: answers({ status: 507 }),
		args: push,
		code: 'REGISTRY_FAILED',
		message: /status 507/,
		hint: /quota/,
	},
	{
		name: 'a quota that a registry calls forbidden',
		registry: async () =>
			await plain((request, response) => {
				const isQuestion = request.method === 'HEAD' || request.method === 'GET'
				const body =
					'{"errors":[{"code":"DENIED","message":"adding 4 KiB of storage will exceed the configured upper limit: quota exceeded"}]}'
				always(isQuestion ? { status: 404 } : { status: 403, body })(request, response)
			}),
		args: push,
		code: 'REGISTRY_FAILED',
		message: /quota exceeded/,
		hint: /room/,
	},
	{
		name: 'a web page instead of a manifest',
		registry: answers({ status: 200, headers: { 'content-type': 'text/html' }, body: HTML }),
		args: inspect,
		code: 'REGISTRY_PROTOCOL',
		message: /127/,
		hint: /web site or a login page/,
	},
	{
		name: 'a web page instead of a list of tags',
		registry: answers({ status: 200, headers: { 'content-type': 'text/html' }, body: HTML }),
		args: (registry) => ['tags', `${registry}/team/app`, '--plain-http'],
		code: 'REGISTRY_PROTOCOL',
		message: /127/,
		hint: /web site or a login page/,
	},
	{
		name: 'a web page with an error status',
		registry: answers({ status: 503, headers: { 'content-type': 'text/html' }, body: `${HTML}${ESCAPES}` }),
		args: (registry) => ['tags', `${registry}/team/app`, '--plain-http'],
		code: 'REGISTRY_FAILED',
		message: /status 503/,
		hint: /in trouble/,
	},
	{
		name: 'a manifest of another digest',
		registry: async () => await plain(withBlob(always({ status: 404 }))),
		args: (registry) => ['pull', `${registry}/team/app@sha256:${'1'.repeat(64)}`, 'pulled', '--plain-http'],
		code: 'CONTENT_CORRUPT',
		message: /sha256:1111/,
		hint: /./,
	},
	{
		name: 'a layer of another digest',
		registry: async () =>
			await plain(
				withBlob((_, response) => response.writeHead(200, { 'content-length': 1024 }).end('x'.repeat(1024))),
			),
		args: pull,
		code: 'CONTENT_CORRUPT',
		message: /sha256:0000/,
		hint: /./,
	},
	{
		name: 'a signed URL that is refused',
		registry: async () => {
			const storage = await plain(always({ status: 403, body: '<Error>expired</Error>' }))
			return await plain(
				withBlob((_, response) =>
					response
						.writeHead(307, { location: `http://${storage}/blob?X-Amz-Signature=${SECRET}&sig=${SECRET}` })
						.end(),
				),
			)
		},
		args: pull,
		code: 'FORBIDDEN',
		message: /refused to/,
		hint: /./,
	},
	{
		name: 'a tag that the registry does not let move',
		registry: async () =>
			await plain((request, response) => {
				if (request.method === 'HEAD' && request.url?.includes('/blobs/') === true)
					return always({ status: 200, headers: { 'content-length': '1' } })(request, response)
				if (request.method === 'POST') return void response.writeHead(202, { location: '/u' }).end()
				if (request.url?.includes('/manifests/') !== true)
					return void request.resume().on('end', () =>
						response
							.writeHead(201, {
								'docker-content-digest':
									new URL(request.url ?? '', 'http://x').searchParams.get('digest') ?? '',
							})
							.end(),
					)
				always({ status: request.method === 'PUT' ? 409 : 404 })(request, response)
			}),
		args: push,
		code: 'TAG_EXISTS',
		message: /its words/,
		hint: /new/,
	},
	{
		name: 'a proxy where nothing listens',
		registry: () => 'registry.test',
		args: overTls(),
		env: () => ({ HTTPS_PROXY: `http://robot:${SECRET}@127.0.0.1:1` }),
		code: 'CONNECTION_FAILED',
		message: /nothing listens at .*127\.0\.0\.1:1/,
		hint: /HTTPS_PROXY/,
	},
	...[
		[407, /asks for credentials/],
		[403, /NO_PROXY/],
	].map(([status, hint]): Case => ({
		name: `a proxy that answers ${String(status)}`,
		registry: async () => {
			const proxy = createServer()
			proxy.on('connect', (_, socket) => {
				socket.end(`HTTP/1.1 ${String(status)} No\r\n\r\n`)
			})
			return await listen(proxy)
		},
		args: () => overTls()('registry.test'),
		env: (proxy) => ({ HTTPS_PROXY: `http://robot:${SECRET}@${proxy}` }),
		code: 'CONNECTION_FAILED',
		message: /the proxy .* does not connect to registry\.test/,
		hint: hint instanceof RegExp ? hint : /never/,
	})),
	{
		name: 'a proxy whose address is none',
		registry: () => 'registry.test',
		args: overTls(),
		env: () => ({ HTTPS_PROXY: `:::${SECRET}` }),
		code: 'CONFIG_INVALID',
		message: /HTTPS_PROXY/,
		hint: /http:\/\/HOST:PORT/,
	},
	{
		name: 'a proxy whose password is not percent-encoded',
		registry: () => 'registry.test',
		args: overTls(),
		env: () => ({ HTTPS_PROXY: `http://robot:${SECRET}%@127.0.0.1:1` }),
		code: 'CONFIG_INVALID',
		message: /HTTPS_PROXY is not percent-encoded/,
		hint: /%25/,
	},
	{
		name: 'a reference with a password in it',
		registry: () => `https://robot:${SECRET}@registry.test`,
		args: (registry) => ['inspect', `${registry}/app:v1`],
		code: 'REFERENCE_INVALID',
		message: /./,
		hint: /./,
	},
]

const failure = v.object({
	version: v.literal(1),
	error: v.object({ code: v.string(), message: v.string(), hint: v.string() }),
})

describe.each(cases)('$name', ({ registry, args, env, code, message, hint }) => {
	let text: Outcome
	let document: Outcome
	beforeAll(async () => {
		const host = await registry()
		text = await lading(args(host), env?.(host))
		document = await lading([...args(host), '--json'], env?.(host))
	})

	it('is told with cause, next step and exit code', () => {
		const { error } = v.parse(failure, JSON.parse(document.stdout), { abortEarly: true })
		expect(error).toMatchObject({ code })
		expect(error.message).toMatch(message)
		expect(error.hint).toMatch(hint)
		expect(text.code).toBe(exitCodes[errorCodes[code]])
		expect(document.code).toBe(text.code)
		expect(text.stdout).toBe('')
		expect(text.stderr).toMatch(/^error: .+$/m)
		expect(text.stderr).toMatch(/^next: {2}.+$/m)
	})

	it('shows no stack, no secret and nothing that steers a terminal', () => {
		for (const shown of [text.stderr, text.stdout, document.stderr, document.stdout]) {
			expect(shown).not.toMatch(/^\s+at /m)
			expect(shown).not.toContain(SECRET)
			// oxlint-disable-next-line no-control-regex -- that is what is looked for
			expect(shown).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
		}
	})
})
