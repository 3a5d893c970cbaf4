import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Certificates, ensureCertificates } from '../../src/http/server/index.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type Fault, type Front, startFront } from './front.ts'
import { type Ended, lading } from './program.ts'

const SAMPLE = join(import.meta.dirname, '../../sample-manifests')
const USER = 'ann'
const PASSWORD = 's3cret: of ann'
const AUTH = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')

let directory: string
let registry: RunningRegistry
const fronts: Front[] = []

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-e2e-'))
	cpSync(SAMPLE, join(directory, 'manifests'), { recursive: true })
	registry = await serveRegistry({ dataDirectory: join(directory, 'data'), port: 0, plainHttp: true })
	const ended = await run(['push', 'manifests', `127.0.0.1:${registry.port}/app:v1`, '--plain-http'])
	if (ended.code !== 0) throw new Error(ended.stderr)
})
afterEach(() => {
	for (const each of fronts.splice(0)) each.close()
})
afterAll(async () => {
	await registry.close()
	rmSync(directory, { recursive: true, force: true })
})

interface Extra {
	readonly env?: Readonly<Record<string, string>>
	readonly input?: string
}

function run(args: readonly string[], { env = {}, input = '' }: Extra = {}): Promise<Ended> {
	return lading(args, { cwd: directory, env, input })
}

async function front(fault: Fault = () => false, certificates?: Certificates): Promise<Front> {
	const started = await startFront(registry.port, certificates)
	started.fault = fault
	fronts.push(started)
	return started
}

function answer(
	response: ServerResponse,
	status: number,
	[headers, body]: [object, string] = [{}, ''],
): boolean {
	response.writeHead(status, { ...headers })
	response.end(body)
	return true
}

describe('credentials', () => {
	let asked: Front
	beforeEach(async () => {
		asked = await front((request, response) =>
			request.headers.authorization === `Basic ${AUTH}`
				? false
				: answer(response, 401, [{ 'www-authenticate': 'Basic realm="x"' }, '']),
		)
	})

	const check = (extra: Extra, ...flags: string[]): Promise<Ended> =>
		run(['check', `${asked.host}/app:v1`, '--plain-http', ...flags], extra)

	/** A directory that DOCKER_CONFIG names. */
	function dockerConfig(content: object): string {
		const config = mkdtempSync(join(directory, 'docker-'))
		writeFileSync(join(config, 'config.json'), JSON.stringify(content))
		return config
	}

	/** A directory for PATH with a helper that knows ann. */
	function helper(name: string): string {
		const bin = mkdtempSync(join(directory, 'bin-'))
		const program = join(bin, `docker-credential-${name}`)
		const said = JSON.stringify({ Username: USER, Secret: PASSWORD })
		writeFileSync(
			program,
			`#!/bin/sh\nread server\n[ "$1 $server" = "get ${asked.host}" ] && echo '${said}'\n`,
		)
		chmodSync(program, 0o755)
		return `${bin}${delimiter}${process.env.PATH}`
	}

	const sources: readonly { readonly what: string; readonly extra: () => Extra & { flags?: string[] } }[] = [
		{
			what: 'auths of docker’s configuration',
			extra: () => ({ env: { DOCKER_CONFIG: dockerConfig({ auths: { [asked.host]: { auth: AUTH } } }) } }),
		},
		{
			what: 'REGISTRY_AUTH_FILE',
			extra: () => {
				const file = join(dockerConfig({ auths: { [`${asked.host}/app`]: { auth: AUTH } } }), 'config.json')
				return { env: { REGISTRY_AUTH_FILE: file } }
			},
		},
		{
			what: 'a credential helper',
			extra: () => {
				const config = dockerConfig({ credHelpers: { [asked.host]: 'ann' } })
				return { env: { DOCKER_CONFIG: config, PATH: helper('ann') } }
			},
		},
		{
			what: 'the credential store',
			extra: () => ({ env: { DOCKER_CONFIG: dockerConfig({ credsStore: 'box' }), PATH: helper('box') } }),
		},
		{
			what: '--username and --password-stdin',
			extra: () => ({ input: `${PASSWORD}\n`, flags: ['--username', USER, '--password-stdin'] }),
		},
		{ what: 'the environment', extra: () => ({ env: { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD } }) },
		{
			what: 'the environment, for this registry',
			extra: () => ({
				env: { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD, LADING_REGISTRY: asked.host },
			}),
		},
	]

	it.each(sources)('come from $what', async ({ extra }) => {
		const { flags = [], ...rest } = extra()
		const ended = await check(rest, ...flags)
		expect(ended.code, ended.stderr).toBe(0)
	})

	it('are asked for where there are none, and the wrong ones are named so', async () => {
		const none = await check({})
		expect(none.code).toBe(4)
		expect(none.stderr).toContain('lading login')
		const wrong = await check({ env: { LADING_USERNAME: USER, LADING_PASSWORD: 'wr0ng' } })
		expect(wrong.code).toBe(4)
		expect(wrong.stdout + wrong.stderr).not.toContain('wr0ng')
	})

	it('of the environment for one registry reach no other', async () => {
		const env = { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD, LADING_REGISTRY: 'registry.test' }
		const ended = await check({ env })
		expect(ended.code).toBe(4)
		expect(asked.seen.map(({ headers }) => headers.authorization)).toEqual(asked.seen.map(() => undefined))
	})

	it('that cannot be read are said to be, and never shown', async () => {
		const broken = await check({
			env: { DOCKER_CONFIG: dockerConfig({ auths: { [asked.host]: { auth: AUTH.slice(0, 4) } } }) },
		})
		expect(broken.code).toBe(4)
		expect(broken.stderr).toContain('config.json')
		const missing = await check({ env: { DOCKER_CONFIG: dockerConfig({ credsStore: 'nowhere' }) } })
		expect(missing.code).toBe(9)
		expect(missing.stderr).toContain('docker-credential-nowhere')
	})

	it('buy a token where the registry wants one', async () => {
		const service = await front((request, response) => {
			const isAnn = request.headers.authorization === `Basic ${AUTH}`
			return answer(response, isAnn ? 200 : 401, [{}, JSON.stringify({ token: 'bought' })])
		})
		asked.fault = (request, response) => {
			if (request.headers.authorization === 'Bearer bought') return false
			const challenge = `Bearer realm="http://${service.host}/token",service="x",scope="repository:app:pull"`
			return answer(response, 401, [{ 'www-authenticate': challenge }, ''])
		}
		const ended = await check({ env: { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD } })
		expect(ended.code, ended.stderr).toBe(0)
		expect(service.seen).toHaveLength(1)
		expect(service.seen[0]?.url).toContain('scope=repository%3Aapp%3Apull')
	})
})

