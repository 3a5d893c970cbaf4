import { RemoteError } from '../../errors/index.ts'
import type { HttpResponse, RequestHeaders } from './message.ts'

const BOUND_TO_ORIGIN: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

export interface RedirectContext {
	readonly method: string
	readonly from: URL
	readonly headers: RequestHeaders
}

/**
 * Where an answer sends its request on, with the headers that may go there:
 * credentials stay with their origin (scheme, host and port).
 * @returns `undefined` when it is no redirect, or one that would turn the request into another
 * @throws RemoteError `TLS_PROTOCOL` on a way from https to http, `REGISTRY_PROTOCOL` for a bad target
 */
export function redirectTarget(
	response: Pick<HttpResponse, 'status' | 'headers'>,
	{ method, from, headers }: RedirectContext,
): { readonly url: URL; readonly headers: RequestHeaders } | undefined {
	const { status } = response
	const keepsMethod = status === 307 || status === 308
	const isRead = method === 'GET' || method === 'HEAD'
	if (!keepsMethod && !((status === 301 || status === 302 || status === 303) && isRead)) return undefined
	const location = response.headers.location
	if (location === undefined) return undefined
	const wire = { method, url: from.href, status }
	if (!URL.canParse(location, from.href)) {
		throw new RemoteError('REGISTRY_PROTOCOL', `${from.host} redirects to something that is no URL`, { wire })
	}
	const url = new URL(location, from)
	if (from.protocol === 'https:' && url.protocol === 'http:') {
		throw new RemoteError('TLS_PROTOCOL', `${from.host} redirects from https to plain http at ${url.host}`, {
			hint: 'lading does not leave TLS on a redirect. Have the registry announce its https address.',
			wire,
		})
	}
	if (url.protocol !== 'https:' && url.protocol !== 'http:') {
		throw new RemoteError('REGISTRY_PROTOCOL', `${from.host} redirects to ${url.protocol}, not http`, {
			wire,
		})
	}
	url.username = ''
	url.password = ''
	if (url.origin === from.origin) return { url, headers }
	const kept = Object.entries(headers).filter(([name]) => !BOUND_TO_ORIGIN.has(name.toLowerCase()))
	return { url, headers: Object.fromEntries(kept) }
}
