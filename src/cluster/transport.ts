import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { isSystemError, RemoteError } from '../errors/index.ts'
import type { Access } from './access.ts'
import { connectionFailure, refusal } from './api-failure.ts'

export interface ApiRequest {
	readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
	/** Below the server's URL, without a leading slash. */
	readonly path: string
	readonly query?: Readonly<Record<string, string | undefined>> | undefined
	readonly body?: unknown
	/** Of the body; `application/json`. */
	readonly contentType?: string | undefined
	readonly signal?: AbortSignal | undefined
	/** Milliseconds without a byte after which the connection counts as dead. */
	readonly idleTimeout?: number | undefined
}

export interface Transport {
	readonly server: URL
	/** The answer's JSON. @throws RemoteError */
	json(request: ApiRequest): Promise<unknown>
	/** The answer as it comes. @throws RemoteError */
	stream(request: ApiRequest): Promise<IncomingMessage>
}

export interface TransportOptions {
	readonly access: Access
	/** Ends every request. */
	readonly signal?: AbortSignal | undefined
	readonly sleep?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

const IDLE_MS = 60_000
const MAX_BODY_BYTES = 128 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const BUSY_ATTEMPTS = 5
const MAX_BUSY_MS = 30_000

export const pause = async (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
	await delay(milliseconds, undefined, signal ? { signal } : {})

export function createTransport({ access, signal: life, sleep = pause }: TransportOptions): Transport {
	const { server } = access

	async function stream(request: ApiRequest): Promise<IncomingMessage> {
		const url = urlOf(server, request)
		const call = { method: request.method, url }
		const signal = anySignal(life, request.signal)
		let fresh = false
		for (let attempt = 1; ; attempt++) {
			signal?.throwIfAborted()
			const response = await send(access, { ...request, signal, url, fresh })
			const status = response.statusCode ?? 0
			if (status < 300) return response
			const body = await readText(response, { limit: MAX_ERROR_BYTES, truncate: true }).catch(
				(error: unknown) => {
					throw connectionFailure(call, error)
				},
			)
			if (status === 401 && !fresh) {
				fresh = true
				continue
			}
			const wait = Number(response.headers['retry-after'] ?? Number.NaN) * 1000
			const busy = (status === 429 || status === 503) && Number.isFinite(wait) && wait <= MAX_BUSY_MS
			if (!busy || attempt >= BUSY_ATTEMPTS) throw refusal(call, { status, body })
			await sleep(wait, signal)
		}
	}

	return {
		server,
		stream,
		async json(request) {
			const call = { method: request.method, url: urlOf(server, request) }
			const response = await stream(request)
			let text: string
			try {
				text = await readText(response, { limit: MAX_BODY_BYTES, truncate: false })
			} catch (error) {
				if (request.signal?.aborted === true) throw request.signal.reason
				if (life?.aborted === true) throw life.reason
				throw connectionFailure(call, error)
			}
			try {
				return JSON.parse(text) as unknown
			} catch (error) {
				throw new RemoteError('CLUSTER_FAILED', `${server.host} answers with something that is no JSON`, {
					cause: error,
					hint: 'Check the server in the kubeconfig: is it the API server?',
					wire: { method: call.method, url: call.url.href, status: response.statusCode },
				})
			}
		},
	}
}

export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
	const present = signals.filter((signal) => signal !== undefined)
	return present.length > 1 ? AbortSignal.any(present) : present[0]
}

function urlOf(server: URL, { path, query = {} }: ApiRequest): URL {
	const url = new URL(server)
	url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`
	for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value)
	return url
}

interface Sending extends ApiRequest {
	readonly url: URL
	readonly fresh: boolean
}

async function send(access: Access, request: Sending): Promise<IncomingMessage> {
	const { method, url, signal } = request
	for (let attempt = 1; ; attempt++) {
		const authorization = await access.authorize({ fresh: request.fresh, signal })
		const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
		let reused = false
		try {
			return await new Promise<IncomingMessage>((resolve, reject) => {
				const open = url.protocol === 'http:' ? httpRequest : httpsRequest
				const sent = open(url, {
					method,
					agent: authorization.agent,
					headers: {
						...authorization.headers,
						accept: 'application/json',
						'user-agent': 'lading',
						...(body && {
							'content-type': request.contentType ?? 'application/json',
							'content-length': body.byteLength,
						}),
					},
					...(signal && { signal }),
				})
				const idle = request.idleTimeout ?? IDLE_MS
				sent.setTimeout(idle, () =>
					sent.destroy(
						new RemoteError(
							'CLUSTER_UNREACHABLE',
							`the cluster ${url.host} did not answer within ${idle / 1000} s`,
							{
								hint: 'Check the network to it, then try again.',
								wire: { method, url: url.href, retryable: true },
							},
						),
					),
				)
				sent.once('response', resolve)
				// Without a listener Node.js ends the request and says nothing.
				sent.once('upgrade', (_, socket) => {
					socket.destroy()
					reject(
						new RemoteError(
							'CLUSTER_FAILED',
							`the cluster ${url.host} answers that it changes to another protocol (status 101)`,
							{
								hint: 'Check the address, and what stands between.',
								wire: { method, url: url.href, status: 101 },
							},
						),
					)
				})
				sent.on('error', (error) => {
					reused = sent.reusedSocket
					reject(error)
				})
				sent.end(body)
			})
		} catch (error) {
			if (signal?.aborted === true) throw signal.reason
			// A kept connection may have been closed by the other side a moment ago.
			if (reused && attempt < 3 && method !== 'POST' && isSystemError(error, 'ECONNRESET', 'EPIPE')) continue
			throw connectionFailure({ method, url }, error)
		}
	}
}

async function readText(
	response: IncomingMessage,
	{ limit, truncate }: { readonly limit: number; readonly truncate: boolean },
): Promise<string> {
	const chunks: Buffer[] = []
	let size = 0
	for await (const chunk of response as AsyncIterable<Buffer>) {
		size += chunk.byteLength
		if (size > limit) {
			if (truncate) break
			throw new RemoteError('CLUSTER_FAILED', `the cluster's answer is longer than ${limit} bytes`)
		}
		chunks.push(chunk)
	}
	return Buffer.concat(chunks).toString('utf8')
}
