import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { RemoteError } from '../errors/index.ts'
import type { Access } from './access.ts'
import { connectionFailure, refusal } from './api-failure.ts'
import { acceptOf, webSocketKey } from './web-socket.ts'

export interface OpenWebSocketOptions {
	readonly access: Access
	readonly url: URL
	/** Subprotocol; the server has to agree to it. */
	readonly protocol: string
	readonly signal?: AbortSignal | undefined
}

export interface OpenedWebSocket {
	readonly socket: Duplex
	/** What came with the answer already. */
	readonly head: Uint8Array
}

const OPEN_TIMEOUT_MS = 30_000
const MAX_ERROR_BYTES = 64 * 1024

/** The opening handshake of RFC 6455 with the API server. @throws RemoteError */
export async function openWebSocket(options: OpenWebSocketOptions): Promise<OpenedWebSocket> {
	try {
		return await handshake(options, false)
	} catch (error) {
		// A kept token may have expired; a credential plugin gives a new one.
		if (!(error instanceof RemoteError && error.wire?.status === 401)) throw error
		return await handshake(options, true)
	}
}

async function handshake(
	{ access, url, protocol, signal }: OpenWebSocketOptions,
	fresh: boolean,
): Promise<OpenedWebSocket> {
	const { agent, headers } = await access.authorize({ fresh, signal })
	const call = { method: 'GET', url }
	const key = webSocketKey()
	return await new Promise((resolve, reject) => {
		const open = url.protocol === 'http:' ? httpRequest : httpsRequest
		const request = open(url, {
			method: 'GET',
			agent,
			headers: {
				...headers,
				connection: 'Upgrade',
				upgrade: 'websocket',
				'sec-websocket-version': '13',
				'sec-websocket-key': key,
				'sec-websocket-protocol': protocol,
				'user-agent': 'lading',
			},
			...(signal && { signal }),
		})
		request.setTimeout(OPEN_TIMEOUT_MS, () => request.destroy(new Error('it did not answer in time')))
		request.once('upgrade', (response, socket, head) => {
			socket.setTimeout(0)
			const agreed =
				response.headers['sec-websocket-accept'] === acceptOf(key) &&
				response.headers['sec-websocket-protocol'] === protocol
			if (agreed) return resolve({ socket, head })
			socket.destroy()
			reject(new RemoteError('CLUSTER_FAILED', `the cluster ${url.host} does not speak ${protocol}`))
		})
		request.once('response', (response) => {
			readShort(response).then(
				(body) => reject(refusal(call, { status: response.statusCode ?? 0, body })),
				(error: unknown) => reject(connectionFailure(call, error)),
			)
		})
		request.once('error', (error) =>
			reject(signal?.aborted === true ? signal.reason : connectionFailure(call, error)),
		)
		request.end()
	})
}

async function readShort(response: IncomingMessage): Promise<string> {
	let text = ''
	response.setEncoding('utf8')
	for await (const chunk of response as AsyncIterable<string>) {
		text += chunk
		if (text.length > MAX_ERROR_BYTES) break
	}
	return text
}
