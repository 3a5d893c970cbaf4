import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type Front, startFront } from './front.ts'
import { type Ended, lading } from './program.ts'

const MiB = 1024 * 1024
/** On both sides of what a tar, a read and a piece have room for; small files between large ones. */
const SIZES = [
	[0, 1, 511, 512, 513, 65_536, MiB - 512, MiB, MiB + 1, 3 * MiB],
	Array.from({ length: 60 }, (_, index) => 1_000 + index * 9_973),
	[20 * MiB, 10, 5_000_000],
].flat()

let directory: string
let plain: RunningRegistry
let tls: RunningRegistry
let front: Front

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-e2e-'))
	mkdirSync(join(directory, 'large'))
	for (const [index, size] of SIZES.entries())
		writeFileSync(join(directory, 'large', `${String(index).padStart(3, '0')}.bin`), randomBytes(size))
	plain = await serveRegistry({ dataDirectory: join(directory, 'plain'), port: 0, plainHttp: true })
	tls = await serveRegistry({ dataDirectory: join(directory, 'tls'), port: 0 })
	front = await startFront(plain.port)
})
afterAll(async () => {
	front.close()
	await Promise.all([plain.close(), tls.close()])
	rmSync(directory, { recursive: true, force: true })
})

const run = async (...args: readonly string[]): Promise<Ended> => await lading(args, { cwd: directory })

function expectAllIn(pulled: string): void {
	const names = readdirSync(join(directory, 'large'))
	expect(readdirSync(join(directory, pulled))).toEqual(names)
	const differing = names.filter(
		(name) =>
			!readFileSync(join(directory, pulled, name)).equals(readFileSync(join(directory, 'large', name))),
	)
	expect(differing).toEqual([])
}

it('a pull of large and small files gives each its own content, over HTTP and TLS', async () => {
	const ca = join(directory, 'tls/ca.crt')
	for (const [name, port, access] of [
		['http', plain.port, ['--plain-http']],
		['https', tls.port, ['--ca', ca]],
	] as const) {
		const reference = `127.0.0.1:${port}/large:1`
		const pushed = await run('push', 'large', reference, '--no-check', ...access)
		expect(pushed.stderr + String(pushed.code)).toMatch(/0$/)
		const pulled = await run('pull', reference, `pulled-${name}`, ...access)
		expect(pulled.stderr + String(pulled.code)).toMatch(/0$/)
		expectAllIn(`pulled-${name}`)
	}
})

it('a pull that is cut twice in the middle goes on where it was, and gives the same', async () => {
	await run('push', 'large', `${front.host}/cut:1`, '--no-check', '--plain-http')
	const cuts = [7_654_321, 12_345_678]
	const asked: (string | undefined)[] = []
	front.fault = ({ method, url = '', headers }, outgoing) => {
		if (method !== 'GET' || !url.includes('/blobs/')) return false
		asked.push(headers.range)
		const most = cuts.shift()
		if (most === undefined) return false
		request({ port: plain.port, host: '127.0.0.1', path: url, headers }, (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
			let sent = 0
			answer.on('data', (piece: Buffer) => {
				if (sent >= most) return
				const part = piece.subarray(0, most - sent)
				sent += part.byteLength
				outgoing.write(part, () => sent >= most && outgoing.destroy())
			})
			answer.on('error', () => {})
		}).end()
		return true
	}
	const pulled = await run('pull', `${front.host}/cut:1`, 'pulled-cut', '--plain-http')
	expect(pulled.code).toBe(0)
	expect(asked).toHaveLength(3)
	const [first, ...others] = asked
	expect(first).toBeUndefined()
	for (const range of others) expect(range).toMatch(/^bytes=[1-9]\d*-$/)
	expectAllIn('pulled-cut')
})
