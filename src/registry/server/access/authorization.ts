/** What a client shows in its header `Authorization`. */
export type Shown =
	| { readonly kind: 'nothing' }
	| { readonly kind: 'basic'; readonly user: string; readonly password: string }
	| { readonly kind: 'bearer'; readonly token: string }
	/** Not a header of these schemes. */
	| { readonly kind: 'invalid' }

const NOTHING: Shown = { kind: 'nothing' }
const INVALID: Shown = { kind: 'invalid' }

/** Longer than any password or token that is taken. */
const MAX_LENGTH = 4096

/**
 * Reads `Authorization`. Basic with neither user nor password is how some clients say nothing.
 * @see https://www.rfc-editor.org/rfc/rfc7617 Basic
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 Bearer
 */
export function parseAuthorization(header: string | undefined): Shown {
	if (header === undefined) return NOTHING
	if (header.length > MAX_LENGTH) return INVALID
	const match = /^(basic|bearer) +([A-Za-z0-9+/=._~-]+)$/i.exec(header)
	const value = match?.[2] ?? ''
	if (match?.[1]?.toLowerCase() === 'bearer') return { kind: 'bearer', token: value }
	return match && /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? parseBasic(value) : INVALID
}

function parseBasic(value: string): Shown {
	const text = Buffer.from(value, 'base64').toString('utf8')
	const colon = text.indexOf(':')
	if (text === ':') return NOTHING
	return colon < 0 ? INVALID : { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
}
