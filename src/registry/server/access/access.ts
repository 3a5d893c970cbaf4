import type { ServerRequest, ServerResponse } from '../../../http/server/index.ts'
import { fault, refuse } from '../wire.ts'
import { parseAuthorization, type Shown } from './authorization.ts'
import { clientAddress, plainAddress } from './client-address.ts'
import { type Found, GuessGuard, type LoginFailure } from './guess-guard.ts'
import { Passwords, type Soon } from './passwords.ts'
import { type Identity, SessionTokens } from './session-tokens.ts'
import { findToken, isExpired, looksLikeToken, type Right, type StoredToken } from './token.ts'
import { openTokenFile, type Tokens } from './token-file.ts'
import type { WatchedFile } from './watched-file.ts'

export type { LoginFailure } from './guess-guard.ts'
export type { Identity } from './session-tokens.ts'

/** What may be done without credentials. */
export type Anonymous = 'none' | Right

export interface AccessOptions {
	/** File of `user:bcrypt-hash` lines, as `htpasswd -B` writes it. Read again when it changes. */
	readonly htpasswd?: string | undefined
	/** Users of that file that may only read. The others may write. */
	readonly readers?: readonly string[] | undefined
	/** Directory with the tokens that `createToken` makes. Looked at again when they change. */
	readonly tokenDirectory?: string | undefined
	/** Default `none`. With `write` nobody is asked who he is. */
	readonly anonymous?: Anonymous | undefined
	/** Whether everybody may write for as long as no token was ever made there. Default: no. */
	readonly openUntilTokens?: boolean | undefined
	/** Wrong passwords of a user from an address in a minute, until it has to wait. Default 10. */
	readonly failures?: number | undefined
	/** Addresses of proxies whose `X-Forwarded-*` is believed. */
	readonly trustedProxies?: readonly string[] | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
	/** Told when a file that was good no longer is. */
	readonly onError?: ((error: unknown) => void) | undefined
	/** Told of everybody who was not let in: for a wrong password or token, or for too many of them. */
	readonly onFailure?: ((kind: LoginFailure) => void) | undefined
}

export type Admission =
	| { readonly kind: 'admitted'; readonly identity: Identity }
	| { readonly kind: 'refused'; readonly answer: ServerResponse }

const DEFAULT_FAILURES = 10
const HOST = /^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/

/** Path of the token endpoint. */
export const TOKEN_PATH = '/token'

const EVERYBODY: Admission = { kind: 'admitted', identity: { right: 'write' } }
/** Where nobody is asked who he is, a page that somebody looks at must not write for him, whatever name it gives this address. */
const FROM_PAGE: Admission = {
	kind: 'refused',
	answer: fault(403, 'DENIED', 'a page in a browser may not write where everybody else may'),
}
const READER: Admission = { kind: 'admitted', identity: { right: 'read' } }

/**
 * Who may come in, and what he may do: users of a password file, bearers of tokens, and
 * whoever else is let in.
 *
 * A token is taken as `Bearer`, and as the password of any user name, as that is all that
 * most clients can send. The challenge is Basic, which costs a client nothing; where
 * everybody may read it is Bearer with a token endpoint, as Docker asks for a password or
 * for none once for all, and only so gets both: pulls without, pushes with one.
 */
export class Access {
	readonly #options: AccessOptions
	readonly #now: () => number
	readonly #guard: GuessGuard
	readonly #passwords: Passwords
	readonly #tokens: WatchedFile<Tokens> | undefined
	readonly #trusted: ReadonlySet<string>
	readonly #sessions = new SessionTokens()