describe('TLS', () => {
	let good: Certificates
	let other: Certificates
	let expired: Certificates
	beforeAll(async () => {
		const names = ['127.0.0.1']
		good = await ensureCertificates(join(directory, 'good'), { names })
		other = await ensureCertificates(join(directory, 'other'), { names: ['other.test'] })
		expired = await ensureCertificates(join(directory, 'expired'), { names, now: new Date('2001-01-01') })
	})
	const caOf = (name: string): string => join(directory, name, 'ca.crt')
	const check = ({ host }: Front, flags: readonly string[], env = {}): Promise<Ended> =>
		run(['check', `${host}/app:v1`, ...flags], { env })

	it('trusts --ca and SSL_CERT_FILE, and nobody with --insecure', async () => {
		const served = await front(undefined, good)
		expect((await check(served, ['--ca', caOf('good')])).code).toBe(0)
		expect((await check(served, [], { SSL_CERT_FILE: caOf('good') })).code).toBe(0)
		expect((await check(served, ['--insecure'])).code).toBe(0)
	})

	it('says what is wrong with a certificate', async () => {
		const unknown = await check(await front(undefined, good), ['--ca', caOf('other')])
		expect([unknown.code, unknown.stderr]).toEqual([5, expect.stringMatching(/not trusted[^]*--ca FILE/)])
		const named = await check(await front(undefined, other), ['--ca', caOf('other')])
		expect([named.code, named.stderr]).toEqual([5, expect.stringContaining('other.test')])
		const old = await check(await front(undefined, expired), ['--ca', caOf('expired')])
		expect([old.code, old.stderr]).toEqual([5, expect.stringContaining('expired')])
	})

	it('notices when only one side speaks it', async () => {
		const plain = await check(await front(), [])
		expect([plain.code, plain.stderr]).toEqual([5, expect.stringContaining('--plain-http')])
		const spoken = await check(await front(undefined, good), ['--plain-http'])
		expect([spoken.code, spoken.stderr]).toEqual([5, expect.stringContaining('Leave out --plain-http')])
	})
})

