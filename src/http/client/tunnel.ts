import {
	Agent as HttpAgent,
	type ClientRequest,
	request as httpRequest,
	type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, type AgentOptions, request as httpsRequest } from 'node:https'
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Stalled, TunnelRefused } from './failure.ts'
import { hostOf, portOf } from './address.ts'

type Headers = Record<string, string>

function authorizationOf(proxy: URL): Headers {
	if (proxy.username === '' && proxy.password === '') return {}
	const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
	return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

function requestTo(proxy: URL, options: RequestOptions, tls: AgentOptions = {}): ClientRequest {
	const target = { ...options, host: hostOf(proxy), port: portOf(proxy) }
	return proxy.protocol === 'https:' ? httpsRequest({ ...tls, ...target }) : httpRequest(target)
}

interface Through {
	readonly url: URL
	readonly method: string
	readonly headers: Headers
	readonly agent: HttpAgent
}

/** Plain HTTP through a proxy: the request line carries the whole URL. @see RFC 9112 section 3.2.2 */
export const openThroughProxy: {
	agent(proxy: URL, tls: AgentOptions): HttpAgent
	request(proxy: URL, through: Through): ClientRequest
} = {
	agent: (proxy, tls) =>
		proxy.protocol === 'https:' ? new HttpsAgent(tls) : new HttpAgent({ keepAlive: true }),
	request(proxy, { url, method, headers, agent }) {
		return requestTo(proxy, {
			method,
			path: url.href,
			headers: { ...headers, host: url.host, ...authorizationOf(proxy) },
			agent,
		})
	},
}

type Created = (error: Error | null, socket?: TLSSocket) => void

/** An agent whose TLS connections run through a `CONNECT` tunnel. @see RFC 9110 section 9.3.6 */
export function createTunnelAgent(proxy: URL, options: TunnelOptions): HttpsAgent {
	const agent = new HttpsAgent(options.tls)
	// Node's hook for a new connection; with a callback it may take its time.
	agent.createConnection = (target, callback) => {
		const created = callback as Created
		openTunnel(proxy, target as ConnectionOptions, options).then(
			(socket) => created(null, socket),
			(error: unknown) => created(error as Error),
		)
		return undefined
	}
	return agent
}

export interface TunnelOptions {
	readonly tls: AgentOptions
	/** Milliseconds until the proxy has answered. */
	readonly timeout: number
}

function openTunnel(proxy: URL, target: ConnectionOptions, options: TunnelOptions): Promise<TLSSocket> {
	const { host = '', port, path: _path, ...rest } = target
	const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
	const { rejectUnauthorized, secureContext } = options.tls
	const headers = { host: authority, ...authorizationOf(proxy) }
	const connect: RequestOptions = { method: 'CONNECT', path: authority, headers, agent: false }
	const request = requestTo(proxy, connect, {
		rejectUnauthorized,
		...(secureContext && { secureContext }),
	})
	request.setTimeout(options.timeout, () => request.destroy(new Stalled('connect', options.timeout)))
	return new Promise((resolve, reject) => {
		request.once('connect', (response, socket) => {
			if (response.statusCode === 200) {
				socket.setTimeout(0)
				// `host` is for the check of the certificate: without it, an address is held against the proxy's name.
				resolve(tlsConnect({ ...rest, host, socket }))
				return
			}
			socket.destroy()
			reject(new TunnelRefused(response.statusCode ?? 0))
		})
		request.once('error', reject)
		request.end()
	})
}
