import { InternalError } from '../../errors/index.ts'

/** Host for a socket: IPv6 without its brackets. */
export function hostOf(url: URL): string {
	if (url.hostname === '') throw new InternalError('a URL without a host')
	return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

export function portOf(url: URL): number {
	if (url.port !== '') return Number(url.port)
	return url.protocol === 'https:' ? 443 : 80
}
