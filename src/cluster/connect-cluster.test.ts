import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectCluster, type Cluster, type WatchEvent } from './index.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let directory: string
const servers: Server[] = []

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(async () => {
	for (const server of servers.splice(0)) await stop(server)
	await rm(directory, { recursive: true })
})

async function stop(server: Server): Promise<void> {
	server.closeAllConnections()
	await new Promise((resolve) => server.close(resolve))
}

async function serve(answer: Answer, port = 0): Promise<{ server: Server; port: number }> {
	const server = createServer(answer)
	servers.push(server)
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
	return { server, port: (server.address() as AddressInfo).port }
}

async function connect(port: number, user: object = { token: 'secret-token' }): Promise<Cluster> {
	const path = join(directory, 'config')
	const config = {
		'current-context': 'one',
		clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}/` } }],
		contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
		users: [{ name: 'u', user }],
	}
	await writeFile(path, JSON.stringify(config))
	return await connectCluster({
		kubeconfig: path,
		env: { PATH: process.env['PATH'] },
		sleep: async () => await new Promise((resolve) => setTimeout(resolve, 5)),
	})
}

const json = (response: ServerResponse, body: unknown, status = 200): void =>
	void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const failure = (response: ServerResponse, status: number, reason: string): void =>
	json(
		response,
		{ kind: 'Status', status: 'Failure', message: `no: ${reason}`, reason, code: status },
		status,
	)
const configMap = (name: string, resourceVersion: string): object => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name, namespace: 'n', resourceVersion },
})
const REF = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'n' }

describe('requests', () => {
	it('reads an object with the token, and takes 404 for absence', async () => {
		const seen: (string | undefined)[] = []
		const { port } = await serve((request, response) => {
			seen.push(request.url, request.headers.authorization)
			if (request.url?.endsWith('/a') === true) json(response, configMap('a', '1'))
			else failure(response, 404, 'NotFound')
		})
		const cluster = await connect(port)
		expect((await cluster.get(REF))?.metadata.resourceVersion).toBe('1')
		expect(await cluster.get({ ...REF, name: 'b' })).toBeUndefined()
		expect(await cluster.delete({ ...REF, name: 'b' })).toBe(false)
		expect(seen.slice(0, 2)).toEqual(['/api/v1/namespaces/n/configmaps/a', 'Bearer secret-token'])
	})

	it.each([
		[401, 'Unauthorized', 'UNAUTHENTICATED'],
		[403, 'Forbidden', 'FORBIDDEN'],
		[409, 'Conflict', 'CLUSTER_FAILED'],
	])('tells %i from other refusals, without the token', async (status, reason, code) => {
		const { port } = await serve((_, response) => failure(response, status, reason))
		const cluster = await connect(port)
		const error: unknown = await cluster.get(REF).catch((caught: unknown) => caught)
		expect(error).toMatchObject({ code, wire: { status, errors: [{ code: reason }] } })
		expect(JSON.stringify(error) + String(error)).not.toContain('secret-token')
	})

	it('says when nothing listens', async () => {
		const { server, port } = await serve(() => undefined)
		await stop(server)
		await expect((await connect(port)).version()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
	})

	it('takes no answer that changes the protocol, and does not wait for another', async () => {
		const { port } = await serve((request) =>
			request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
		)
		await expect((await connect(port)).version()).rejects.toMatchObject({
			code: 'CLUSTER_FAILED',
			message: expect.stringContaining('status 101'),
		})
	})

	it('finds out how a kind is spelt, and pages through lists', async () => {
		const { port } = await serve((request, response) => {
			const url = new URL(request.url ?? '', 'http://x')
			if (url.pathname === '/apis/x.io/v1')
				return json(response, { resources: [{ name: 'mice', kind: 'Mouse', namespaced: false }] })
			if (url.pathname !== '/apis/x.io/v1/mice') return failure(response, 404, 'NotFound')
			const first = url.searchParams.get('continue') === null
			json(response, {
				metadata: { resourceVersion: '7', continue: first ? 'next' : '' },
				items: [{ metadata: { name: first ? 'a' : 'b' } }],
			})
		})
		const cluster = await connect(port)
		const { items, resourceVersion } = await cluster.list({ apiVersion: 'x.io/v1', kind: 'Mouse' })
		expect([items.map(({ kind, metadata }) => `${kind} ${metadata.name}`), resourceVersion]).toEqual([
			['Mouse a', 'Mouse b'],
			'7',
		])
		expect((await cluster.list({ apiVersion: 'x.io/v1', kind: 'Cat' })).items).toEqual([])
		const cat = { apiVersion: 'x.io/v1', kind: 'Cat', metadata: { name: 'c' } }
		await expect(cluster.create(cat)).rejects.toMatchObject({ code: 'CLUSTER_FAILED' })
	})

	it('logs in with a credential plugin, and again when its token is refused', async () => {
		const script = join(directory, 'plugin')
		const count = join(directory, 'count')
		await writeFile(
			script,
			[
				`#!${process.execPath}`,
				"const { appendFileSync, statSync } = require('node:fs')",
				`appendFileSync(${JSON.stringify(count)}, 'x')`,
				`const token = 't' + statSync(${JSON.stringify(count)}).size`,
				"console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }))",
			].join('\n'),
		)
		await chmod(script, 0o755)
		const { port } = await serve((request, response) =>
			request.headers.authorization === 'Bearer t2'
				? json(response, configMap('a', '1'))
				: failure(response, 401, 'Unauthorized'),
		)
		const cluster = await connect(port, {
			exec: { command: './plugin', apiVersion: 'client.authentication.k8s.io/v1' },
		})
		expect((await cluster.get(REF))?.metadata.name).toBe('a')
	})

	it('acts as another user, with a header line for each group', async () => {
		let seen: readonly (string | undefined)[] = []
		const { port } = await serve((request, response) => {
			seen = [
				request.headers['impersonate-user']?.toString(),
				...(request.headersDistinct['impersonate-group'] ?? []),
			]
			json(response, configMap('a', '1'))
		})
		const cluster = await connect(port, { token: 't', as: 'jo', 'as-groups': ['a', 'b c'] })
		await cluster.get(REF)
		expect(seen).toEqual(['jo', 'a', 'b c'])
	})

	it('tells what a broken plugin says, and does not show what it prints', async () => {
		const { port } = await serve(() => undefined)
		const cluster = await connect(port, {
			exec: { command: 'sh', args: ['-c', 'echo hush; echo login first >&2; exit 3'] },
		})
		const error: unknown = await cluster.get(REF).catch((caught: unknown) => caught)
		expect(error).toMatchObject({ code: 'TOOL_FAILED', details: ['login first'] })
		expect(String(error)).not.toContain('hush')
	})

	it('refuses a way to log in that it does not know, before it asks anything', async () => {
		await expect(connect(1, { 'auth-provider': { name: 'oidc' } })).rejects.toMatchObject({
			code: 'KUBECONFIG_INVALID',
		})
	})

	it('names the contexts there are', async () => {
		await connect(1)
		await expect(
			connectCluster({ kubeconfig: join(directory, 'config'), context: 'two' }),
		).rejects.toMatchObject({
			code: 'KUBECONFIG_INVALID',
			hint: 'It has: one',
		})
	})
})

