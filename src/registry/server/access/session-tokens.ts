import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import type { Right } from './token.ts'

/** Who somebody has proved to be; without a user: anybody. */
export interface Identity {
	readonly user?: string | undefined
	readonly right: Right
	/** Of the credentials it came from, so that they can be taken away; see {@link SessionTokens}. */
	readonly of?: string | undefined
}

const LIFETIME_MS = 5 * 60 * 1000

const claimsSchema = v.object({
	user: v.optional(v.string()),
	right: v.picklist(['read', 'write']),
	of: v.optional(v.string()),
	until: v.number(),
})

/**
 * Short-lived tokens of the token endpoint: signed with a key of this process, so that
 * nothing needs to be kept of them.
 */
export class SessionTokens {
	readonly lifetimeMs: number = LIFETIME_MS
	readonly #key = randomBytes(32)

	issue(identity: Identity, now: number): string {
		const claims = Buffer.from(JSON.stringify({ ...identity, until: now + LIFETIME_MS })).toString(
			'base64url',
		)
		return `${claims}.${this.#sign(claims)}`
	}

	find(token: string, now: number): Identity | undefined {
		const dot = token.indexOf('.')
		const claims = token.slice(0, dot)
		const shown = Buffer.from(token.slice(dot + 1))
		const right = Buffer.from(this.#sign(claims))
		if (dot < 1 || shown.byteLength !== right.byteLength || !timingSafeEqual(shown, right)) return undefined
		const text = Buffer.from(claims, 'base64url').toString('utf8')
		const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), claimsSchema), text)
		if (!parsed.success || parsed.output.until <= now) return undefined
		const { until: _, ...identity } = parsed.output
		return identity
	}

	#sign(claims: string): string {
		return createHmac('sha256', this.#key).update(claims).digest('base64url')
	}
}
