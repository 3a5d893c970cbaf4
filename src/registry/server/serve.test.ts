import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { get } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { hash } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../errors/index.ts'
import { digestOf } from '../../oci/index.ts'
import { serveRegistry, type RunningRegistry, type ServeRegistryOptions } from './index.ts'
import { replaceFile } from './replace-file.ts'
import { rot, storedContent } from './stored-content.fixture.ts'

let directory: string
const running: RunningRegistry[] = []
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(async () => {
	await Promise.all(running.splice(0).map((registry) => registry.close()))
	await rm(directory, { recursive: true, force: true })
})

async function serve(options: Partial<ServeRegistryOptions> = {}): Promise<RunningRegistry> {
	const registry = await serveRegistry({ dataDirectory: directory, port: 0, ...options })
	running.push(registry)
	return registry
}

function status(url: string, ca: string | undefined): Promise<number | undefined> {
	return new Promise((resolve, reject) => {
		get(url, { ca, agent: false }, (response) => {
			response.resume()
			resolve(response.statusCode)
		}).on('error', reject)
	})
}

describe('serveRegistry', () => {
	it('starts where what only others need cannot be written, says so, and leaves nothing half-written', async () => {
		await mkdir(join(directory, 'control'))
		await mkdir(join(directory, 'immutable'))
		const messages: string[] = []
		const log = ({ message }: { readonly message: string }) => void messages.push(message)
		const { url } = await serve({ plainHttp: true, immutable: ['v*'], log })
		expect((await fetch(`${url}/v2/`)).status).toBe(200)
		expect(messages).toEqual([
			expect.stringContaining('prune and scrub beside this server do not find it'),
			expect.stringContaining('does not know the immutable tags'),
		])
		for (const message of messages) expect(message).toContain(directory)
		expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
	})

	it('leaves no half-written tokens', async () => {
		await mkdir(join(directory, 'tokens.json'))
		expect(() => replaceFile(join(directory, 'tokens.json'), 'text')).toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/)
		expect(await readdir(directory)).toEqual(['tokens.json'])
	})

	it('serves over TLS with a CA that stays', async () => {
		const first = await serve({ instance: 'one' })
		expect(first.caPem).toBe(await readFile(join(directory, 'ca.crt'), 'utf8'))
		expect(await status(`${first.url}/v2/`, first.caPem)).toBe(200)
		await first.close()
		const second = await serve()
		expect(second.caPem).toBe(first.caPem)
		expect(await status(`https://localhost:${second.port}/v2/`, first.caPem)).toBe(200)
	})

	it('serves HTTP where asked to, and makes no certificate', async () => {
		const { url, caPem } = await serve({ plainHttp: true })
		expect((await fetch(`${url}/v2/`)).status).toBe(200)
		expect(caPem).toBeUndefined()
		expect(existsSync(join(directory, 'ca.crt'))).toBe(false)
	})

	it('is the only one on its directory', async () => {
		const first = await serve({ plainHttp: true })
		await expect(serve({ plainHttp: true })).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		expect((await fetch(`${first.url}/v2/`)).status).toBe(200)
		await first.close()
		expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toEqual([])
		expect((await fetch(`${(await serve({ plainHttp: true })).url}/v2/`)).status).toBe(200)
	})

	it('takes the directory over from a process that is gone', async () => {
		const child = spawn(process.execPath, ['-e', ''])
		await once(child, 'exit')
		const id = '00000000-0000-4000-8000-000000000000'
		writeFileSync(join(directory, `lock.${child.pid}.1.${id}`), '')
		// The same number, another process: told by the start time, or by the age of the file.
		if (process.platform === 'linux') writeFileSync(join(directory, `lock.${process.pid}.1.${id}`), '')
		await serve({ plainHttp: true })
		expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toHaveLength(1)
	})

	it('gives the directory back when it cannot start', async () => {
		const first = await serve({ dataDirectory: join(directory, 'a'), plainHttp: true })
		const other = join(directory, 'b')
		await expect(serve({ dataDirectory: other, port: first.port, plainHttp: true })).rejects.toMatchObject({
			code: 'PORT_TAKEN',
		})
		await first.close()
		const second = await serve({ dataDirectory: other, port: first.port, plainHttp: true })
		expect(second.port).toBe(first.port)
	})

	it('opens no door to the network without a password', async () => {
		await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'USAGE' })
		expect((await serve({ host: '0.0.0.0', auth: { anonymous: 'write' }, plainHttp: true })).url).toContain(
			'localhost',
		)
	})

	it('wants the file of the users whose rights it is told', async () => {
		await expect(serve({ auth: { readers: ['ada'] }, plainHttp: true })).rejects.toMatchObject({
			code: 'USAGE',
		})
	})

	it('counts a proxy that it trusts as a door to the network', async () => {
		const auth = { trustedProxies: ['127.0.0.1'] }
		await expect(serve({ auth, plainHttp: true })).rejects.toMatchObject({
			code: 'USAGE',
			message: expect.stringContaining('through the proxy'),
		})
		expect((await serve({ auth: { ...auth, anonymous: 'read' }, plainHttp: true })).port).toBeGreaterThan(0)
	})

	it('cuts a connection that takes longer than its limit to begin', async () => {
		const { port } = await serve({ limits: { headersMs: 100 } })
		const socket = connect(port, '127.0.0.1')
		const begun = performance.now()
		socket.on('error', () => undefined)
		await once(socket, 'close')
		expect(performance.now() - begun).toBeLessThan(5000)
	})

	it('closes by its signal', async () => {
		const aborter = new AbortController()
		const { url } = await serve({ plainHttp: true, signal: aborter.signal })
		aborter.abort()
		await expect(fetch(`${url}/v2/`)).rejects.toThrow('fetch failed')
	})
})

