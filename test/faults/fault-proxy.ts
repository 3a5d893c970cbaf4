import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A way in which one request goes wrong. */
export type Fault =
	/** Answered by the proxy, never seen by the registry. */
	| { readonly kind: 'status'; readonly status: number; readonly retryAfter?: 'seconds' | 'date' }
	/** A TCP reset before anything is passed on. */
	| { readonly kind: 'reset' }
	/** A reset while the body is on its way to the registry. */
	| { readonly kind: 'reset-midway' }
	/** The registry did it, and its answer is lost. */
	| { readonly kind: 'lost' }
	/** The connection ends in the middle of the answer. */
	| { readonly kind: 'truncated' }
	/** Nobody answers. */
	| { readonly kind: 'stalled' }
	/** The answer stops in the middle, and the connection stays. */
	| { readonly kind: 'stalled-midway' }
	/** The token is no longer good. */
	| { readonly kind: 'expired' }

/** All that a client can be expected to survive. */
export const PASSING: readonly Fault[] = [
	...[408, 425, 429, 500, 502, 503, 504].map((status): Fault => ({ kind: 'status', status })),
	{ kind: 'status', status: 429, retryAfter: 'seconds' },
	{ kind: 'status', status: 503, retryAfter: 'date' },
	{ kind: 'reset' },
	{ kind: 'reset-midway' },
	{ kind: 'lost' },
	{ kind: 'truncated' },
	{ kind: 'stalled' },
	{ kind: 'stalled-midway' },
	{ kind: 'expired' },
]

/** Whether, and how, a request goes wrong; `kind` is its method and what it is about, without names. */
export type Decide = (kind: string) => Fault | undefined

export interface FaultProxy {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	/** Every request as `METHOD kind`, with what went wrong. */
	readonly log: string[]
	decide: Decide
	close(): void
}

export interface FaultProxyOptions {
	/** `host:port` of the registry, over plain HTTP. */
	readonly target: string
	/** Asks for a token of its own, which the registry does not see. */
	readonly tokens?: boolean
}

/** Bytes of a body that get through before a connection breaks midway. */
const MIDWAY = 1_500_000

/** Stands before a registry and breaks what it is told to break. */
export async function startFaultProxy({ target, tokens = false }: FaultProxyOptions): Promise<FaultProxy> {
	const [hostname, port] = target.split(':')
	const log: string[] = []
	let generation = 1
	const state: { decide: Decide } = { decide: () => undefined }

	function answer(request: IncomingMessage, response: ServerResponse): void {
		const kind = kindOf(request)
		const fault = state.decide(kind)
		log.push(fault ? `${kind}: ${fault.kind}${'status' in fault ? ` ${fault.status}` : ''}` : kind)
		if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
		if (fault?.kind === 'stalled') return void request.resume()
		if (fault?.kind === 'status') {
			request.resume()
			const later =
				fault.retryAfter === 'date' ? new Date(Date.now() + 2000).toUTCString() : fault.retryAfter && '1'
			response.writeHead(fault.status, later === undefined ? {} : { 'retry-after': later }).end('broken')
			return
		}
		if (kind.endsWith(' token')) return send(response, fault, Buffer.from(`{"token":"t${generation}"}`))
		if (tokens) {
			if (fault?.kind === 'expired') generation++
			if (request.headers.authorization !== `Bearer t${generation}`) {
				const challenge = `Bearer realm="http://${request.headers.host}/token",service="faults"`
				response.writeHead(401, { 'www-authenticate': challenge, connection: 'close' }).end()
				return
			}
		}
		forward(request, response, fault)
	}

	function send(response: ServerResponse, fault: Fault | undefined, bytes: Buffer): void {
		if (fault?.kind === 'lost') return void response.socket?.resetAndDestroy()
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.byteLength })
		if (fault?.kind !== 'truncated' && fault?.kind !== 'stalled-midway') return void response.end(bytes)
		response.write(bytes.subarray(0, 3), () => {
			if (fault.kind === 'truncated') response.socket?.destroy()
		})
	}

	function forward(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
		const { authorization: _, ...headers } = request.headers
		const onward = httpRequest({ hostname, port, method: request.method, path: request.url, headers })
		const reset = (): void => {
			onward.destroy()
			request.socket.resetAndDestroy()
		}
		onward.on('error', () => request.socket.destroy())
		request.on('error', () => onward.destroy())
		onward.once('response', (answered) => {
			answered.on('error', () => response.destroy())
			if (fault?.kind === 'lost') {
				answered.resume().once('end', () => request.socket.resetAndDestroy())
				return
			}
			const half = fault?.kind === 'truncated' || fault?.kind === 'stalled-midway'
			const length = Number(answered.headers['content-length'] ?? 0)
			if (!half) {
				response.writeHead(answered.statusCode ?? 500, answered.headers)
				answered.pipe(response)
				return
			}
			if (request.method === 'HEAD' || length === 0) {
				// No answer is shorter than its head.
				answered.resume()
				if (fault.kind === 'truncated') request.socket.destroy()
				return
			}
			response.writeHead(answered.statusCode ?? 500, answered.headers)
			let left = Math.floor(length / 2)
			answered.on('data', (chunk: Buffer) => {
				if (left <= 0) return
				const part = chunk.subarray(0, left)
				left -= part.byteLength
				response.write(part, () => {
					if (left <= 0 && fault.kind === 'truncated') response.socket?.destroy()
				})
			})
		})
		if (fault?.kind !== 'reset-midway') {
			request.pipe(onward)
			return
		}
		let passed = 0
		request.on('data', (chunk: Buffer) => {
			if (passed > MIDWAY) return
			passed += chunk.byteLength
			// Enough time for the registry to have what it will say that it has.
			onward.write(chunk, () => passed > MIDWAY && setTimeout(reset, 20))
		})
		request.once('end', () => passed <= MIDWAY && reset())
	}

	const server = createServer(answer)
	server.on('clientError', (_, socket) => socket.destroy())
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
	return Object.assign(state, {
		host,
		log,
		close() {
			server.closeAllConnections()
			server.close()
		},
	})
}

function kindOf({ method = '', url = '' }: IncomingMessage): string {
	if (url.startsWith('/token')) return `${method} token`
	const { pathname } = new URL(url, 'http://registry')
	const what = /^\/v2\/.+?\/(blobs\/uploads|blobs|manifests|tags|referrers)(?:\/|$)/.exec(pathname)?.[1]
	return `${method} ${what ?? pathname}`
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function seeded(seed: number): () => number {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d_2b_79_f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
}

/** Breaks requests at random, of one kind at most `most` times. */
export function brokenBySeed(
	seed: number,
	{
		faults,
		share,
		most,
	}: { readonly faults: readonly Fault[]; readonly share: number; readonly most: number },
): Decide {
	const random = seeded(seed)
	const count = new Map<string, number>()
	return (kind) => {
		const before = count.get(kind) ?? 0
		if (random() >= share || before >= most) return undefined
		count.set(kind, before + 1)
		return faults[Math.floor(random() * faults.length)]
	}
}
