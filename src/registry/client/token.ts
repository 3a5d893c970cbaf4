import * as v from 'valibot'
import { RemoteError } from '../../errors/index.ts'
import type { HttpClient } from '../../http/client/index.ts'
import type { Credential } from './credential.ts'
import { knownAnswer } from './known-registries.ts'
import { printable, protocolError, refusalOf, signIn } from './registry-errors.ts'
import { parseJson } from './parse-json.ts'

export interface TokenRequest {
	readonly registry: string
	/** Checked by the caller: https, or a place where plain HTTP is allowed. */
	readonly realm: URL
	readonly service: string | undefined
	readonly scopes: readonly string[]
	readonly credential: Credential | undefined
	readonly signal?: AbortSignal | undefined
}

export interface Token {
	readonly value: string
	/** Milliseconds since the epoch. */
	readonly expires: number
}

/** In bytes. */
const MAX_TOKEN_BYTES = 256 * 1024
/** What the specification says a token without `expires_in` is good for, in seconds. */
const DEFAULT_SECONDS = 60
/** A token is renewed this long before it ends, in milliseconds, at most half its life. */
const SKEW = 10_000
const CLIENT_ID = 'lading'

const tokenSchema = v.object({
	token: v.nullish(v.string()),
	access_token: v.nullish(v.string()),
	expires_in: v.nullish(v.number()),
})

/**
 * Fetches a token from the realm that a registry named.
 * @throws RemoteError `UNAUTHENTICATED`, `FORBIDDEN`, `REGISTRY_FAILED`, `REGISTRY_PROTOCOL`
 * @see https://distribution.github.io/distribution/spec/auth/token/ and /oauth/
 */
export async function fetchToken(http: HttpClient, request: TokenRequest, now: () => number): Promise<Token> {
	return await http.attempt(() => askForToken(http, request, now), { signal: request.signal })
}

async function askForToken(http: HttpClient, request: TokenRequest, now: () => number): Promise<Token> {
	const { registry, credential } = request
	const response =
		credential?.kind === 'identity-token'
			? await postToken(http, request, credential.token)
			: await getToken(http, request, credential)
	if (response.status !== 200) {
		const action = `issue a token for ${request.scopes.join(' ') || registry}`
		const refusal = await refusalOf(response, {
			registry: request.realm.host,
			action,
			authenticated: credential !== undefined,
		})
		if (response.status !== 401 && response.status !== 403 && response.status !== 400) throw refusal
		// What a token service says of a wrong password is known by the registry that it stands for.
		const known = knownAnswer(registry, { status: response.status, text: refusal.message })
		throw new RemoteError(response.status === 403 ? 'FORBIDDEN' : 'UNAUTHENTICATED', refusal.message, {
			hint: known?.hint ?? signIn(registry, credential !== undefined),
			wire: refusal.wire,
		})
	}
	const text = await response.text(MAX_TOKEN_BYTES)
	const parsed = v.safeParse(tokenSchema, parseJson(text))
	const value = parsed.success ? (parsed.output.token ?? parsed.output.access_token) : undefined
	if (!parsed.success || !value || !/^[\x21-\x7E]+$/.test(value)) {
		throw protocolError(
			registry,
			`names ${printable(request.realm.host)} for tokens, which answers with none`,
			response,
		)
	}
	const life = Math.max(parsed.output.expires_in ?? DEFAULT_SECONDS, 1) * 1000
	return { value, expires: now() + life - Math.min(SKEW, life / 2) }
}

function getToken(
	http: HttpClient,
	{ realm, service, scopes, signal }: TokenRequest,
	credential: (Credential & { readonly kind: 'password' }) | undefined,
): ReturnType<HttpClient['request']> {
	const url = new URL(realm)
	if (service !== undefined) url.searchParams.set('service', service)
	for (const scope of scopes) url.searchParams.append('scope', scope)
	if (credential) url.searchParams.set('account', credential.username)
	const headers = credential ? { authorization: basic(credential) } : {}
	return http.request({ method: 'GET', url: url.href, headers, retry: false, signal })
}

function postToken(
	http: HttpClient,
	{ realm, service, scopes, signal }: TokenRequest,
	refreshToken: string,
): ReturnType<HttpClient['request']> {
	const form = new URLSearchParams({
		grant_type: 'refresh_token',
		client_id: CLIENT_ID,
		refresh_token: refreshToken,
		...(service !== undefined && { service }),
		...(scopes.length > 0 && { scope: scopes.join(' ') }),
	})
	return http.request({
		method: 'POST',
		url: realm.href,
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: Buffer.from(form.toString()),
		// Its body is the secret: it goes nowhere but to the realm.
		redirect: 'manual',
		retry: false,
		signal,
	})
}

/** The value of an `Authorization` header. */
export function basic({ username, password }: Credential & { readonly kind: 'password' }): string {
	return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
