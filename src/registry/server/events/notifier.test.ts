import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, emptyContent } from '../../../oci/index.ts'
import type { LogEntry } from '../context.ts'
import { ENVELOPE_TYPE } from './envelope.ts'
import type { EventEndpoint } from './endpoint.ts'
import { Notifier } from './notifier.ts'
import type { ToldEvent } from './registry-event.ts'

interface Received {
	readonly headers: IncomingHttpHeaders
	readonly events: readonly { readonly id: string; readonly target: { readonly tag?: string } }[]
}

let server: Server
let url: string
let received: Received[]
/** The status of each answer to come; then 200. */
let statuses: (number | 'never')[]
let log: LogEntry[]
const opened: Notifier[] = []

beforeEach(async () => {
	received = []
	statuses = []
	log = []
	server = createServer((request, response) => {
		const chunks: Buffer[] = []
		request.on('data', (chunk: Buffer) => chunks.push(chunk))
		request.on('end', () => {
			const { events } = JSON.parse(Buffer.concat(chunks).toString()) as Received
			received.push({ headers: request.headers, events })
			const status = statuses.shift() ?? 200
			if (status !== 'never') response.writeHead(status, { location: '/elsewhere' }).end()
		})
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=s3cret`
})
afterEach(async () => {
	await Promise.all(opened.splice(0).map((notifier) => notifier.close(0)))
	server.closeAllConnections()
	server.close()
})

function open(endpoint: Partial<EventEndpoint> = {}, sleeps: number[] = []): Notifier {
	const notifier = new Notifier({
		endpoints: [{ name: 'ci', url, headers: { Authorization: 'Bearer s3cret' }, ...endpoint }],
		log: (entry) => log.push(entry),
		sleep: async (milliseconds) => void sleeps.push(milliseconds),
		random: () => 0.5,
	})
	opened.push(notifier)
	return notifier
}

const source = { addr: 'host:5000', instanceID: 'i-1' }

function push(tag: string, more: Partial<ToldEvent> = {}): ToldEvent {
	return {
		action: 'push',
		kind: 'manifest',
		repository: 'team/app',
		tag,
		digest: digestOf(emptyContent),
		mediaType: 'application/vnd.oci.image.manifest.v1+json',
		size: 2,
		time: 0,
		user: 'ci',
		client: '10.0.0.1',
		method: 'PUT',
		host: 'registry.lan',
		userAgent: 'oras',
		scheme: 'https',
		...more,
	}
}

const tags = (): (string | undefined)[] =>
	received.flatMap(({ events }) => events.map(({ target }) => target.tag))

describe('events', () => {
	it('are posted in the envelope of distribution', async () => {
		const notifier = open()
		notifier.tell(push('v1'), source)
		await notifier.close(5000)
		expect(received).toHaveLength(1)
		expect(received[0]?.headers).toMatchObject({
			'content-type': ENVELOPE_TYPE,
			authorization: 'Bearer s3cret',
		})
		const digest = digestOf(emptyContent)
		expect(received[0]?.events).toEqual([
			{
				id: expect.stringMatching(/^[0-9a-f-]{36}$/),
				timestamp: '1970-01-01T00:00:00.000Z',
				action: 'push',
				target: {
					mediaType: 'application/vnd.oci.image.manifest.v1+json',
					size: 2,
					length: 2,
					digest,
					url: `https://registry.lan/v2/team/app/manifests/${digest}`,
					repository: 'team/app',
					tag: 'v1',
				},
				request: {
					id: expect.stringMatching(/^[0-9a-f-]{36}$/),
					addr: '10.0.0.1',
					host: 'registry.lan',
					method: 'PUT',
					useragent: 'oras',
				},
				actor: { name: 'ci' },
				source,
			},
		])
	})

	it('come in their order, each again until it is taken, with the same id', async () => {
		statuses = [500, 302]
		const sleeps: number[] = []
		const notifier = open({}, sleeps)
		for (let version = 1; version <= 5; version++) {
			notifier.tell(push(`v${version}`), source)
			await new Promise((resolve) => setTimeout(resolve, 5))
		}
		await notifier.close(5000)
		expect(sleeps).toEqual([1000, 2000])
		const ids = received.flatMap(({ events }) => events.map(({ id }) => id))
		expect(ids[0]).toBe(ids[1])
		expect([...new Set(tags())]).toEqual(['v1', 'v2', 'v3', 'v4', 'v5'])
		expect(notifier.counts).toEqual([{ name: 'ci', queued: 0, delivered: 5, failures: 2, dropped: 0 }])
		expect(log.map(({ message }) => message)).toEqual([
			'events to ci are not taken: it answers with status 500; it is tried again',
			'events to ci are taken again',
		])
	})

	it('are given up, the oldest first, when an endpoint takes none, and no secret is told', async () => {
		statuses = ['never']
		const notifier = open({ queue: 3, timeoutMs: 60_000 })
		notifier.tell(push('v1'), source)
		await expect.poll(() => received.length).toBe(1)
		for (let version = 2; version <= 10; version++) notifier.tell(push(`v${version}`), source)
		expect(notifier.counts).toMatchObject([{ queued: 4, dropped: 6 }])
		await notifier.close(10)
		expect(notifier.counts).toMatchObject([{ queued: 0, delivered: 0, dropped: 10 }])
		expect(log.some(({ level }) => level === 'error')).toBe(true)
		expect(JSON.stringify(log)).not.toContain('s3cret')
	})

	it('that an endpoint refuses for what they are keep no others from it', async () => {
		statuses = [500, 400, 400, 200]
		const notifier = open()
		for (let version = 1; version <= 3; version++) notifier.tell(push(`v${version}`), source)
		await notifier.close(5000)
		expect(notifier.counts).toMatchObject([{ delivered: 2, dropped: 1 }])
		expect(tags().slice(-2)).toEqual(['v2', 'v3'])
	})

	it('that do not reach anybody are tried again, and what is left is given up when the registry stops', async () => {
		const notifier = open({ url: 'http://127.0.0.1:1/' })
		notifier.tell(push('v1'), source)
		await expect.poll(() => notifier.counts[0]?.failures ?? 0).toBeGreaterThan(1)
		await notifier.close(0)
		expect(notifier.counts).toMatchObject([{ queued: 0, delivered: 0, dropped: 1 }])
	})

	it('are those that an endpoint wants', async () => {
		const notifier = open()
		expect(notifier.wants('pull')).toBe(false)
		notifier.tell(push('v1', { action: 'pull' }), source)
		notifier.tell(
			push('v1', { action: 'delete', digest: undefined, mediaType: undefined, size: undefined }),
			source,
		)
		await notifier.close(5000)
		expect(received).toHaveLength(1)
		expect(received[0]?.events[0]?.target).toEqual({ repository: 'team/app', tag: 'v1' })
		expect(open({ actions: ['pull'] }).wants('pull')).toBe(true)
	})
})

it.each([
	['X Y', 'z', /"X Y" of the endpoint ci: the name of a header/],
	['Authorization', 'Bearer s3cret\n', /"Authorization" of the endpoint ci: its value has a line break/],
	['Transfer-Encoding', 'chunked', /it is set for each request anyway/],
])('an endpoint with the header %j cannot be told anything, and is refused at once', (name, value, says) => {
	expect(() => open({ headers: { [name]: value } })).toThrow(
		expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(says) }),
	)
	expect(() => open({ headers: { [name]: value } })).not.toThrow(/s3cret/)
})
