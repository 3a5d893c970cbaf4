import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import type { AgentOptions } from 'node:https'
import { isIP, isIPv4 } from 'node:net'
import type { SecureContext } from 'node:tls'
import { UserError } from '../../errors/index.ts'
import { hostOf, portOf } from './address.ts'
import { isUnknownCa } from './failure.ts'
import { withLargeReads } from './large-reads.ts'
import { PROXY_VARIABLES } from './proxy-variables.ts'
import { narrowTrust, type Trust, wideTrust } from './trust.ts'

export interface TransportOptions {
	readonly ca: string | undefined
	/** Whether more than the given CAs may be trusted. */
	readonly systemRoots: boolean
	readonly insecure: boolean | undefined
	readonly env: Readonly<Record<string, string | undefined>>
	/** Milliseconds. */
	readonly connectTimeout: number
}

/** How a URL is reached: directly, or through a proxy. */
export interface Route {
	readonly proxy?: string | undefined
	/** Which set of CAs its connection is checked against. */
	readonly trust: Trust | undefined
	open(method: string, headers: Record<string, string>): ClientRequest
}

export interface Transport {
	route(url: URL): Promise<Route>
	/**
	 * After a failure for an unknown CA: whether more CAs are at hand, so that it is
	 * worth trying again. They are read only now because parsing hundreds of
	 * certificates costs more than a small push.
	 */
	widenTrust(route: Route, error: unknown): Promise<boolean>
	close(): void
}

/** More connections to one host than this wait for one another. */
const MAX_SOCKETS = 16

/**
 * Node.js 20 asks of a host name, several times, whether it is an IPv6 address, by a large regular expression: V8 makes bytecode of it the
 * first time and machine code the second, in 7 ms. For a text as long as this it makes machine code at once, in 1.4 ms.
 */
const LONG_TEXT = '-'.repeat(1000)

export function createTransport(options: TransportOptions): Transport {
	const { ca, systemRoots, insecure, env, connectTimeout } = options
	const agents = new Map<string, Agent>()
	const contexts = new Map<Trust['id'], SecureContext>()
	const usesProxies = PROXY_VARIABLES.some((name) => env[name] !== undefined && env[name] !== '')
	let trust: Trust | undefined
	let wide: Promise<Trust> | undefined

	function agentFor(key: string, create: () => Agent): Agent {
		let agent = agents.get(key)
		if (!agent) agents.set(key, (agent = create()))
		return agent
	}

	function directAgent(key: string, create: () => Agent): Agent {
		return agentFor(key, () => withLargeReads(create()))
	}

	/** One context for all connections: otherwise Node parses every CA again for each of them. */
	async function tlsOptions({ id, ca: trusted }: Trust): Promise<AgentOptions> {
		const options = { keepAlive: true, maxSockets: MAX_SOCKETS, rejectUnauthorized: insecure !== true }
		if (!trusted) return options
		let secureContext = contexts.get(id)
		if (!secureContext) {
			const { createSecureContext } = await import('node:tls')
			contexts.set(id, (secureContext = createSecureContext({ ca: [...trusted] })))
		}
		return { ...options, secureContext }
	}

	async function direct(url: URL): Promise<Route> {
		const target = { host: hostOf(url), port: portOf(url), path: pathOf(url) }
		if (url.protocol === 'http:') {
			const http = await import('node:http')
			const agent = directAgent('http', () => new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS }))
			return {
				trust: undefined,
				open: (method, headers) => http.request({ ...target, method, headers, agent }),
			}
		}
		if (url.protocol !== 'https:') throw badScheme(url)
		const https = await import('node:https')
		const current = (trust ??= narrowTrust(ca, env))
		const tls = await tlsOptions(current)
		const agent = directAgent(`https ${current.id}`, () => new https.Agent(tls))
		return {
			trust: current,
			open: (method, headers) => https.request({ ...target, method, headers, agent }),
		}
	}

	async function proxied(url: URL, proxy: URL): Promise<Route> {
		const { openThroughProxy, createTunnelAgent } = await import('./tunnel.ts')
		const current = (trust ??= narrowTrust(ca, env))
		const name = `${proxy.protocol}//${proxy.host}`
		const shared = { proxy: name, trust: current }
		const tls = await tlsOptions(current)
		if (url.protocol === 'http:') {
			const agent = agentFor(`${proxy.href} ${current.id}`, () => openThroughProxy.agent(proxy, tls))
			return {
				...shared,
				open: (method, headers) => openThroughProxy.request(proxy, { url, method, headers, agent }),
			}
		}
		if (url.protocol !== 'https:') throw badScheme(url)
		const { request } = await import('node:https')
		const key = `tunnel ${proxy.href} ${current.id}`
		const agent = agentFor(key, () => createTunnelAgent(proxy, { tls, timeout: connectTimeout }))
		const target: RequestOptions = { host: hostOf(url), port: portOf(url), path: pathOf(url), agent }
		return { ...shared, open: (method, headers) => request({ ...target, method, headers }) }
	}

	return {
		async route(url) {
			if (!isIPv4(hostOf(url))) isIP(LONG_TEXT)
			if (!usesProxies) return direct(url)
			const { proxyFor } = await import('./proxy.ts')
			const proxy = proxyFor(url, env)
			return proxy ? proxied(url, proxy) : direct(url)
		},
		async widenTrust(route, error) {
			if (route.trust === undefined || route.trust.wide || !isUnknownCa(error)) return false
			if (ca !== undefined && !systemRoots) return false
			wide ??= wideTrust(route.trust, env)
			trust = await wide
			return true
		},
		close() {
			for (const agent of agents.values()) agent.destroy()
		},
	}
}

function badScheme(url: URL): UserError {
	return new UserError('REFERENCE_INVALID', `${url.protocol}// is not a scheme lading can fetch from`)
}

function pathOf(url: URL): string {
	return url.pathname + url.search
}

/** Whether a TLS handshake succeeds at a URL's host and port, whoever answers. */
export async function speaksTls(url: URL, timeout: number): Promise<boolean> {
	const { connect } = await import('node:tls')
	return new Promise((resolve) => {
		// Nothing is sent and nothing is read: whose certificate it is does not matter.
		const socket = connect({ host: hostOf(url), port: portOf(url), rejectUnauthorized: false })
		const done = (spoken: boolean): void => {
			socket.destroy()
			resolve(spoken)
		}
		socket.setTimeout(timeout, () => done(false))
		socket.once('secureConnect', () => done(true))
		socket.once('error', () => done(false))
		socket.once('close', () => done(false))
	})
}