describe('watch', () => {
	it('goes on through a restart of the server, and lists anew when its version is forgotten', async () => {
		const starts: (string | null)[] = []
		let round = 0
		const answer: Answer = (request, response) => {
			const { searchParams } = new URL(request.url ?? '', 'http://x')
			if (searchParams.get('watch') === null) {
				return json(response, {
					metadata: { resourceVersion: String(10 * ++round) },
					items: [configMap(`listed-${round}`, '1')],
				})
			}
			starts.push(searchParams.get('resourceVersion'))
			const send = (event: object): void => void response.write(`${JSON.stringify(event)}\n`)
			if (starts.length === 1) send({ type: 'ADDED', object: configMap('first', '11') })
			if (starts.length === 2) {
				send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
				response.end()
			}
			if (starts.length === 3)
				send({
					type: 'BOOKMARK',
					object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: '25' } },
				})
			if (starts.length === 3) send({ type: 'DELETED', object: configMap('last', '26') })
		}
		const { server, port } = await serve(answer)
		const cluster = await connect(port)
		const controller = new AbortController()
		const events: string[] = []
		const name = (event: WatchEvent): string =>
			event.type === 'RESYNCED' ? (event.items[0]?.metadata.name ?? '') : event.object.metadata.name
		for await (const event of cluster.watch(
			{ apiVersion: 'v1', kind: 'ConfigMap' },
			{ namespace: 'n', signal: controller.signal },
		)) {
			events.push(`${event.type} ${name(event)}`)
			if (event.type === 'ADDED') {
				await stop(server)
				await serve(answer, port)
			}
			if (event.type === 'DELETED') controller.abort()
		}
		expect(events).toEqual(['RESYNCED listed-1', 'ADDED first', 'RESYNCED listed-2', 'DELETED last'])
		expect(starts).toEqual(['10', '11', '20'])
	})

	it('does not go on without permission', async () => {
		const { port } = await serve((_, response) => failure(response, 403, 'Forbidden'))
		const cluster = await connect(port)
		const watch = cluster.watch({ apiVersion: 'v1', kind: 'ConfigMap' })[Symbol.asyncIterator]()
		await expect(watch.next()).rejects.toMatchObject({ code: 'FORBIDDEN' })
	})
})
