import { describe, expect, it } from 'vitest'
import { proxyFor } from './proxy.ts'

describe('proxyFor', () => {
	const proxy = 'http://proxy.test:3128'
	const cases: readonly (readonly [url: string, env: Record<string, string>, used: boolean])[] = [
		['https://example.com/', { HTTPS_PROXY: proxy }, true],
		['http://example.com/', { HTTPS_PROXY: proxy }, false],
		['https://example.com/', { HTTP_PROXY: proxy }, false],
		['https://example.com/', { ALL_PROXY: proxy }, true],
		['https://example.com/', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, false],
		['https://example.com/', { HTTPS_PROXY: proxy, NO_PROXY: 'a.test, example.com' }, false],
		['https://api.example.com/', { HTTPS_PROXY: proxy, NO_PROXY: 'example.com' }, false],
		['https://api.example.com/', { HTTPS_PROXY: proxy, NO_PROXY: '.example.com' }, false],
		['https://api.example.com/', { HTTPS_PROXY: proxy, NO_PROXY: '*.example.com' }, false],
		['https://example.com/', { HTTPS_PROXY: proxy, NO_PROXY: '.example.com' }, true],
		['https://notexample.com/', { HTTPS_PROXY: proxy, NO_PROXY: 'example.com' }, true],
		['https://example.com:8443/', { HTTPS_PROXY: proxy, NO_PROXY: 'example.com:8443' }, false],
		['https://example.com/', { HTTPS_PROXY: proxy, NO_PROXY: 'example.com:8443' }, true],
		['https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, false],
		['https://11.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, true],
		['https://[fd00::1]/', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8' }, false],
		['https://[fd00::1]/', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::1' }, false],
		['https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/99' }, true],
		['https://localhost:5000/', { HTTPS_PROXY: proxy }, false],
		['https://127.0.0.1:5000/', { HTTPS_PROXY: proxy }, false],
		['https://[::1]:5000/', { HTTPS_PROXY: proxy }, false],
	]

	it.each(cases)('%s with %j: %s', (url, env, used) => {
		expect(proxyFor(new URL(url), env)?.host).toBe(used ? 'proxy.test:3128' : undefined)
	})

	it('prefers lower case, and takes a proxy without a scheme for http', () => {
		const env = { https_proxy: 'lower.test:1', HTTPS_PROXY: 'http://upper.test:2' }
		expect(proxyFor(new URL('https://example.com'), env)?.href).toBe('http://lower.test:1/')
	})

	it.each([
		['HTTPS_PROXY', { HTTPS_PROXY: 'http://u:hunter2%@h' }],
		['https_proxy', { https_proxy: 'http://u%zz:hunter2@h' }],
		['ALL_PROXY', { ALL_PROXY: 'u:hunter2%ff@h' }],
	])('names %s where its user or password is not percent-encoded, and does not show it', (name, env) => {
		const find = (): unknown => proxyFor(new URL('https://example.com'), env)
		expect(find).toThrow(
			expect.objectContaining({
				code: 'CONFIG_INVALID',
				message: expect.stringContaining(name),
				hint: expect.stringContaining('%25'),
			}),
		)
		expect(find).not.toThrow(/hunter2/)
	})

	it('does not show a broken value, which may hold a password', () => {
		const find = (): unknown =>
			proxyFor(new URL('https://example.com'), { HTTPS_PROXY: 'socks5://u:hunter2@h' })
		expect(find).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
		expect(find).not.toThrow(/hunter2/)
	})
})
