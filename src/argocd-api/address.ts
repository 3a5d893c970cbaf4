import { UserError } from '../errors/index.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Where argocd-server is: `host[:port][/root]`, over TLS; `http://` for this machine alone, as
 * with a port-forward, because the token would be read on the way to any other.
 * @throws UserError `USAGE`
 */
export function parseArgocdAddress(text: string): URL {
	const full = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`
	const url = URL.canParse(full) ? new URL(full) : undefined
	const isPlain = url !== undefined && url.username === '' && url.search === '' && url.hash === ''
	if (!isPlain || url.hostname === '' || !['http:', 'https:'].includes(url.protocol)) {
		// What is wrong may be a password in it: it is not shown.
		throw new UserError('USAGE', 'the address of argocd-server cannot be read', {
			hint: 'Write --cluster argocd:argocd.example.com, with :PORT and /ROOT where it has them; the token comes by ARGOCD_AUTH_TOKEN.',
		})
	}
	if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
		throw new UserError('USAGE', `the token of Argo CD does not go to ${url.host} without TLS`, {
			hint: `Write argocd:${url.host}, or reach it by a port-forward: argocd:http://127.0.0.1:8080`,
		})
	}
	return url
}