describe('the door for whoever can read the directory', () => {
	const post = (url: string, init: RequestInit = {}): Promise<Response> =>
		fetch(url, { method: 'POST', ...init })

	it('does what it is told by the secret, and nothing by any other', async () => {
		const { url } = await serve({ plainHttp: true })
		const door = JSON.parse(await readFile(join(directory, 'control'), 'utf8')) as {
			url: string
			secret: string
		}
		expect((await stat(join(directory, 'control'))).mode & 0o777).toBe(0o600)
		expect(door.url).toBe(url)
		const authorization = `Bearer ${door.secret}`
		for (const wrong of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, door.secret, `Basic ${door.secret}`])
			expect((await post(`${url}/control/scrub`, { headers: { authorization: wrong } })).status).toBe(403)
		const headers = { authorization }
		expect((await fetch(`${url}/control/scrub`, { headers })).status).toBe(405)
		expect((await post(`${url}/control/else`, { headers })).status).toBe(404)
		for (const body of ['', '7', '{"rules":[{"kep":1}]}', '{"inUse":[{"names":{"digest":"x"},"by":"y"}]}'])
			expect((await post(`${url}/control/prune`, { headers, body })).status).toBe(400)
		const body = 'x'.repeat(17 * 1024 * 1024)
		expect((await post(`${url}/control/prune`, { headers, body })).status).toBe(413)
		const scrubbed = await post(`${url}/control/scrub`, { headers })
		expect(JSON.parse(await scrubbed.text())).toEqual({
			type: 'result',
			result: { checked: 0, bytes: 0, damaged: [], healed: [] },
		})
		expect(await readFile(join(directory, 'scrubbed'), 'utf8')).toMatch(/^\d+\n$/)
	})

	it('is not there any more when it has stopped, and has another secret the next time', async () => {
		const first = await serve({ plainHttp: true })
		const before = await readFile(join(directory, 'control'), 'utf8')
		await first.close()
		expect(existsSync(join(directory, 'control'))).toBe(false)
		await serve({ plainHttp: true })
		expect(await readFile(join(directory, 'control'), 'utf8')).not.toBe(before)
	})

	it('wants no password of the registry, and gives none', async () => {
		writeFileSync(join(directory, 'users'), `ada:${await hash('secret', 4)}\n`)
		const { url } = await serve({ plainHttp: true, auth: { htpasswd: join(directory, 'users') } })
		expect((await fetch(`${url}/v2/`)).status).toBe(401)
		expect((await post(`${url}/control/scrub`)).status).toBe(403)
	})
})

describe('a registry that looks after itself', () => {
	it('removes what the rules let go, and says so', async () => {
		const messages: string[] = []
		const { storage } = await serve({
			plainHttp: true,
			retention: { graceMs: 0, intervalMs: 20, rules: [{ tag: 'pr-*' }] },
			log: ({ message }) => void messages.push(message),
		})
		const bytes = Buffer.from('{}')
		const manifest = { digest: digestOf(bytes), mediaType: 'application/x', size: 2, references: [] }
		await storage.putManifest('app', { manifest, bytes, tags: ['pr-1'] })
		await expect.poll(() => storage.resolveTag('app', 'pr-1')).toBeUndefined()
		await expect.poll(() => messages.join()).toContain('removed 1 tags, 1 manifests')
	})

	it('says at its start that no Application keeps anything from its rules, where it knows no cluster', async () => {
		const warned = async (options: Partial<ServeRegistryOptions>): Promise<readonly string[]> => {
			const messages: string[] = []
			const log: ServeRegistryOptions['log'] = ({ level, message }) =>
				void (level === 'warning' && messages.push(message))
			await (await serve({ plainHttp: true, log, ...options })).close()
			return messages
		}
		const rules = [{ tag: 'pr-*' }]
		expect(await warned({ retention: { rules } })).toEqual([expect.stringContaining('--cluster')])
		expect(await warned({ retention: { rules }, digestsInUse: () => Promise.resolve([]) })).toEqual([])
		expect(await warned({ retention: { rules, intervalMs: 0 } })).toEqual([])
		expect(await warned({ retention: { graceMs: 1 } })).toEqual([])
	})

	it('follows no rule while what is in use is not known', async () => {
		const messages: string[] = []
		const { storage } = await serve({
			plainHttp: true,
			retention: { graceMs: 0, intervalMs: 5, rules: [{ tag: '*' }] },
			digestsInUse: () => Promise.reject(new UserError('NOT_RUNNING', 'nobody there')),
			log: ({ message }) => void messages.push(message),
		})
		const bytes = Buffer.from('{}')
		const manifest = { digest: digestOf(bytes), mediaType: 'application/x', size: 2, references: [] }
		await storage.putManifest('app', { manifest, bytes, tags: ['v1'] })
		await expect.poll(() => messages.length).toBeGreaterThan(2)
		expect(messages[0]).toContain('nobody there')
		expect(storage.resolveTag('app', 'v1')).toBe(manifest.digest)
	})

	it('looks for damage when that is due, and remembers only when it did', async () => {
		const messages: string[] = []
		const registry = await serve({
			plainHttp: true,
			scrubIntervalMs: 30,
			log: ({ message }) => void messages.push(message),
		})
		const bytes = Buffer.from('{"a":1}')
		const manifest = { digest: digestOf(bytes), mediaType: 'application/x', size: 7, references: [] }
		await registry.storage.putManifest('app', { manifest, bytes, tags: ['v1'] })
		rot(directory, manifest.digest)
		await expect.poll(() => messages.join()).toMatch(/is damaged.*needed by app v1/)
		await registry.close()
		expect((await readdir(directory)).toSorted()).toEqual([
			'blobs',
			'journal',
			'reserve',
			'scrubbed',
			'uploads',
		])
	})
})

