import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ServerRequest, ServerResponse } from '../../../http/server/index.ts'
import { Access, type AccessOptions, type LoginFailure } from './access.ts'
import { createToken, listTokens, readTokens, revokeTokens } from './token-file.ts'

const DAY_MS = 86_400_000

let directory: string
let htpasswd: string
let now: number
const opened: Access[] = []
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	htpasswd = join(directory, 'htpasswd')
	now = 1_000_000
})
afterEach(async () => {
	for (const access of opened.splice(0)) access.close()
	await rm(directory, { recursive: true, force: true })
})

function open(options: AccessOptions = {}): Access {
	const access = new Access({ htpasswd, tokenDirectory: directory, now: () => now, ...options })
	opened.push(access)
	return access
}

async function users(passwords: Readonly<Record<string, string>>): Promise<void> {
	const lines = await Promise.all(
		Object.entries(passwords).map(async ([user, password]) => `${user}:${await hash(password, 4)}\n`),
	)
	await writeFile(htpasswd, `# people\n${lines.join('')}`)
}

interface Ask {
	readonly authorization?: string | undefined
	readonly address?: string
	readonly headers?: Record<string, string>
}

function request(line: string, { authorization, address = '10.0.0.1', headers }: Ask = {}): ServerRequest {
	const [method = '', path = ''] = line.split(' ')
	return {
		method,
		path,
		query: new URLSearchParams(),
		headers: { host: 'registry.lan:5000', ...(authorization !== undefined && { authorization }), ...headers },
		body: (async function* () {})(),
		signal: new AbortController().signal,
		remoteAddress: address,
		scheme: 'https',
	}
}

