import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readRegistrySettings } from './registry-settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-'))
const file = join(directory, 'registry.yaml')

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function read(text: string): ReturnType<typeof readRegistrySettings> {
	writeFileSync(file, text)
	return readRegistrySettings(file)
}

describe('the settings of a registry', () => {
	it('are read, with paths relative to the file, sizes in bytes and times in milliseconds', async () => {
		const text = `
data: content
listen: { host: 0.0.0.0, port: 443, names: [registry.lan], trustedProxies: ["::1"] }
tls: { cert: tls.crt, key: /etc/tls.key }
auth:
  htpasswd: users
  readers: [argocd]
  anonymous: read
limits: { blob: 1.5GiB, stallTimeout: 90s }
events:
  - name: ci
    url: https://ci.example/hook
    headers: { Authorization: Bearer x }
    ca: ca.crt
    timeout: 500ms
log: { access: true }
`
		expect(await read(text)).toEqual({
			data: join(directory, 'content'),
			listen: { host: '0.0.0.0', port: 443, names: ['registry.lan'], trustedProxies: ['::1'] },
			tls: { cert: join(directory, 'tls.crt'), key: '/etc/tls.key' },
			auth: { htpasswd: join(directory, 'users'), readers: ['argocd'], anonymous: 'read' },
			limits: { blob: 1.5 * 1024 ** 3, stallTimeout: 90_000 },
			events: [
				{
					name: 'ci',
					url: 'https://ci.example/hook',
					headers: { Authorization: 'Bearer x' },
					ca: join(directory, 'ca.crt'),
					timeout: 500,
				},
			],
			log: { access: true },
		})
	})

	it('may say nothing', async () => {
		expect(await read('# later\n')).toEqual({})
	})

	it.each([
		['auth:\n  htpaswd: users', 'registry.yaml:2: auth.htpaswd: there is no such field'],
		['listen:\n  host: a\n  port: 99999', 'registry.yaml:3: listen.port: at most 65535'],
		['listen: {host: a,\n  port: "1"}', 'registry.yaml:2: listen.port: a number is wanted'],
		['listen:\n  names:\n    - a\n    - 5', 'registry.yaml:4: listen.names.1: text is wanted'],
		['limits:\n  blob: 5', 'registry.yaml:2: limits.blob: text is wanted'],
		['limits:\n  blob: 5GB', 'registry.yaml:2: limits.blob: write it as 16KiB'],
		['limits:\n  shutdown: 1min', 'registry.yaml:2: limits.shutdown: write it as 90s'],
		['auth: {anonymous: all}', 'registry.yaml:1: auth.anonymous: none, read or write is wanted'],
		['events:\n- url: https://a', 'events.0.name: it is missing'],
		['events:\n- name: a\n  url: ftp://a', 'registry.yaml:3: events.0.url: an http:// or https:// URL'],
		[
			'events:\n- name: a\n  url: https://a\n  headers:\n    X: y\n    X Y: z',
			'registry.yaml:6: events.0.headers.X Y: the name of a header has letters, digits',
		],
		[
			'events:\n- name: a\n  url: https://a\n  headers:\n    Authorization: |\n      Bearer x',
			'registry.yaml:5: events.0.headers.Authorization: its value has a line break',
		],
		[
			'events:\n- name: a\n  url: https://a\n  headers: {Content-Length: "5"}',
			'registry.yaml:4: events.0.headers.Content-Length: it is set for each request anyway',
		],
		['tls:\n  cert: a', 'tls.key: it is missing'],
		['events: a', 'registry.yaml:1: events: it has to be a list'],
		['- a', 'it has to be fields'],
	])('say what is wrong with %j', async (text, detail) => {
		await expect(read(text)).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: 'registry.yaml is not valid',
			details: expect.arrayContaining([expect.stringContaining(detail)]),
		})
	})

	it('say where they do not parse, and where they are not there', async () => {
		await expect(read('a: [')).rejects.toMatchObject({
			message: expect.stringContaining('does not parse'),
			hint: expect.stringContaining('quotes'),
		})
		const path = join(directory, 'none')
		await expect(readRegistrySettings(path)).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: `there is no file ${path}`,
			hint: expect.stringContaining('--config FILE'),
		})
		await expect(readRegistrySettings(directory)).rejects.toMatchObject({
			message: expect.stringContaining('cannot read'),
			hint: expect.stringContaining('--config FILE'),
		})
	})
})
