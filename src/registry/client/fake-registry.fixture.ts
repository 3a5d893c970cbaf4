import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digestOf } from '../../oci/index.ts'

/** Returns whether it has answered, so that the registry does not. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

export interface FakeRegistry {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	/** `METHOD path?query` of every request, in order. */
	readonly log: string[]
	readonly requests: IncomingMessage[]
	readonly blobs: Map<string, Buffer>
	/** By `repository/reference`. */
	readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>
	/** Consulted before every request. */
	fault: Fault
	/** Whether it answers the referrers API and sets `OCI-Subject`. */
	referrers: boolean
	/** Whether a blob may come with the first request of an upload. */
	takesWhole: boolean
	close(): void
}

/** A registry in memory, as small as the client's tests need, that can be made to misbehave. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
	const uploads = new Map<string, Buffer>()
	const registry = {
		log: [] as string[],
		requests: [] as IncomingMessage[],
		blobs: new Map<string, Buffer>(),
		manifests: new Map<string, { readonly type: string; readonly bytes: Buffer }>(),
		fault: (() => false) as Fault,
		referrers: false,
		takesWhole: false,
	}

	async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? '', 'http://registry')
		const path = /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname)
		const [, repository = '', kind = '', rest = ''] = path ?? []
		const send = (status: number, headers: Record<string, string> = {}, body?: Buffer): void => {
			const length = body ? String(body.byteLength) : '0'
			response.writeHead(status, { 'content-length': length, ...headers })
			response.end(request.method === 'HEAD' ? undefined : body)
		}
		if (url.pathname === '/v2/') return send(200)
		const body = await read(request)
		if (kind === 'manifests') return manifest(request, { repository, rest, body, send })
		if (kind === 'tags') {
			const tags = [...registry.manifests.keys()]
				.filter((key) => key.startsWith(`${repository}:`))
				.map((key) => key.slice(repository.length + 1))
			return send(200, {}, Buffer.from(JSON.stringify({ name: repository, tags })))
		}
		if (kind !== 'blobs') return send(404)
		if (!rest.startsWith('uploads/')) {
			const blob = registry.blobs.get(rest)
			return blob ? send(200, { 'docker-content-digest': rest }, blob) : send(404)
		}
		return upload(request, { url, repository, rest, body, send })
	}

	interface Answering {
		readonly repository: string
		readonly rest: string
		readonly body: Buffer
		readonly send: (status: number, headers?: Record<string, string>, body?: Buffer) => void
	}

	function manifest(request: IncomingMessage, { repository, rest, body, send }: Answering): void {
		const key = `${repository}:${rest}`
		if (request.method === 'PUT') {
			const digest = digestOf(body)
			const stored = { type: request.headers['content-type'] ?? '', bytes: body }
			registry.manifests.set(key, stored).set(`${repository}:${digest}`, stored)
			return send(201, { 'docker-content-digest': digest, ...(registry.referrers && { 'oci-subject': 'x' }) })
		}
		if (request.method === 'DELETE') return send(registry.manifests.delete(key) ? 202 : 404)
		const found = registry.manifests.get(key)
		if (!found) return send(404)
		const headers = { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) }
		send(200, headers, found.bytes)
	}

	function upload(request: IncomingMessage, answering: Answering & { readonly url: URL }): void {
		const { url, repository, rest, body, send } = answering
		const id = rest.slice('uploads/'.length) || String(uploads.size + 1)
		const location = `/v2/${repository}/blobs/uploads/${id}?state=kept`
		const mount = url.searchParams.get('mount')
		if (mount !== null && registry.blobs.has(mount)) return send(201)
		if (
			request.method === 'POST' &&
			registry.takesWhole &&
			digestOf(body) === url.searchParams.get('digest')
		) {
			registry.blobs.set(digestOf(body), body)
			return send(201, { 'docker-content-digest': digestOf(body) })
		}
		if (request.method === 'POST') {
			uploads.set(id, Buffer.alloc(0))
			return send(202, { location })
		}
		const sofar = uploads.get(id)
		if (!sofar || url.searchParams.get('state') !== 'kept') return send(404)
		const whole = Buffer.concat([sofar, body])
		if (request.method === 'GET') return send(204, { location, range: `0-${Math.max(0, sofar.length - 1)}` })
		if (request.method === 'PATCH') {
			// Without a range it is all that there is to come, as docker sends it.
			const range = request.headers['content-range'] ?? `${sofar.length}-`
			if (!range.startsWith(`${sofar.length}-`)) {
				return send(416, { location, range: `0-${Math.max(0, sofar.length - 1)}` })
			}
			uploads.set(id, whole)
			return send(202, { location, range: `0-${whole.length - 1}` })
		}
		if (request.method === 'DELETE') {
			uploads.delete(id)
			return send(204)
		}
		const digest = url.searchParams.get('digest') ?? ''
		if (digestOf(whole) !== digest) {
			return send(400, {}, Buffer.from('{"errors":[{"code":"DIGEST_INVALID","message":"does not match"}]}'))
		}
		registry.blobs.set(digest, whole)
		send(201, { 'docker-content-digest': digest })
	}

	const server = createServer((request, response) => {
		registry.log.push(`${request.method} ${request.url}`)
		registry.requests.push(request)
		request.on('error', () => undefined)
		if (!registry.fault(request, response)) answer(request, response).catch(() => response.destroy())
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
	return Object.assign(registry, {
		host,
		close() {
			server.closeAllConnections()
			server.close()
		},
	})
}

async function read(request: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = []
	for await (const chunk of request) chunks.push(chunk as Buffer)
	return Buffer.concat(chunks)
}
