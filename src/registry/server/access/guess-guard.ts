import type { ServerResponse } from '../../../http/server/index.ts'
import { refuse } from '../wire.ts'
import { FailureLimit } from './failure-limit.ts'
import type { Identity } from './session-tokens.ts'

/** What became of credentials. */
export type Found =
	| { readonly kind: 'found'; readonly identity: Identity }
	| { readonly kind: 'wrong'; readonly why: string }
	| { readonly kind: 'refused'; readonly answer: ServerResponse }

export type LoginFailure = 'password' | 'token' | 'limited'

/** Who tries. */
export interface Guesser {
	readonly address: string
	/** Empty for a token. */
	readonly user: string
}

export interface GuessGuardOptions {
	/** See {@link FailureLimit}. */
	readonly perMinute: number
	readonly now: () => number
	readonly onFailure: (kind: LoginFailure) => void
}

const WHY = {
	password: 'no such user, or not the password',
	token: 'the token is none of this registry, was revoked or has expired',
} as const

/** Counts wrong credentials, and makes whoever shows too many of them wait. */
export class GuessGuard {
	readonly #limit: FailureLimit
	readonly #options: GuessGuardOptions

	constructor(options: GuessGuardOptions) {
		this.#limit = new FailureLimit(options.perMinute)
		this.#options = options
	}

	/** The answer to who has to wait. */
	wait(who: Guesser): Found | undefined {
		const seconds = this.#limit.wait(who, this.#options.now())
		if (seconds === 0) return undefined
		this.#options.onFailure('limited')
		return tooMany(`too many wrong passwords, try again in ${seconds} seconds`, seconds)
	}

	failed(who: Guesser, kind: 'password' | 'token'): Found {
		this.#limit.failed(who, this.#options.now())
		this.#options.onFailure(kind)
		return { kind: 'wrong', why: WHY[kind] }
	}
}

/** 429, with the time after which to try again. */
export function tooMany(message: string, seconds: number): Found {
	const faults = [{ code: 'TOOMANYREQUESTS', message }] as const
	return { kind: 'refused', answer: refuse(429, { faults, headers: { 'retry-after': seconds } }) }
}