const basic = (user: string, password: string): string =>
	`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

interface Result {
	readonly status: number
	readonly user?: string | undefined
	readonly challenge?: unknown
	readonly retryAfter?: unknown
}

async function ask(access: Access, line: string, options: Ask = {}): Promise<Result> {
	const admission = await access.admit(request(line, options))
	if (admission.kind === 'admitted') return { status: 200, user: admission.identity.user }
	const { status, headers } = admission.answer
	return { status, challenge: headers?.['www-authenticate'], retryAfter: headers?.['retry-after'] }
}

const statusOf = async (access: Access, line: string, options: Ask = {}): Promise<number> =>
	(await ask(access, line, options)).status

const bodyOf = ({ body }: ServerResponse): unknown =>
	typeof body === 'string' ? JSON.parse(body) : undefined

describe('a password file', () => {
	it('lets in who is in it, as it is now', async () => {
		await users({ ada: 'pass:word' })
		const access = open()
		expect(await ask(access, 'GET /v2/')).toMatchObject({
			status: 401,
			challenge: expect.stringMatching(/^Basic realm="/),
		})
		expect(await ask(access, 'GET /v2/', { authorization: basic('ada', 'pass:word') })).toMatchObject({
			status: 200,
			user: 'ada',
		})
		for (const authorization of [basic('ada', 'wrong'), basic('bob', 'pass:word'), 'Bearer x', 'Basic %%%']) {
			expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(401)
		}
		await users({ bob: 'secret' })
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization: basic('ada', 'pass:word') })).toBe(401)
		expect(await statusOf(access, 'GET /v2/', { authorization: basic('bob', 'secret') })).toBe(200)
	})

	it('lets nobody in once it is gone or damaged, and says so', async () => {
		await users({ ada: 'x' })
		const errors: unknown[] = []
		const access = open({ onError: (error) => errors.push(error) })
		const authorization = basic('ada', 'x')
		expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(200)
		await writeFile(htpasswd, 'ada:{SHA}abc\n')
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(401)
		await rm(htpasswd)
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(401)
		expect(errors).toMatchObject([{ code: 'CREDENTIALS_UNREADABLE' }, { code: 'CREDENTIALS_UNREADABLE' }])
	})

	it('is refused where it is missing, is not bcrypt, or would take minutes to check', async () => {
		const refused = expect.objectContaining({ code: 'CREDENTIALS_UNREADABLE' })
		expect(() => open()).toThrow(refused)
		await writeFile(htpasswd, 'ada:{SHA}abc\n')
		expect(() => open()).toThrow(refused)
		await writeFile(htpasswd, `ada:${(await hash('x', 4)).replace('$04$', '$31$')}\n`)
		expect(() => open()).toThrow(refused)
	})

	it('has users that may only read', async () => {
		await users({ ada: 'x', argocd: 'y' })
		const access = open({ readers: ['argocd'] })
		const reader = { authorization: basic('argocd', 'y') }
		expect(await statusOf(access, 'HEAD /v2/app/manifests/v1', reader)).toBe(200)
		for (const line of [
			'PUT /v2/app/manifests/v1',
			'POST /v2/app/blobs/uploads/',
			'DELETE /v2/app/manifests/v1',
		]) {
			expect(await statusOf(access, line, reader)).toBe(403)
			expect(await statusOf(access, line, { authorization: basic('ada', 'x') })).toBe(200)
		}
	})
})

describe('wrong passwords', () => {
	const wrong = basic('ada', 'wrong')
	const right = basic('ada', 'x')

	it('make their address wait, and nobody else', async () => {
		await users({ ada: 'x', bob: 'y' })
		const failures: LoginFailure[] = []
		const access = open({ failures: 3, onFailure: (kind) => failures.push(kind) })
		for (let round = 0; round < 3; round++) {
			expect(await statusOf(access, 'GET /v2/', { authorization: wrong })).toBe(401)
		}
		expect(await ask(access, 'GET /v2/', { authorization: wrong })).toMatchObject({
			status: 429,
			retryAfter: 20,
		})
		// Not even the right one: who guesses learns nothing.
		expect(await statusOf(access, 'GET /v2/', { authorization: right })).toBe(429)
		expect(await statusOf(access, 'GET /v2/', { authorization: right, address: '10.0.0.2' })).toBe(200)
		expect(await statusOf(access, 'GET /v2/', { authorization: basic('bob', 'y') })).toBe(200)
		expect(failures).toEqual(['password', 'password', 'password', 'limited', 'limited'])
		now += 20_000
		expect(await statusOf(access, 'GET /v2/', { authorization: right })).toBe(200)
	})

	it('of many users from one address count together', async () => {
		await users({ ada: 'x' })
		const access = open({ failures: 1 })
		const statuses: number[] = []
		for (let user = 0; user < 7; user++) {
			statuses.push(await statusOf(access, 'GET /v2/', { authorization: basic(`u${user}`, 'a') }))
		}
		expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
	})

	it('that are tried at the same time are bounded too', async () => {
		await users({ ada: 'x' })
		const access = open({ failures: 4 })
		const statuses = await Promise.all(
			Array.from({ length: 20 }, (_, index) =>
				statusOf(access, 'GET /v2/', { authorization: basic('ada', `${index}`) }),
			),
		)
		expect(statuses.filter((status) => status === 401)).toHaveLength(4)
	})

	it('behind a proxy count for the client that the proxy names, and only a trusted one is believed', async () => {
		await users({ ada: 'x' })
		const trusting = open({ failures: 1, trustedProxies: ['10.0.0.9'] })
		const via = (client: string): Ask => ({
			authorization: wrong,
			address: '10.0.0.9',
			headers: { 'x-forwarded-for': `1.1.1.1, ${client}` },
		})
		expect(await statusOf(trusting, 'GET /v2/', via('2.2.2.2'))).toBe(401)
		expect(await statusOf(trusting, 'GET /v2/', via('2.2.2.2'))).toBe(429)
		expect(await statusOf(trusting, 'GET /v2/', via('3.3.3.3'))).toBe(401)

		const strict = open({ failures: 1 })
		expect(await statusOf(strict, 'GET /v2/', via('2.2.2.2'))).toBe(401)
		expect(await statusOf(strict, 'GET /v2/', via('3.3.3.3'))).toBe(429)
	})
})

describe('a page in a browser', () => {
	it('may not write where everybody may, whatever it calls this address', async () => {
		const access = open({ htpasswd: undefined, anonymous: 'write' })
		const host = { host: 'rebound.example:5000' }
		for (const headers of [
			{ ...host, origin: 'http://rebound.example:5000' },
			{ ...host, origin: 'null' },
			{ ...host, 'sec-fetch-site': 'cross-site' },
		]) {
			for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
				expect(await statusOf(access, `${method} /v2/a/blobs/uploads/`, { headers })).toBe(403)
			expect(await statusOf(access, 'GET /v2/', { headers })).toBe(200)
		}
		expect(await statusOf(access, 'PUT /v2/a/manifests/v1', { headers: host })).toBe(200)
	})
})

describe('tokens', () => {
	it('are a password of any user name, and a bearer token, for what they are for', async () => {
		const { text: writer } = await createToken(directory, { name: 'ci', right: 'write', now: new Date(now) })
		const { text: reader } = await createToken(directory, {
			name: 'argocd',
			right: 'read',
			now: new Date(now),
		})
		const access = open({ htpasswd: undefined })
		for (const shown of [basic('whoever', writer), basic('', writer), `Bearer ${writer}`]) {
			expect(await ask(access, 'PUT /v2/a/manifests/v1', { authorization: shown })).toEqual({
				status: 200,
				user: 'ci',
			})
		}
		expect(await statusOf(access, 'GET /v2/a/manifests/v1', { authorization: `Bearer ${reader}` })).toBe(200)
		expect(await statusOf(access, 'PUT /v2/a/manifests/v1', { authorization: `Bearer ${reader}` })).toBe(403)
		expect(await statusOf(access, 'GET /v2/', { authorization: basic('ci', 'ldr_x') })).toBe(401)
		const forged = `${writer.slice(0, -1)}${writer.endsWith('A') ? 'B' : 'A'}`
		expect(await statusOf(access, 'GET /v2/', { authorization: `Bearer ${forged}` })).toBe(401)
	})

	it('are taken while the registry runs, and refused once revoked or expired', async () => {
		const access = open({ htpasswd: undefined })
		const { text, stored } = await createToken(directory, {
			name: 'ci',
			right: 'write',
			now: new Date(now),
			lifetimeMs: DAY_MS,
		})
		const authorization = `Bearer ${text}`
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(200)
		expect(await revokeTokens(directory, stored.id)).toMatchObject([{ name: 'ci' }])
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization })).toBe(401)

		const next = await createToken(directory, {
			name: 'ci',
			right: 'write',
			now: new Date(now),
			lifetimeMs: DAY_MS,
		})
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization: `Bearer ${next.text}` })).toBe(200)
		now += DAY_MS
		expect(await statusOf(access, 'GET /v2/', { authorization: `Bearer ${next.text}` })).toBe(401)
	})

	it('are kept as digests in a file of their owner, whole whoever writes', async () => {
		const made = await Promise.all(
			Array.from({ length: 5 }, (_, index) =>
				createToken(directory, { name: `t${index}`, right: 'read', now: new Date(now) }),
			),
		)
		expect(readTokens(directory)).toHaveLength(5)
		const path = join(directory, 'tokens.json')
		expect(statSync(path).mode & 0o777).toBe(0o600)
		const text = await readFile(path, 'utf8')
		for (const { text: token } of made) {
			expect(token).toMatch(/^ldr_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/)
			expect(text).not.toContain(token.slice(17))
		}
		expect(existsSync(join(directory, 'tokens.lock'))).toBe(false)
		expect(await revokeTokens(directory, 'nobody')).toEqual([])
	})

	it('are not said to be none where there is no directory', async () => {
		expect(listTokens(directory)).toEqual([])
		const missing = join(directory, 'missing')
		const refused = {
			code: 'NOT_FOUND',
			message: `there is no registry in ${missing}`,
			hint: expect.stringContaining('--data DIR'),
		}
		expect(() => listTokens(missing)).toThrow(expect.objectContaining(refused))
		await expect(revokeTokens(missing, 'ci')).rejects.toMatchObject(refused)
	})

	it('let nobody in when their file is damaged', async () => {
		const { text } = await createToken(directory, { name: 'ci', right: 'write', now: new Date(now) })
		const access = open({ htpasswd: undefined })
		await writeFile(join(directory, 'tokens.json'), '{')
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization: `Bearer ${text}` })).toBe(401)
		expect(() => open({ htpasswd: undefined })).toThrow(
			expect.objectContaining({ code: 'CREDENTIALS_UNREADABLE' }),
		)
	})

	it('that are wrong make their address wait, but not the right ones', async () => {
		const { text } = await createToken(directory, { name: 'ci', right: 'write', now: new Date(now) })
		const access = open({ htpasswd: undefined, failures: 1 })
		expect(await statusOf(access, 'GET /v2/', { authorization: 'Bearer ldr_x' })).toBe(401)
		expect(await statusOf(access, 'GET /v2/', { authorization: 'Bearer ldr_x' })).toBe(429)
		expect(await statusOf(access, 'GET /v2/', { authorization: `Bearer ${text}` })).toBe(200)
	})
})

describe('anonymous', () => {
	it('may do everything until the first token is made, and never again', async () => {
		const access = open({ htpasswd: undefined, openUntilTokens: true })
		expect(await statusOf(access, 'PUT /v2/a/manifests/v1')).toBe(200)
		const { stored } = await createToken(directory, { name: 'ci', right: 'write', now: new Date(now) })
		now += 2000
		expect(await statusOf(access, 'PUT /v2/a/manifests/v1')).toBe(401)
		await revokeTokens(directory, stored.id)
		now += 2000
		expect(await statusOf(access, 'PUT /v2/a/manifests/v1')).toBe(401)
	})

	it('may read while writing wants a password, which Docker gets a token for', async () => {
		await users({ ada: 'x' })
		const access = open({ anonymous: 'read' })
		const challenge = 'Bearer realm="https://registry.lan:5000/token",service="registry.lan:5000"'
		expect(await statusOf(access, 'GET /v2/app/manifests/v1')).toBe(200)
		expect(await statusOf(access, 'GET /v2/app/manifests/v1', { authorization: basic('', '') })).toBe(200)
		// A wrong password is not taken for none.
		expect(await statusOf(access, 'GET /v2/app/manifests/v1', { authorization: basic('ada', 'no') })).toBe(
			401,
		)
		expect(await ask(access, 'GET /v2/')).toMatchObject({ status: 401, challenge })
		expect(await ask(access, 'PUT /v2/app/manifests/v1')).toMatchObject({ status: 401, challenge })

		const tokenFor = async (authorization?: string): Promise<string> => {
			const answer = await access.issue(request('GET /token', { authorization }))
			expect(answer.status).toBe(200)
			const { token } = bodyOf(answer) as { token: string }
			return `Bearer ${token}`
		}
		const anybody = await tokenFor()
		expect(await statusOf(access, 'GET /v2/', { authorization: anybody })).toBe(200)
		expect(await statusOf(access, 'PUT /v2/app/manifests/v1', { authorization: anybody })).toBe(401)
		const ada = await tokenFor(basic('ada', 'x'))
		expect(await ask(access, 'PUT /v2/app/manifests/v1', { authorization: ada })).toEqual({
			status: 200,
			user: 'ada',
		})
		expect((await access.issue(request('GET /token', { authorization: basic('ada', 'no') }))).status).toBe(
			401,
		)
		expect((await access.issue(request('POST /token'))).status).toBe(405)
		// Else it would be good for ever.
		expect((await access.issue(request('GET /token', { authorization: ada }))).status).toBe(401)

		now += 6 * 60_000
		expect(await statusOf(access, 'GET /v2/', { authorization: ada })).toBe(401)
		const fresh = await tokenFor(basic('ada', 'x'))
		await users({ bob: 'y' })
		now += 2000
		expect(await statusOf(access, 'GET /v2/', { authorization: fresh })).toBe(401)
	})

	it('gets no token where everybody needs a password', async () => {
		await users({ ada: 'x' })
		expect((await open().issue(request('GET /token'))).status).toBe(401)
	})

	it('is told a realm that only the host of the request can be in', async () => {
		await users({ ada: 'x' })
		const access = open({ anonymous: 'read', trustedProxies: ['10.0.0.9'] })
		const challengeOf = async (headers: Record<string, string>, address = '10.0.0.1'): Promise<unknown> =>
			(await ask(access, 'GET /v2/', { headers, address })).challenge
		expect(await challengeOf({ host: 'a"b' })).toMatch(/^Basic/)
		expect(await challengeOf({ host: '[::1]:5' })).toContain('https://[::1]:5/token')
		expect(await challengeOf({ host: 'a', 'x-forwarded-proto': 'http' })).toContain('https://a/')
		expect(await challengeOf({ host: 'a', 'x-forwarded-proto': 'http' }, '10.0.0.9')).toContain('http://a/')
	})
})
