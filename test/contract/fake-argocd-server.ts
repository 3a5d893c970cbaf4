import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An object of Argo CD's, as its JSON has it. */
type Json = Record<string, unknown>

export interface FakeArgocdServer {
	readonly url: URL
	readonly applications: Map<string, Json>
	readonly repositories: Map<string, Json>
	readonly certificates: Map<string, string>
	/** `METHOD path?query` of every request. */
	readonly requests: string[]
	/** Answers in place of the next requests that match. */
	readonly refuse: { match: RegExp; status: number; code: number; message: string }[]
	/** Ends every open stream. */
	dropStreams(): void
	/** Changes an Application, as its controller does. */
	change(name: string, change: Json): void
	close(): Promise<void>
}

export const TOKEN = 'header.payload.signature'
const DENIED = { status: 403, code: 7, message: 'permission denied' }

class Refusal extends Error {
	readonly status: number
	readonly code: number

	constructor({
		status,
		code,
		message,
	}: {
		readonly status: number
		readonly code: number
		readonly message: string
	}) {
		super(message)
		this.status = status
		this.code = code
	}
}

/**
 * As much of argocd-server as the adapter asks for, with the shapes that Argo CD 3.6.1 answers with;
 * test/real/argocd-api.test.ts gives the same contract to the real one.
 */
