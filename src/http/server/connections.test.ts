import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates, listen, type Listener } from './index.ts'

type Scheme = 'http' | 'https'

let directory = ''
let tls: { readonly cert: string; readonly key: string }
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'connections-'))
	const { certPem, keyPem } = await ensureCertificates(directory, { names: ['127.0.0.1'] })
	tls = { cert: certPem, key: keyPem }
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const open: Listener[] = []
const dialled: Socket[] = []
afterEach(async () => {
	for (const socket of dialled.splice(0)) socket.destroy()
	await Promise.all(open.splice(0).map((listener) => listener.close()))
})

/** Answers `[PATH]`, and requests for `/slow` when they are let go. */
async function serve(scheme: Scheme): Promise<{
	readonly listener: Listener
	readonly waiting: () => number
	readonly letGo: () => void
}> {
	const waiting: (() => void)[] = []
	const listener = await listen(
		({ path }) => {
			const answer = { status: 200, body: `[${path}]` }
			if (path !== '/slow') return answer
			return new Promise((resolve) => waiting.push(() => resolve(answer)))
		},
		{
			host: '127.0.0.1',
			port: 0,
			limits: { maxConnections: 3 },
			...(scheme === 'https' && { tls }),
		},
	)
	open.push(listener)
	return {
		listener,
		waiting: () => waiting.length,
		letGo: () => {
			for (const end of waiting.splice(0)) end()
		},
	}
}

interface Client {
	/** What has arrived. */
	readonly text: () => string
	readonly isClosed: () => boolean
	readonly get: (path: string) => void
}

async function dial({ port }: Listener, scheme: Scheme): Promise<Client> {
	const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
	const socket = scheme === 'https' ? connectTls(options) : connect(options)
	dialled.push(socket)
	let text = ''
	socket.on('error', () => undefined)
	socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
	await once(socket, 'connect')
	return {
		text: () => text,
		isClosed: () => socket.destroyed,
		get: (path) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`),
	}
}

describe.each<Scheme>(['http', 'https'])('connections over %s that are as many as may be', (scheme) => {
	it('make room for a new one by the one that has been without a request longest', async () => {
		const { listener, waiting, letGo } = await serve(scheme)
		const busy = await dial(listener, scheme)
		busy.get('/slow')
		await expect.poll(waiting).toBe(1)
		const first = await dial(listener, scheme)
		first.get('/1')
		await expect.poll(first.text).toContain('[/1]')
		const second = await dial(listener, scheme)
		second.get('/2')
		await expect.poll(second.text).toContain('[/2]')
		first.get('/again')
		await expect.poll(first.text).toContain('[/again]')

		const newcomer = await dial(listener, scheme)
		newcomer.get('/new')
		await expect.poll(newcomer.text).toContain('[/new]')
		await expect.poll(second.isClosed).toBe(true)
		expect([first.isClosed(), busy.isClosed()]).toEqual([false, false])
		letGo()
		await expect.poll(busy.text).toContain('[/slow]')
	})

	it('make room by one that says nothing', async () => {
		const { listener } = await serve(scheme)
		const silent = await dial(listener, 'http')
		const others = [await dial(listener, scheme), await dial(listener, scheme), await dial(listener, scheme)]
		for (const other of others) other.get('/')
		for (const other of others) await expect.poll(other.text).toContain('[/]')
		await expect.poll(silent.isClosed).toBe(true)
	})

	it('stay where each has a request under way, until one is closed or has none', async () => {
		const { listener, waiting, letGo } = await serve(scheme)
		const busy = [await dial(listener, scheme), await dial(listener, scheme), await dial(listener, scheme)]
		// More than one after the other, too.
		for (const each of busy) each.get('/')
		for (const each of busy) await expect.poll(each.text).toContain('[/]')
		for (const each of busy) each.get('/slow')
		await expect.poll(waiting).toBe(3)
		const turnedAway = async (): Promise<boolean> => {
			const newcomer = await dial(listener, scheme)
			newcomer.get('/new')
			await expect.poll(() => newcomer.isClosed() || newcomer.text()).toBeTruthy()
			return newcomer.isClosed()
		}
		expect(await turnedAway()).toBe(true)
		expect(busy.map((each) => each.isClosed())).toEqual([false, false, false])
		letGo()
		for (const each of busy) await expect.poll(each.text).toContain('[/slow]')
		expect(await turnedAway()).toBe(false)
	})
})
