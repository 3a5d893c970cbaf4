import { RemoteError } from '../../errors/index.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../../http/client/index.ts'
import { registryHostname } from '../../oci/index.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credential } from './credential.ts'
import type { Keychain } from './keychain.ts'
import { printable, protocolError } from './registry-errors.ts'
import { basic, fetchToken, type Token } from './token.ts'

export interface AuthorizedRequest {
	readonly registry: string
	/** Whose credential is looked up. */
	readonly repository: string
	/** What the request needs, such as `repository:team/app:pull,push`. */
	readonly scopes: readonly string[]
	readonly request: HttpRequest
}

/** Sends requests as whoever the registry wants to see. */
export interface Authorizer {
	send(request: AuthorizedRequest): Promise<HttpResponse>
	/** Whether a credential is in use at a registry. */
	isAuthenticated(registry: string): boolean
}

export interface AuthorizerOptions {
	readonly http: HttpClient
	readonly keychain: Keychain
	/** Whether credentials may travel over plain HTTP to this registry. */
	readonly plainHttp: (registry: string) => boolean
	readonly now: () => number
}

/** How a registry wants to be spoken to, learnt from its first 401. */
type Scheme =
	| { readonly kind: 'basic' }
	| { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined }

/** A token under way or there, for all who need it. */
interface Fetch {
	readonly token: Promise<Token>
	/** Of whoever asked for it first. */
	readonly signal: AbortSignal | undefined
}

/** How many more tokens a request is given for those that were refused to others while it was under way. */
const MAX_OF_OTHERS = 2

export function createAuthorizer({ http, keychain, plainHttp, now }: AuthorizerOptions): Authorizer {
	const schemes = new Map<string, Scheme>()
	const tokens = new Map<string, Fetch>()
	const authenticated = new Set<string>()
	/** How often a credential was refused, to all requests together. */
	let refusals = 0

	function tokenKey(to: AuthorizedRequest, scheme: Scheme & { readonly kind: 'bearer' }): string {
		return [to.registry, to.repository, scheme.realm.href, scheme.service ?? '', ...to.scopes].join('\n')
	}

	async function credentialFor({ registry, repository }: AuthorizedRequest): Promise<Credential | undefined> {
		const credential = await keychain.resolve(registry, repository)
		if (credential) authenticated.add(registry)
		return credential
	}

	async function bearer(
		to: AuthorizedRequest,
		scheme: Scheme & { readonly kind: 'bearer' },
	): Promise<string> {
		const key = tokenKey(to, scheme)
		const kept = tokens.get(key)
		const current = await tokenOf(kept)
		if (current && current.expires > now()) return current.value
		if (tokens.get(key) !== kept) return bearer(to, scheme)
		const {
			registry,
			scopes,
			request: { signal },
		} = to
		const token = credentialFor(to).then((credential) =>
			fetchToken(http, { registry, ...scheme, scopes, credential, signal }, now),
		)
		tokens.set(key, { token, signal })
		token.catch(() => tokens.delete(key))
		return (await token).value
	}

	/** The `Authorization` header to send, if the registry is known to want one. */
	async function authorization(to: AuthorizedRequest): Promise<string | undefined> {
		const scheme = schemes.get(to.registry)
		if (!scheme) return undefined
		if (scheme.kind === 'bearer') return `Bearer ${await bearer(to, scheme)}`
		const credential = await credentialFor(to)
		return credential?.kind === 'password' ? basic(credential) : undefined
	}

	function send(to: AuthorizedRequest, header: string | undefined): Promise<HttpResponse> {
		const { request } = to
		if (header === undefined) return http.request(request)
		return http.request({ ...request, headers: { ...request.headers, authorization: header } })
	}

	/** Learns from a 401. @returns whether another attempt may fare better */
	async function learn(
		to: AuthorizedRequest,
		response: HttpResponse,
		sent: string | undefined,
	): Promise<boolean> {
		// After a redirect the answer is another server's, which gets no say in this.
		if (new URL(response.url).origin !== new URL(to.request.url).origin) return false
		const scheme = chooseScheme(parseChallenges(response.headers['www-authenticate'] ?? ''), to, response)
		if (!scheme) return false
		schemes.set(to.registry, scheme)
		if (scheme.kind === 'bearer') {
			const key = tokenKey(to, scheme)
			const kept = await tokenOf(tokens.get(key))
			// Only the token that was refused: another request may have fetched a new one meanwhile.
			if (kept && sent === `Bearer ${kept.value}`) tokens.delete(key)
			return true
		}
		const credential = await credentialFor(to)
		return credential?.kind === 'password' && sent !== basic(credential)
	}

	function chooseScheme(
		challenges: readonly Challenge[],
		{ registry }: AuthorizedRequest,
		response: HttpResponse,
	): Scheme | undefined {
		const offered = challenges.find(({ scheme }) => scheme === 'bearer')
		if (!offered) return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined
		const { realm = '', service } = offered.parameters
		if (!URL.canParse(realm))
			throw protocolError(registry, 'asks for a token and names no realm for it', response)
		const url = new URL(realm)
		// A registry elsewhere must not have a credential sent in the clear to a port of this machine.
		const isHere = isLoopback(url) && isLoopback(new URL(`http://${registry}`))
		const isPlain = url.protocol === 'http:' && (plainHttp(registry) || isHere)
		if (url.protocol !== 'https:' && !isPlain) {
			throw new RemoteError(
				'TLS_PROTOCOL',
				`${registry} wants a credential sent to ${printable(url.host)} without TLS`,
				{
					hint: 'Nothing was sent. Have the registry name an https realm.',
					wire: { method: response.method, url: response.url, status: response.status },
				},
			)
		}
		return { kind: 'bearer', realm: url, service }
	}

	return {
		async send(to) {
			const before = refusals
			let own = 0
			let header = await authorization(to)
			let response = await send(to, header)
			// Once to learn the scheme, and once more for a token that ended on the way; where some end for others
			// meanwhile, it may have been given those.
			for (let round = 0; response.status === 401; round++) {
				if (header !== undefined) {
					refusals++
					own++
				}
				if (round >= 2 + Math.min(refusals - before - own, MAX_OF_OTHERS)) break
				if (!(await learn(to, response, header))) break
				const next = await authorization(to)
				if (next === undefined || next === header) break
				response.discard()
				header = next
				response = await send(to, header)
			}
			return response
		},
		isAuthenticated: (registry) => authenticated.has(registry),
	}
}

/**
 * A token under way is waited for, and fails for all who wait: each on its own would ask a service
 * in trouble as often again. @returns `undefined` where who asked for it has gone
 */
async function tokenOf(fetch: Fetch | undefined): Promise<Token | undefined> {
	try {
		return await fetch?.token
	} catch (error) {
		if (fetch?.signal?.aborted !== true) throw error
		return undefined
	}
}

function isLoopback({ hostname }: URL): boolean {
	return (
		registryHostname(hostname) === '::1' || hostname === 'localhost' || /^127(?:\.\d+){3}$/.test(hostname)
	)
}