	/** @throws UserError `CREDENTIALS_UNREADABLE` */
	constructor(options: AccessOptions) {
		this.#options = options
		this.#now = options.now ?? Date.now
		const watch = { now: this.#now, onError: options.onError ?? (() => undefined) }
		this.#guard = new GuessGuard({
			perMinute: options.failures ?? DEFAULT_FAILURES,
			now: this.#now,
			onFailure: options.onFailure ?? (() => undefined),
		})
		this.#passwords = new Passwords({ ...options, ...watch, guard: this.#guard })
		this.#tokens =
			options.tokenDirectory === undefined ? undefined : openTokenFile(options.tokenDirectory, watch)
		this.#trusted = new Set(options.trustedProxies?.map(plainAddress))
	}

	/** What somebody without credentials may do now. */
	get anonymous(): Anonymous {
		if (this.#options.openUntilTokens === true && this.#tokens?.value === undefined) return 'write'
		return this.#options.anonymous ?? 'none'
	}

	addressOf(request: ServerRequest): string {
		return clientAddress(request, this.#trusted)
	}

	/** Whether a request may be answered. At once, but for a password that was not checked before. */
	admit(request: ServerRequest): Soon<Admission> {
		const { anonymous } = this
		if (anonymous === 'write') return comesFromPage(request) ? FROM_PAGE : EVERYBODY
		const shown = parseAuthorization(request.headers.authorization)
		if (shown.kind === 'nothing') {
			// Asking at the door tells Docker how to show who it is.
			const isDoor = request.path === '/v2/' || request.path === '/v2'
			if (anonymous === 'read' && reads(request) && !isDoor) return READER
			return this.#unauthorized(request, 'a user name and a password, or a token, are needed')
		}
		return after(this.#identify(shown, request), (found) => this.#judge(request, found))
	}

	/**
	 * The token endpoint, by GET: a short-lived token for whom the request shows, or for
	 * everybody where everybody may read.
	 * @see https://distribution.github.io/distribution/spec/auth/token/
	 */
	issue(request: ServerRequest): Soon<ServerResponse> {
		if (!reads(request)) {
			const refusal = fault(405, 'UNSUPPORTED', 'this endpoint takes GET, HEAD')
			return { ...refusal, headers: { ...refusal.headers, allow: 'GET, HEAD' } }
		}
		const shown = parseAuthorization(request.headers.authorization)
		const { anonymous } = this
		const isSession = shown.kind === 'bearer' && !looksLikeToken(shown.token)
		const found: Soon<Found> = isSession
			? // Else it would never expire.
				{ kind: 'wrong', why: 'such a token gets no other: show the password, or what it was issued for' }
			: shown.kind !== 'nothing'
				? this.#identify(shown, request)
				: anonymous === 'none'
					? { kind: 'wrong', why: 'a user name and a password, or a token, are needed' }
					: { kind: 'found', identity: { right: anonymous } }
		return after(found, (each) => {
			if (each.kind === 'refused') return each.answer
			if (each.kind === 'wrong') return unauthorized(BASIC, each.why)
			const now = this.#now()
			const token = this.#sessions.issue(each.identity, now)
			const seconds = this.#sessions.lifetimeMs / 1000
			return {
				status: 200,
				headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
				body: JSON.stringify({
					token,
					access_token: token,
					expires_in: seconds,
					issued_at: new Date(now).toISOString(),
				}),
			}
		})
	}

	close(): void {
		this.#passwords.close()
	}

	#judge(request: ServerRequest, found: Found): Admission {
		if (found.kind === 'refused') return found
		if (found.kind === 'wrong') return this.#unauthorized(request, found.why)
		const { identity } = found
		if (identity.right === 'write' || reads(request)) return { kind: 'admitted', identity }
		if (identity.user === undefined) return this.#unauthorized(request, 'writing needs a password or a token')
		return { kind: 'refused', answer: fault(403, 'DENIED', `${identity.user} may read here, but not write`) }
	}

	#identify(shown: Shown, request: ServerRequest): Soon<Found> {
		switch (shown.kind) {
			case 'basic':
				return looksLikeToken(shown.password)
					? this.#byToken(shown.password, request)
					: this.#passwords.find({ ...shown, address: this.addressOf(request) })
			case 'bearer':
				return looksLikeToken(shown.token)
					? this.#byToken(shown.token, request)
					: this.#bySession(shown.token)
			case 'invalid':
				return { kind: 'wrong', why: 'Authorization is neither Basic nor Bearer' }
			case 'nothing':
				return { kind: 'wrong', why: 'no password and no token' }
		}
	}

	#byToken(text: string, request: ServerRequest): Found {
		const tokens = this.#tokens?.value ?? new Map<string, StoredToken>()
		const stored = findToken(tokens, text, this.#now())
		if (stored) {
			const { id, name, right } = stored
			return { kind: 'found', identity: { user: name, right, of: `token ${id}` } }
		}
		// A token cannot be guessed: a right one is let in whatever came before.
		const who = { address: this.addressOf(request), user: '' }
		return this.#guard.wait(who) ?? this.#guard.failed(who, 'token')
	}

	#bySession(token: string): Found {
		const identity = this.#sessions.find(token, this.#now())
		const right = identity && this.#rightOf(identity)
		return identity && right
			? { kind: 'found', identity: { ...identity, right } }
			: { kind: 'wrong', why: 'the token has expired, or is none of this registry' }
	}

	/** What a session token was issued for must hold still. */
	#rightOf({ user, right, of }: Identity): Right | undefined {
		if (user === undefined || of === undefined) return this.anonymous === 'none' ? undefined : this.anonymous
		const [kind, id = ''] = of.split(' ')
		if (kind !== 'token') return this.#passwords.stillHolds(user, id) ? right : undefined
		const stored = this.#tokens?.value?.get(id)
		return stored && !isExpired(stored, this.#now()) ? right : undefined
	}

	#unauthorized(request: ServerRequest, why: string): Admission {
		return { kind: 'refused', answer: unauthorized(this.#challenge(request), why) }
	}

	#challenge(request: ServerRequest): string {
		const { host } = request.headers
		if (this.anonymous !== 'read' || host === undefined || !HOST.test(host)) return BASIC
		const isProxied = this.#trusted.has(plainAddress(request.remoteAddress))
		const proto = isProxied ? request.headers['x-forwarded-proto'] : undefined
		const scheme = proto === 'https' || proto === 'http' ? proto : request.scheme
		return `Bearer realm="${scheme}://${host}${TOKEN_PATH}",service="${host}"`
	}
}

const BASIC = 'Basic realm="lading registry", charset="UTF-8"'

function unauthorized(challenge: string, message: string): ServerResponse {
	return refuse(401, {
		faults: [{ code: 'UNAUTHORIZED', message }],
		headers: { 'www-authenticate': challenge },
	})
}

/** Browsers say so of every request that is neither GET nor HEAD; no client of registries does. */
function comesFromPage(request: ServerRequest): boolean {
	const { headers } = request
	return !reads(request) && (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
}

function reads({ method }: ServerRequest): boolean {
	return method === 'GET' || method === 'HEAD'
}

/** Goes on at once where it can: a promise costs more than most answers. */
function after<T, U>(value: Soon<T>, use: (value: T) => U): Soon<U> {
	return value instanceof Promise ? value.then(use) : use(value)
}