describe('a registry that answers nonsense', () => {
	const html = '<html><title>Sign in</title></html>'
	const isBlob = (url = ''): boolean => url.includes('/blobs/sha256:')
	const cases: readonly {
		readonly what: string
		readonly fault: Fault
		readonly code: number
		readonly says: RegExp
	}[] = [
		{
			what: 'a web page',
			fault: (_, response) => answer(response, 200, [{ 'content-type': 'text/html' }, html]),
			code: 6,
			says: /is a container registry and not, say, a web site/,
		},
		{
			what: 'an error with escape sequences',
			fault: (_, response) =>
				answer(response, 403, [{}, '{"errors":[{"code":"\\u001b[2JX","message":"\\u001b]0;pwn\\u0007no"}]}']),
			code: 4,
			says: /no/,
		},
		{
			what: 'an error that is no JSON',
			fault: (_, response) => answer(response, 501, [{}, html]),
			code: 6,
			says: /501/,
		},
		{
			what: 'a redirect in circles',
			fault: ({ url }, response) => answer(response, 307, [{ location: url }, '']),
			code: 6,
			says: /redirect/,
		},
		{
			what: 'a manifest of another digest',
			fault: ({ url = '', method }, response) =>
				url.includes('/manifests/') && method === 'GET'
					? answer(response, 200, [
							{ 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
							'{"schemaVersion":2}',
						])
					: false,
			code: 6,
			says: /corrupt/,
		},
		{
			what: 'a layer of another digest',
			fault: ({ url }, response) => (isBlob(url) ? answer(response, 200, [{}, 'x'.repeat(20_000)]) : false),
			code: 6,
			says: /corrupt/,
		},
		{
			what: 'a layer without end',
			fault({ url }, response) {
				if (!isBlob(url)) return false
				const more = (): void => {
					while (!response.destroyed && response.write(Buffer.alloc(65_536)));
				}
				response.on('drain', more)
				more()
				return true
			},
			code: 6,
			says: /longer than its/,
		},
		{
			what: 'no layer',
			fault: ({ url }, response) => (isBlob(url) ? answer(response, 404) : false),
			code: 7,
			says: /lacks the layer/,
		},
	]

	it.each(cases)('such as $what, ends pull with $code and leaves nothing', async ({ fault, code, says }) => {
		const { host } = await front(fault)
		const scratch = mkdtempSync(join(directory, 'pull-'))
		const ended = await run(['pull', `${host}/app:v1`, join(scratch, 'out'), '--plain-http'])
		expect(ended.code, ended.stdout + ended.stderr).toBe(code)
		expect(ended.stderr).toMatch(says)
		expect(ended.stderr).toContain('next:')
		// oxlint-disable-next-line no-control-regex -- what must not reach a terminal
		expect(ended.stderr).not.toMatch(/[\u0000-\u0008\u000B-\u001F]/)
		expect(readdirSync(scratch)).toEqual([])
		const check = await run(['check', `${host}/app:v1`, '--plain-http', '--json'])
		expect(check.code).toBe(code)
		expect(JSON.parse(check.stdout)).toMatchObject({ version: 1, error: { code: expect.any(String) } })
	})

	it('such as a refused manifest, leaves no tag behind', async () => {
		const { host } = await front(({ method, url = '' }, response) =>
			method === 'PUT' && url.includes('/manifests/') ? answer(response, 501) : false,
		)
		mkdirSync(join(directory, 'fresh'), { recursive: true })
		writeFileSync(
			join(directory, 'fresh/a.yaml'),
			'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh}\n',
		)
		const ended = await run(['push', 'fresh', `${host}/half:v1`, '--plain-http'])
		expect(ended.code).toBe(6)
		expect(ended.stdout).toBe('')
		const tags = await run(['tags', `${host}/half`, '--plain-http'])
		expect(tags.stdout.trim()).toBe('')
		expect(existsSync(join(directory, '.lading'))).toBe(false)
	})
})
