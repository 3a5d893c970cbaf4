import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
	type ArgocdClient,
	createArgocdClient,
	grpcCodeOf,
	parseArgocdAddress,
	readArgocdVersion,
} from './index.ts'

let server: Server | undefined

afterEach(() => {
	server?.closeAllConnections()
	server?.close()
})

interface Answer {
	readonly status?: number
	readonly headers?: Readonly<Record<string, string>>
	readonly body: string
}

/** A client of a server that gives one answer, and what it was asked with. */
async function clientOf(
	answer: Answer,
): Promise<{ readonly client: ArgocdClient; readonly asked: string[] }> {
	const asked: string[] = []
	server = createServer((request, response) => {
		asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
		response.writeHead(answer.status ?? 200, answer.headers)
		response.end(answer.body)
	})
	await new Promise<void>((resolve) => void server?.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	const port = typeof address === 'object' ? address?.port : undefined
	const url = parseArgocdAddress(`http://127.0.0.1:${port}/argo`)
	return {
		client: createArgocdClient({ server: url, token: ' t.o.k\n', sleep: () => Promise.resolve() }),
		asked,
	}
}

describe('parseArgocdAddress', () => {
	it.each([
		['argocd.example.com', 'https://argocd.example.com/'],
		['argocd.example.com:8443/argo', 'https://argocd.example.com:8443/argo'],
		['https://argocd.example.com', 'https://argocd.example.com/'],
		['localhost:8080', 'https://localhost:8080/'],
		['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
		['http://[::1]:8080', 'http://[::1]:8080/'],
	])('reads %s', (text, url) => {
		expect(parseArgocdAddress(text).href).toBe(url)
	})

	it.each(['', '/', 'http://argocd.example.com', 'ftp://x', 'https://user:pw@host', 'host?token=x', 'a b'])(
		'refuses %j, and shows no secret',
		(text) => {
			expect(() => parseArgocdAddress(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
			expect(() => parseArgocdAddress(text)).not.toThrow(/pw|token=x/)
		},
	)
})

describe('the client', () => {
	it('asks below the root path, with the token', async () => {
		const { client, asked } = await clientOf({ body: '{"Version":"v3.6.1+abc"}' })
		expect(await readArgocdVersion(client)).toBe('v3.6.1+abc')
		expect(asked).toEqual(['GET /argo/api/version Bearer t.o.k'])
	})

	it.each([
		['v3.1.5', 'ARGOCD_UNSUPPORTED'],
		['v2.14.0', 'ARGOCD_UNSUPPORTED'],
	])('refuses Argo CD %s', async (version, code) => {
		const { client } = await clientOf({ body: JSON.stringify({ Version: version }) })
		await expect(readArgocdVersion(client)).rejects.toMatchObject({ code })
	})

	it.each<[string, Answer, string, RegExp]>([
		['a page of the UI', { body: '<html>' }, 'ARGOCD_FAILED', /no Argo CD/],
		['another JSON', { body: '{}' }, 'ARGOCD_FAILED', /no Argo CD/],
		[
			'a token that is over',
			{ status: 401, body: '{"error":"x","code":16,"message":"invalid session: token is expired"}' },
			'UNAUTHENTICATED',
			/token is expired/,
		],
		[
			'a refusal',
			{
				status: 403,
				body: '{"code":7,"message":"permission denied: applications, sync, p/app, sub: proj:p:ci, iat: 1"}',
			},
			'FORBIDDEN',
			/applications, sync/,
		],
		['trouble', { status: 500, body: '{"code":2,"message":"boom"}' }, 'ARGOCD_FAILED', /boom/],
		['a proxy', { status: 502, body: 'Bad Gateway' }, 'ARGOCD_FAILED', /Bad Gateway/],
		[
			'a way to TLS',
			{ status: 307, headers: { location: 'https://127.0.0.1:9/argo/api/version' }, body: '' },
			'ARGOCD_FAILED',
			/elsewhere/,
		],
	])('tells %s as what it is', async (_, answer, code, message) => {
		const { client } = await clientOf(answer)
		await expect(readArgocdVersion(client)).rejects.toMatchObject({
			code,
			message: expect.stringMatching(message),
		})
	})

	it.each([
		['applications, sync, p/app', 'applications, sync, p/app, allow'],
		['certificates, create, ', 'certificates, create, *, allow'],
	])('names the policy that would give the right to %s', async (denied, policy) => {
		const message = `permission denied: ${denied}, sub: proj:p:ci, iat: 1`
		const { client } = await clientOf({ status: 403, body: JSON.stringify({ code: 7, message }) })
		const error: unknown = await client.json({ path: 'v1/applications/app' }).catch((each: unknown) => each)
		expect(error).toMatchObject({
			hint: expect.stringContaining(`p, proj:p:ci, ${policy}`),
		})
		expect(grpcCodeOf(error)).toBe(7)
	})

	it('reads a stream, and the error in it', async () => {
		const lines = [
			'{"result":{"type":"ADDED"}}',
			'',
			'{"error":{"grpc_code":16,"http_code":401,"message":"expired","http_status":"Unauthorized"}}',
		]
		const { client } = await clientOf({ body: `${lines.join('\n')}\n` })
		const seen: unknown[] = []
		const read = async (): Promise<void> => {
			for await (const each of client.stream({ path: 'v1/stream/applications' })) seen.push(each)
		}
		await expect(read()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
		expect(seen).toEqual([{ type: 'ADDED' }])
	})

	it('takes no token with a line break inside', () => {
		const server = new URL('https://argocd.example.com')
		expect(() => createArgocdClient({ server, token: 'a\nx: y' })).toThrow(
			expect.objectContaining({ code: 'UNAUTHENTICATED' }),
		)
	})
})
