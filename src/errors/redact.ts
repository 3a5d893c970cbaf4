const MASK = '***'

/** Query keys that never carry a secret: the words of the distribution and token specifications. */
const SAFE_QUERY_KEYS = new Set([
	'service',
	'scope',
	'n',
	'last',
	'digest',
	'from',
	'mount',
	'artifactType',
	'tag',
])

/**
 * A URL fit for a log or an error: no user information, and of the query only the
 * values of keys known to be harmless (signed blob URLs carry secrets in theirs).
 * Text that is no URL comes back with everything after `?` and before `@` masked.
 */
export function redactUrl(text: string): string {
	if (!URL.canParse(text)) return text.replace(/\/\/[^/@\s]*@/, `//${MASK}@`).replace(/\?.*$/s, `?${MASK}`)
	const url = new URL(text)
	if (url.username !== '') url.username = MASK
	if (url.password !== '') url.password = MASK
	for (const key of new Set(url.searchParams.keys())) {
		if (!SAFE_QUERY_KEYS.has(key)) url.searchParams.set(key, MASK)
	}
	url.hash = ''
	return url.href
}

const SECRET_HEADERS = new Set([
	'authorization',
	'proxy-authorization',
	'cookie',
	'set-cookie',
	'www-authenticate',
])

/** The value of a header, masked when the header can carry a secret. */
export function redactHeader(name: string, value: string): string {
	return SECRET_HEADERS.has(name.toLowerCase()) ? MASK : value
}
