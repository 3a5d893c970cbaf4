import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isSystemError } from '../../src/errors/index.ts'
import { digestOf } from '../../src/oci/index.ts'
import { type Answer, type Exchange, exchangeWith } from './exchange.ts'
import { imageOf, must, pushBlob, putManifest } from './image.ts'
import { randomFrom } from './random.ts'
import { buildServer, type RegistryProcess, startServer } from './server.ts'

/** Mounts that nobody else sees, where this user may have them. */
const UNSHARE: readonly string[] = [
	'unshare',
	'--mount',
	...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
]
const MOUNT = 'mount -t tmpfs -o size=12m tmpfs "$0" && exec "$@"'
const mount = (path: string): readonly string[] => [...UNSHARE, 'sh', '-c', MOUNT, path]

const root = mkdtempSync(join(tmpdir(), 'lading-'))
const data = join(root, 'data')
mkdirSync(data)
const canMount = ((): boolean => {
	const [command, ...args] = [...mount(data), 'true']
	return command !== undefined && spawnSync(command, args).status === 0
})()

let server: RegistryProcess | undefined
let exchange: Exchange
beforeAll(async () => {
	if (!canMount) return
	server = await startServer({ program: await buildServer(root), data, inside: mount(data) })
	exchange = exchangeWith(server.url)
})
afterAll(async () => {
	await server?.kill()
	rmSync(root, { recursive: true, force: true })
})

const content = (name: string, size: number): Buffer => Buffer.alloc(size, `${name} `)
const push = (body: Buffer): Promise<Answer> =>
	exchange(`POST /v2/app/blobs/uploads/?digest=${digestOf(body)}`, { body })

it.skipIf(!canMount)(
	'a disk that is full: refused, what is there is served, space comes back, the next push succeeds',
	async () => {
		const random = randomFrom(1)
		const image = imageOf(content('old', 3_000_000), 'old')
		for (const blob of [Buffer.from('{}'), image.layer])
			await pushBlob(exchange, { repository: 'app', content: blob, random })
		await putManifest(exchange, { repository: 'app', reference: 'old', image })

		const stored: Buffer[] = []
		let answer: Answer
		for (;;) {
			const blob = content(`blob ${stored.length}`, 2_000_000)
			answer = await push(blob)
			if (answer.status !== 201) break
			stored.push(blob)
		}
		expect(answer.status).toBe(507)
		expect(JSON.parse(answer.bytes.toString())).toMatchObject({
			errors: [{ code: 'UNKNOWN', message: expect.stringContaining('disk of the registry is full') }],
		})

		// An upload in pieces that does not fit is gone, and so is its space.
		const started = must(await exchange('POST /v2/app/blobs/uploads/'), 202, 'the start of an upload')
		const location = String(started.headers.location)
		const large = await exchange(`PATCH ${location}`, { body: content('large', 15_000_000) })
		expect(large.status).toBe(507)
		must(await exchange(`GET ${location}`), 404, 'an upload that did not fit')
		must(await push(content('little', 100_000)), 201, 'what does fit')

		const served = must(await exchange('GET /v2/app/manifests/old'), 200, 'the old tag')
		expect(served.bytes.equals(image.bytes)).toBe(true)
		const layer = must(await exchange(`GET /v2/app/blobs/${digestOf(image.layer)}`), 200, 'its layer')
		expect(layer.bytes.equals(image.layer)).toBe(true)

		const [first] = stored
		if (first) must(await exchange(`DELETE /v2/app/blobs/${digestOf(first)}`), 202, 'DELETE of a blob')
		must(await push(content('next', 2_000_000)), 201, 'the next push')
	},
)

/** Writes a file for as long as one more block fits. */
function fill(path: string): void {
	const descriptor = openSync(path, 'w')
	try {
		for (;;) writeSync(descriptor, Buffer.alloc(4096))
	} catch (error) {
		if (!isSystemError(error, 'ENOSPC')) throw error
	} finally {
		closeSync(descriptor)
	}
}

/** Mounts that stay while servers come and go in them. */
async function startHolder(): Promise<ChildProcess> {
	const [command, ...args] = [...mount(data), 'sh', '-c', 'echo mounted; exec sleep 300']
	const holder = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
	await once(holder.stdout, 'data')
	return holder
}

it.skipIf(!canMount)(
	'a disk of which the last block is used: what frees space is done, also after a restart',
	async () => {
		const holder = await startHolder()
		const { pid } = holder
		const isRoot = process.getuid?.() === 0
		const inside = [
			'nsenter',
			`--target=${pid}`,
			...(isRoot ? [] : ['-U', '--preserve-credentials']),
			'--mount',
		]
		const program = await buildServer(root)
		let own = await startServer({ program, data, inside })
		try {
			let ask = exchangeWith(own.url)
			const seen = `/proc/${pid}/root${data}`
			const random = randomFrom(2)
			for (let index = 0; index < 3; index++) {
				const image = imageOf(content(`layer ${index}`, 500_000), `tag ${index}`)
				for (const blob of [Buffer.from('{}'), image.layer])
					await pushBlob(ask, { repository: 'app', content: blob, random })
				await putManifest(ask, { repository: 'app', reference: `v${index}`, image })
			}
			// All but what the file system gives to nobody, then lines until not one more fits.
			fill(`${seen}/filler`)
			let answer: Answer
			let mounts = 0
			const digest = digestOf(Buffer.from('{}'))
			do answer = await ask(`POST /v2/other-${mounts++}/blobs/uploads/?mount=${digest}&from=app`)
			while (answer.status === 201)
			expect(answer.status).toBe(507)

			await own.kill()
			own = await startServer({ program, data, inside })
			ask = exchangeWith(own.url)
			expect(readdirSync(seen).filter((name) => name.endsWith('.tmp'))).toEqual([])
			must(await ask('GET /v2/app/manifests/v1'), 200, 'a tag')
			must(await ask('DELETE /v2/app/manifests/v1'), 202, 'DELETE of a tag')
			const [layer, gone] = [content('layer 2', 500_000), digestOf(content('layer 2', 500_000))]
			const { digest: image } = imageOf(layer, 'tag 2')
			must(await ask(`DELETE /v2/app/manifests/${image}`), 202, 'DELETE of an artifact')
			must(await ask(`DELETE /v2/app/blobs/${gone}`), 202, 'DELETE of a blob')
			must(await ask(`GET /v2/app/blobs/${gone}`), 404, 'a blob that was deleted')
			rmSync(`${seen}/filler`)
			must(await ask('DELETE /v2/app/manifests/v0'), 202, 'DELETE of another tag')
			expect(readdirSync(seen)).toContain('reserve')
		} finally {
			await own.kill()
			holder.kill('SIGKILL')
		}
	},
)