export async function startFakeArgocdServer(): Promise<FakeArgocdServer> {
	const applications = new Map<string, Json>()
	const repositories = new Map<string, Json>()
	const certificates = new Map<string, string>()
	const requests: string[] = []
	const refuse: FakeArgocdServer['refuse'] = []
	const streams = new Set<{ readonly name: string | null; readonly response: ServerResponse }>()
	let version = 1

	const tell = (type: string, application: Json): void => {
		for (const { name, response } of streams)
			if (name === null || name === nameOf(application))
				response.write(`${JSON.stringify({ result: { type, application } })}\n`)
	}
	const put = (application: Json): Json => {
		const name = nameOf(application)
		const isNew = !applications.has(name)
		const metadata = record(application.metadata)
		const stored = {
			...application,
			metadata: { namespace: 'argocd', ...metadata, resourceVersion: String(++version) },
			status: application.status ?? { health: {}, sync: { status: '', comparedTo: {} }, summary: {} },
		}
		applications.set(name, stored)
		tell(isNew ? 'ADDED' : 'MODIFIED', stored)
		return stored
	}
	/** Argo CD does not say of an Application that it is not there. */
	const find = (name: string): Json => {
		const found = applications.get(name)
		if (found === undefined) throw new Refusal(DENIED)
		return found
	}

	const routes: readonly [RegExp, (request: Request) => unknown][] = [
		[/^GET \/api\/version$/, () => ({ Version: 'v3.6.1+unknown' })],
		[/^GET \/api\/v1\/session\/userinfo$/, () => ({ loggedIn: true, username: 'ci', iss: 'argocd' })],
		[
			/^GET \/api\/v1\/applications$/,
			({ query }) => {
				const [key = '', value] = (query.get('selector') ?? '').split('=')
				const items = [...applications.values()].filter(
					(each) => key === '' || record(record(each.metadata).labels)[key] === value,
				)
				return { metadata: { resourceVersion: String(version) }, items: items.length === 0 ? null : items }
			},
		],
		[
			/^POST \/api\/v1\/applications$/,
			({ body }) => {
				if (applications.has(nameOf(body)))
					throw new Refusal({
						status: 400,
						code: 3,
						message: 'existing application spec is different, use upsert flag to force update',
					})
				return put(body)
			},
		],
		[/^GET \/api\/v1\/applications\/([^/]+)$/, ({ name }) => find(name)],
		[
			/^PUT \/api\/v1\/applications\/([^/]+)$/,
			({ name, body }) => {
				const { status } = find(name)
				return put({ ...body, status })
			},
		],
		[
			/^PATCH \/api\/v1\/applications\/([^/]+)$/,
			({ name, body }) => put(record(merge(find(name), JSON.parse(String(body.patch))))),
		],
		[
			/^POST \/api\/v1\/applications\/([^/]+)\/sync$/,
			({ name, body }) => {
				const present = find(name)
				if (present.operation !== undefined)
					throw new Refusal({ status: 400, code: 9, message: 'another operation is already in progress' })
				const { syncOptions } = record(record(present.spec).syncPolicy)
				return put({ ...present, operation: { sync: { prune: body.prune, syncOptions } } })
			},
		],
		[
			/^DELETE \/api\/v1\/applications\/([^/]+)$/,
			({ name }) => {
				const present = find(name)
				applications.delete(name)
				tell('DELETED', present)
				return {}
			},
		],
		[
			/^GET \/api\/v1\/repositories$/,
			() => ({ metadata: {}, items: [...repositories.values()].map(({ password: _, ...shown }) => shown) }),
		],
		[
			/^POST \/api\/v1\/repositories$/,
			({ body }) => {
				repositories.set(String(body.repo), body)
				return { repo: body.repo, type: body.type, name: body.name, connectionState: {} }
			},
		],
		[
			/^DELETE \/api\/v1\/repositories\/([^/]+)$/,
			({ name }) => {
				repositories.delete(name)
				return {}
			},
		],
		[
			/^GET \/api\/v1\/certificates$/,
			() => ({
				metadata: {},
				items: [...certificates.keys()].map((serverName) => ({
					serverName,
					certType: 'https',
					certSubType: 'ecdsa',
					certData: null,
					certInfo: 'CN=ca',
				})),
			}),
		],
		[
			/^POST \/api\/v1\/certificates$/,
			({ body }) => {
				const [item] = Array.isArray(body.items) ? body.items.map(record) : []
				const host = String(item?.serverName)
				const data = Buffer.from(String(item?.certData), 'base64').toString('utf8')
				const present = certificates.get(host)
				if (present === data) return { metadata: {}, items: [] }
				if (present !== undefined)
					throw new Refusal({
						status: 500,
						code: 2,
						message: `TLS certificate for server '${host}' already exists, and upsert was not specified`,
					})
				certificates.set(host, data)
				return {
					metadata: {},
					items: [
						{ serverName: host, certType: 'https', certSubType: '', certData: item?.certData, certInfo: '' },
					],
				}
			},
		],
	]

	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const url = new URL(request.url ?? '/', 'http://fake')
		const call = `${request.method} ${url.pathname}`
		requests.push(`${request.method} ${request.url}`)
		const text = await bodyOf(request)
		try {
			if (url.pathname !== '/api/version' && request.headers.authorization !== `Bearer ${TOKEN}`)
				throw new Refusal({ status: 401, code: 16, message: 'invalid session: token is expired' })
			if (request.method !== 'GET' && request.headers['content-type'] !== 'application/json') {
				response.writeHead(415).end('Invalid content type\n')
				return
			}
			const at = refuse.findIndex(({ match }) => match.test(call))
			const [refused] = at < 0 ? [] : refuse.splice(at, 1)
			if (refused !== undefined) throw new Refusal(refused)
			if (call === 'GET /api/v1/stream/applications') {
				const stream = { name: url.searchParams.get('name'), response }
				streams.add(stream)
				response.on('close', () => streams.delete(stream))
				response.setHeader('content-type', 'application/json')
				// The head goes out with the first message, as grpc-gateway does it.
				for (const each of applications.values())
					if (stream.name === null || nameOf(each) === stream.name)
						response.write(`${JSON.stringify({ result: { type: 'ADDED', application: each } })}\n`)
				return
			}
			for (const [pattern, run] of routes) {
				const match = pattern.exec(call)
				if (match === null) continue
				const name = decodeURIComponent(match[1] ?? '')
				const body = text === '' ? {} : record(JSON.parse(text))
				send(response, 200, run({ name, query: url.searchParams, body }))
				return
			}
			throw new Refusal({ status: 404, code: 5, message: 'Not Found' })
		} catch (error) {
			if (!(error instanceof Refusal)) throw error
			const { status, code, message } = error
			send(response, status, { error: message, code, message })
		}
	}

	const server = createServer((request, response) => void answer(request, response))
	const { port } = await listening(server)
	return {
		url: new URL(`http://127.0.0.1:${port}`),
		applications,
		repositories,
		certificates,
		requests,
		refuse,
		dropStreams() {
			for (const { response } of streams) response.destroy()
		},
		change: (name, change) => void put(record(merge(find(name), change))),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}

interface Request {
	/** The part of the path that names something. */
	readonly name: string
	readonly query: URLSearchParams
	readonly body: Json
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' })
	response.end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = []
	for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
	return Buffer.concat(chunks).toString('utf8')
}

async function listening(server: Server): Promise<AddressInfo> {
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('no port')
	return address
}

function record(value: unknown): Json {
	return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function nameOf(application: Json): string {
	return String(record(application.metadata).name)
}

/** @see https://www.rfc-editor.org/rfc/rfc7396 */
function merge(into: unknown, patch: unknown): unknown {
	if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
	const result = { ...record(into) }
	for (const [field, value] of Object.entries(patch)) {
		if (value === null) delete result[field]
		else result[field] = merge(result[field], value)
	}
	return result
}
