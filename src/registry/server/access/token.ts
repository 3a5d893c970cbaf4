import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import { UserError } from '../../../errors/index.ts'

/** Writing includes reading. */
export type Right = 'read' | 'write'

/** A token as it is stored: nothing that lets anybody in. */
export interface StoredToken {
	/** Names it in the token itself, in lists and for revoking. */
	readonly id: string
	/** Whose it is, as events and the log name it. */
	readonly name: string
	readonly right: Right
	/** Hex, of the whole token. A token has 256 random bits: nothing slower is needed. */
	readonly sha256: string
	/** ISO 8601. */
	readonly createdAt: string
	/** ISO 8601; absent: never. */
	readonly expiresAt?: string | undefined
}

export interface NewToken {
	readonly name: string
	readonly right: Right
	readonly now: Date
	/** Milliseconds. */
	readonly lifetimeMs?: number | undefined
}

const ID_BYTES = 6
const SECRET_BYTES = 32
/** The prefix is for scanners of secrets. */
const TOKEN = /^ldr_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/

const storedSchema: v.GenericSchema<unknown, StoredToken> = v.object({
	id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
	name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
	right: v.picklist(['read', 'write']),
	sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
	createdAt: v.string(),
	expiresAt: v.optional(
		v.pipe(
			v.string(),
			v.check((text) => !Number.isNaN(Date.parse(text))),
		),
	),
})

const fileSchema = v.object({ version: v.literal(1), tokens: v.array(storedSchema) })

/** @returns the token, which is shown once, and what is kept of it */
export function makeToken({ name, right, now, lifetimeMs }: NewToken): {
	readonly text: string
	readonly stored: StoredToken
} {
	const id = randomBytes(ID_BYTES).toString('hex')
	const text = `ldr_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
	const stored: StoredToken = {
		id,
		name,
		right,
		sha256: createHash('sha256').update(text).digest('hex'),
		createdAt: now.toISOString(),
		...(lifetimeMs !== undefined && { expiresAt: new Date(now.getTime() + lifetimeMs).toISOString() }),
	}
	return { text, stored }
}

/** Whether a password is meant to be a token. */
export function looksLikeToken(text: string): boolean {
	return text.startsWith('ldr_')
}

/** The stored token that a text is, unless it has expired. */
export function findToken(
	tokens: ReadonlyMap<string, StoredToken>,
	text: string,
	now: number,
): StoredToken | undefined {
	const id = TOKEN.exec(text)?.[1]
	const stored = id === undefined ? undefined : tokens.get(id)
	if (!stored) return undefined
	const sha256 = createHash('sha256').update(text).digest()
	if (!timingSafeEqual(sha256, Buffer.from(stored.sha256, 'hex'))) return undefined
	return isExpired(stored, now) ? undefined : stored
}

export function isExpired({ expiresAt }: StoredToken, now: number): boolean {
	return expiresAt !== undefined && Date.parse(expiresAt) <= now
}

/** @throws UserError `CREDENTIALS_UNREADABLE` */
export function parseTokens(text: string, path: string): readonly StoredToken[] {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), fileSchema), text)
	if (parsed.success) return parsed.output.tokens
	throw new UserError('CREDENTIALS_UNREADABLE', `${path} is not a file of tokens, or is damaged`, {
		hint: 'Remove it and make the tokens anew: lading registry token create NAME --read',
	})
}

export function formatTokens(tokens: readonly StoredToken[]): string {
	return `${JSON.stringify({ version: 1, tokens }, undefined, '\t')}\n`
}