describe('a server whose directory another one has taken over', () => {
	const manifestOf = (text: string) => {
		const bytes = Buffer.from(text)
		return {
			bytes,
			manifest: { digest: digestOf(bytes), mediaType: 'application/x', size: bytes.length, references: [] },
			tags: ['v1'],
		}
	}
	const put = (url: string, init: RequestInit = {}): Promise<Response> =>
		fetch(url, { method: 'PUT', headers: { 'content-type': 'application/x' }, ...init })

	/** Two on one directory, of two containers: the first one was stopped for a minute, and does not know. */
	async function takenOver(): Promise<{ paused: RunningRegistry; other: RunningRegistry; upload: string }> {
		let skew = 0
		const paused = await serve({
			plainHttp: true,
			namespace: '0123456789abcdef',
			now: () => Date.now() + skew,
		})
		await paused.storage.putManifest('app', manifestOf('{"before":true}'))
		const upload = paused.storage.startUpload('app')?.id ?? ''
		await paused.storage.appendUpload('app', { id: upload, body: Readable.from([Buffer.from('begun')]) })
		const minute = 60_000
		const other = await serve({
			plainHttp: true,
			namespace: 'fedcba9876543210',
			now: () => Date.now() + minute,
		})
		await other.storage.putManifest('app', manifestOf('{"after":true}'))
		skew = minute
		return { paused, other, upload }
	}

	it('acknowledges nothing, says so, and ends at once', async () => {
		const { paused, other } = await takenOver()
		const { bytes, manifest } = manifestOf('{"lost":true}')
		const pushed = await put(`${paused.url}/v2/app/manifests/v2`, { body: bytes })
		expect(pushed.status).toBe(503)
		expect(await pushed.text()).toContain('lost its directory')
		expect(paused.lost.reason).toMatchObject({
			code: 'ALREADY_RUNNING',
			message: expect.stringContaining(directory),
			hint: expect.stringContaining('Use the other server'),
		})
		await paused.close()
		await expect(fetch(`${paused.url}/v2/`)).rejects.toThrow('fetch failed')
		expect(storedContent(directory, manifest.digest)).toBeUndefined()
		expect((await fetch(`${other.url}/v2/`)).status).toBe(200)
	})

	it('leaves the journal, the content, the uploads and the control file of the other alone', async () => {
		const { paused, other, upload } = await takenOver()
		const { storage } = other
		const files = async () => ({
			journal: await readFile(join(directory, 'journal'), 'utf8'),
			control: await readFile(join(directory, 'control'), 'utf8'),
			blobs: await readdir(join(directory, 'blobs/sha256')),
			uploads: await readdir(join(directory, 'uploads')),
		})
		const before = await files()
		expect(before.uploads).toContain(upload)
		await expect(paused.storage.putManifest('app', manifestOf('{"after":true}'))).rejects.toMatchObject({
			code: 'ALREADY_RUNNING',
		})
		await expect(paused.storage.deleteTag('app', 'v1')).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		const { digest } = manifestOf('{"before":true}').manifest
		await expect(paused.storage.deleteManifest('app', digest)).rejects.toMatchObject({
			code: 'ALREADY_RUNNING',
		})
		paused.storage.cancelUpload('app', upload)
		await paused.close()
		expect(await files()).toEqual(before)
		expect(storage.resolveTag('app', 'v1')).toBe(manifestOf('{"after":true}').manifest.digest)
	})
})
