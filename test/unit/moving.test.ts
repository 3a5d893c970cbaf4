import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/app.ts'
import {
	bytesSource,
	type ContentSource,
	copy,
	createSourceStore,
	readVerified,
} from '../../src/content/index.ts'
import { createHttpClient } from '../../src/http/client/index.ts'
import { load } from '../../src/library/index.ts'
import { type Descriptor, MediaType } from '../../src/oci/index.ts'
import { createRegistryClient, type RemoteRepository } from '../../src/registry/client/index.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'

const http = createHttpClient()
const client = createRegistryClient({ http, keychain: { resolve: async () => undefined }, plainHttp: true })

let directory = ''
let registry: RunningRegistry
let host = ''
let count = 0
/** A name that no other test has. */
let app = ''

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	registry = await serveRegistry({ dataDirectory: join(directory, 'registry'), port: 0, plainHttp: true })
	host = `127.0.0.1:${registry.port}`
})
beforeEach(() => {
	app = `app-${++count}`
})
afterAll(async () => {
	http.close()
	await registry?.close()
	rmSync(directory, { recursive: true, force: true })
})

interface Outcome {
	readonly code: number
	readonly stdout: string
	readonly stderr: string
}

async function lading(...args: readonly string[]): Promise<Outcome> {
	return await ladingWith({}, ...args)
}

interface Terminal {
	/** What is typed; a terminal where it is given. */
	readonly typed?: string
	readonly env?: Readonly<Record<string, string>>
}

async function ladingWith({ typed, env }: Terminal, ...args: readonly string[]): Promise<Outcome> {
	const written = { stdout: '', stderr: '' }
	const isTTY = typed !== undefined
	const stream = (name: 'stdout' | 'stderr'): { isTTY: boolean; write(text: string): void } => ({
		isTTY: isTTY && name === 'stderr',
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args: [...args, '--plain-http'],
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Object.assign(Readable.from([typed ?? '']), { isTTY }),
		cwd: directory,
		env: { HOME: directory, ...env },
		version: '9.9.9',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, ...written }
}

async function json(...args: readonly string[]): Promise<Record<string, never>> {
	const { code, stdout, stderr } = await lading(...args, '--json')
	expect(code, stdout + stderr).toBe(0)
	return JSON.parse(stdout) as Record<string, never>
}

const config = bytesSource(MediaType.empty, Buffer.from('{}'))

function manifest(text: string, extra: object = {}): readonly [ContentSource, ContentSource, ContentSource] {
	const layer = bytesSource(MediaType.layerTar, Buffer.from(text))
	const value = {
		schemaVersion: 2,
		artifactType: 'test/x',
		config: config.descriptor,
		layers: [layer.descriptor],
		...extra,
	}
	return [bytesSource(MediaType.imageManifest, Buffer.from(JSON.stringify(value))), layer, config]
}

const repository = (name: string): RemoteRepository => client.repository(host, name)

/** An artifact with a signature that is signed itself. */
async function push(tags: readonly string[], text: string, extra: object = {}): Promise<Descriptor> {
	const [root, ...parts] = manifest(text, extra)
	const [signature, ...signed] = manifest(`signature of ${text}`, { subject: root.descriptor })
	const [counter, ...countersigned] = manifest(`again ${text}`, { subject: signature.descriptor })
	await copy({
		source: createSourceStore([root, ...parts, signature, ...signed, counter, ...countersigned]),
		destination: repository(app),
		root: root.descriptor,
		tags,
		referrers: true,
	})
	return root.descriptor
}

/** Types of what points at it, and of what points at that. */
async function depthOfReferrers(store: RemoteRepository, root: Descriptor): Promise<number> {
	let depth = 0
	for (let target: Descriptor | undefined = root; target; depth++) [target] = await store.referrers(target)
	return depth - 1
}

describe('copy', () => {
	it('brings the same bytes and what points at them, says where they are, and then that nothing changed', async () => {
		const root = await push(['v1.0.0'], app)
		const { code, stdout } = await lading('copy', `${host}/${app}:v1.0.0`, `${host}/${app}-b`)
		expect({ code, stdout }).toEqual({ code: 0, stdout: `${host}/${app}-b:v1.0.0@${root.digest}\n` })
		const there = repository(`${app}-b`)
		expect(await readVerified(there, root)).toEqual(await readVerified(repository(app), root))
		expect(await depthOfReferrers(there, root)).toBe(2)
		const { copy: again } = await json('copy', `${host}/${app}:v1.0.0`, `${host}/${app}-b`)
		expect(again).toMatchObject({ outcome: 'unchanged', copied: { count: 0 }, mounted: { count: 0 } })
	})

	it('mounts within a registry: nothing but manifests is sent', async () => {
		await push(['v1'], app)
		const { copy: result } = await json('copy', `${host}/${app}:v1`, `${host}/${app}-b:other`)
		// Three manifests; three layers, and the configuration that they share.
		expect(result).toMatchObject({ copied: { count: 3 }, mounted: { count: 4 }, outcome: 'copied' })
	})

	it('says of each tag whether it is new', async () => {
		await push(['v1'], app)
		await lading('copy', `${host}/${app}`, `${host}/${app}-b`, '--all-tags')
		await lading('tag', `${host}/${app}:v1`, 'v2')
		const { copy: result } = await json('copy', `${host}/${app}`, `${host}/${app}-b`, '--all-tags')
		expect(result).toMatchObject({
			outcome: 'copied',
			artifacts: [
				{ tag: 'v1', outcome: 'unchanged' },
				{ tag: 'v2', outcome: 'copied' },
			],
		})
	})

	it('leaves what points at it behind with --no-referrers', async () => {
		const root = await push(['v1'], app)
		await lading('copy', `${host}/${app}:v1`, `${host}/${app}-b`, '--no-referrers')
		expect(await depthOfReferrers(repository(`${app}-b`), root)).toBe(0)
	})

	it('says what it would do with --dry-run, and does nothing', async () => {
		await push(['v1'], app)
		const { copy: result } = await json('copy', `${host}/${app}:v1`, `${host}/${app}-b`, '--dry-run')
		expect(result).toMatchObject({ copied: { count: 3 }, mounted: { count: 4 }, dryRun: true })
		expect(await repository(`${app}-b`).tags()).toBeUndefined()
	})

	it('copies all tags, or a range of versions', async () => {
		for (const tag of ['v1.1.0', 'v1.2.0', 'v1.10.0', 'v2.0.0', 'main']) await push([tag], `${app} ${tag}`)
		await lading('copy', `${host}/${app}`, `${host}/${app}-all`, '--all-tags')
		expect(await repository(`${app}-all`).tags()).toEqual(['main', 'v1.1.0', 'v1.10.0', 'v1.2.0', 'v2.0.0'])
		await lading('copy', `${host}/${app}`, `${host}/${app}-range`, '--tags', '>=1.2 <2')
		expect(await repository(`${app}-range`).tags()).toEqual(['v1.10.0', 'v1.2.0'])
		const none = await lading('copy', `${host}/${app}`, `${host}/${app}-none`, '--tags', '>=7')
		expect(none).toMatchObject({ code: 7, stdout: '' })
		const wrong = await lading('copy', `${host}/${app}`, `${host}/${app}-none`, '--tags', 'new')
		expect(wrong.code).toBe(2)
	})

	it('does not move a version that has other content, unless forced; other tags move', async () => {
		await push(['v1.0.0', 'latest'], app)
		await lading('copy', `${host}/${app}`, `${host}/${app}-b`, '--all-tags')
		const second = await push(['v1.0.0', 'latest'], `${app} changed`)
		const { code, stderr } = await lading('copy', `${host}/${app}`, `${host}/${app}-b`, '--all-tags')
		expect(code).toBe(1)
		expect(stderr).toContain('v1.0.0 exists with other content')
		expect((await repository(`${app}-b`).resolve('latest'))?.digest).not.toBe(second.digest)
		expect((await lading('copy', `${host}/${app}:latest`, `${host}/${app}-b`)).code).toBe(0)
		expect((await lading('copy', `${host}/${app}`, `${host}/${app}-b`, '--all-tags', '--force')).code).toBe(0)
		expect((await repository(`${app}-b`).resolve('v1.0.0'))?.digest).toBe(second.digest)
	})

	it('goes by digest, and does not change one', async () => {
		const root = await push(['v1'], app)
		const { stdout } = await lading('copy', `${host}/${app}@${root.digest}`, `${host}/${app}-b`)
		expect(stdout).toBe(`${host}/${app}-b@${root.digest}\n`)
		expect(await repository(`${app}-b`).tags()).toEqual([])
		const other = `sha256:${'0'.repeat(64)}`
		expect((await lading('copy', `${host}/${app}:v1`, `${host}/${app}-b@${other}`)).code).toBe(2)
	})

	it('goes to a layout and back, by one name or by none', async () => {
		const root = await push(['v1.0.0'], app)
		expect((await lading('copy', `${host}/${app}:v1.0.0`, `oci:${app}-layout`)).code).toBe(0)
		const back = await lading('copy', `oci:${app}-layout`, `${host}/${app}-b`)
		expect(back.stdout).toBe(`${host}/${app}-b:v1.0.0@${root.digest}\n`)
		expect(await depthOfReferrers(repository(`${app}-b`), root)).toBe(2)
		const tar = await lading('copy', `oci:${app}-layout:v1.0.0`, `oci-archive:${app}.tar:other`)
		expect(tar.stdout).toBe(`oci-archive:${app}.tar:other@${root.digest}\n`)
		expect((await lading('copy', `oci-archive:${app}.tar`, `${host}/${app}-c:v3`)).code).toBe(0)
		expect((await repository(`${app}-c`).resolve('v3'))?.digest).toBe(root.digest)
		expect((await lading('copy', `oci:${app}-layout`, `oci-archive:${app}.tar`)).code).toBe(3)
	})

	it('says which side failed', async () => {
		await push(['v1'], app)
		const to = await lading('copy', `${host}/${app}:v1`, `127.0.0.1:1/${app}`)
		expect(to).toMatchObject({ code: 6 })
		expect(to.stderr).toContain('destination')
		const from = await lading('copy', `127.0.0.1:1/${app}:v1`, `${host}/${app}`)
		expect(from).toMatchObject({ code: 6 })
		expect(from.stderr).toContain('source')
	})

	it('refuses what is no place, and a password for two registries', async () => {
		expect((await lading('copy', './dir', `${host}/${app}`)).stderr).toContain('oci:./dir')
		writeFileSync(join(directory, 'note'), '')
		expect((await lading('copy', `${host}/${app}:v1`, 'oci:.')).code).not.toBe(0)
		const two = await lading('copy', `${host}/x:v1`, '127.0.0.1:1/x', '--username', 'ann', '--password-stdin')
		expect(two.code).toBe(2)
		const both = [
			'--from-username',
			'ann',
			'--from-password-stdin',
			'--to-username',
			'bob',
			'--to-password-stdin',
		]
		expect((await lading('copy', `${host}/x:v1`, '127.0.0.1:1/x', ...both)).code).toBe(2)
	})
})

describe('save and load', () => {
	it('carry several artifacts to another registry, with all that points at them', async () => {
		const [one, two] = [await push(['v1.0.0'], app), await push(['v2.0.0', 'latest'], `${app} two`)]
		const saved = await lading('save', `${host}/${app}:v1.0.0`, `${host}/${app}:latest`, `${app}.tar`)
		expect(saved.stdout).toBe(`${host}/${app}:v1.0.0@${one.digest}\n${host}/${app}:latest@${two.digest}\n`)
		const loaded = await lading('load', `${app}.tar`, `${host}/mirror/deep`)
		expect(loaded.stdout.split('\n').toSorted().filter(Boolean)).toEqual([
			`${host}/mirror/deep/${app}:latest@${two.digest}`,
			`${host}/mirror/deep/${app}:v1.0.0@${one.digest}`,
		])
		const there = repository(`mirror/deep/${app}`)
		expect(await depthOfReferrers(there, one)).toBe(2)
		expect(await depthOfReferrers(there, two)).toBe(2)
		const { load: again } = await json('load', `${app}.tar`, `${host}/mirror/deep`)
		expect(again).toMatchObject({ outcome: 'unchanged', copied: { count: 0 } })
	})

	it('map prefixes, the longest first', async () => {
		const root = await push(['v1'], app)
		await lading('save', `${host}/${app}:v1`, `${app}.tar`)
		const maps = ['--map', `${host}=${host}/wrong`, '--map', `${host}/${app}=${host}/right/${app}`]
		const { stdout } = await lading('load', `${app}.tar`, ...maps)
		expect(stdout).toBe(`${host}/right/${app}:v1@${root.digest}\n`)
		expect((await lading('load', `${app}.tar`, '--map', 'x')).code).toBe(2)
		const mistyped = await lading('load', `${app}.tar`, '--map', `${host}/${app}x=${host}/y`)
		expect(mistyped.code).toBe(2)
		expect(mistyped.stderr).toContain(`there is ${host}/${app}\n`)
	})

	it('write the same tar for the same artifacts, in whatever order', async () => {
		await push(['v1'], app)
		await push(['v2'], `${app} two`)
		const names = [`${host}/${app}:v1`, `${host}/${app}:v2`]
		await lading('save', ...names, `${app}-1.tar`)
		await lading('save', ...names.toReversed(), `${app}-2.tar`)
		const [a, b] = [1, 2].map((number) => readFileSync(join(directory, `${app}-${number}.tar`)))
		expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true)
	})

	it('tell artifacts of the same tag apart', async () => {
		await push(['v1'], app)
		await lading('copy', `${host}/${app}:v1`, `${host}/${app}-b`)
		await lading('save', `${host}/${app}:v1`, `${host}/${app}-b:v1`, `${app}-layout`)
		const index = JSON.parse(readFileSync(join(directory, `${app}-layout/index.json`), 'utf8')) as {
			manifests: { annotations?: Record<string, string> }[]
		}
		expect(
			index.manifests.flatMap(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? []),
		).toEqual([`${host}/${app}-b:v1`, `${host}/${app}:v1`])
		const { load: result } = await json('load', `${app}-layout`, `${host}/m`)
		expect(result).toMatchObject({
			artifacts: [{ from: `${host}/${app}-b:v1` }, { from: `${host}/${app}:v1` }],
		})
	})

	it('replace nothing unless forced, and leave nothing behind when they fail', async () => {
		await push(['v1'], app)
		const before = readdirSync(directory)
		expect((await lading('save', `${host}/${app}:v1`, `${host}/${app}:gone`, `${app}.tar`)).code).toBe(7)
		expect(readdirSync(directory)).toEqual(before)
		writeFileSync(join(directory, `${app}.tar`), 'mine')
		expect((await lading('save', `${host}/${app}:v1`, `${app}.tar`)).code).toBe(3)
		expect(readFileSync(join(directory, `${app}.tar`), 'utf8')).toBe('mine')
		expect((await lading('save', `${host}/${app}:v1`, `${app}.tar`, '--force')).code).toBe(0)
		expect(readFileSync(join(directory, `${app}.tar`)).byteLength).toBeGreaterThan(4000)
		expect((await lading('save', `${host}/${app}:v1`, `nowhere/${app}.tar`)).code).toBe(9)
	})

	it('replace a layout when forced, and no directory of anything else', async () => {
		const { digest } = await push(['v1'], app)
		const mine = join(directory, `${app}-project`)
		mkdirSync(join(mine, '.git'), { recursive: true })
		writeFileSync(join(mine, 'index.json'), '{}')
		const refused = await lading('save', `${host}/${app}:v1`, `${app}-project`, '--force')
		expect(refused.code).toBe(3)
		expect(refused.stderr).toContain('is not empty, and no OCI image layout')
		expect(readdirSync(mine).toSorted()).toEqual(['.git', 'index.json'])
		await lading('save', `${host}/${app}:v1`, `${app}-layout`)
		writeFileSync(join(directory, `${app}-layout/index.json`), 'damaged')
		expect((await lading('save', `${host}/${app}:v1`, `${app}-layout`, '--force')).code).toBe(0)
		expect(readFileSync(join(directory, `${app}-layout/index.json`), 'utf8')).toContain(digest)
	})

	it('tell of what an interrupted run has left, and leave it there', async () => {
		await push(['v1'], app)
		const left = join(directory, `.${app}.tar.lading-0123456789ab`)
		mkdirSync(left)
		const save = ['save', `${host}/${app}:v1`, `${app}.tar`, '--force']
		expect((await lading(...save)).stderr).not.toContain('interrupted run')
		utimesSync(left, 1000, 1000)
		for (const args of [save, ['copy', `${host}/${app}:v1`, `oci-archive:${app}.tar`, '--force']]) {
			const { code, stderr } = await lading(...args)
			expect(code, stderr).toBe(0)
			expect(stderr).toContain(`warning: an interrupted run has left ${left}\nnext: `)
		}
		expect(existsSync(left)).toBe(true)
		rmSync(left, { recursive: true })
	})

	it('load says what a directory called like a tar is, and both ways to read it work', async () => {
		await push(['v1'], app)
		await lading('save', `${host}/${app}:v1`, `${app}-layout`)
		const layout = join(directory, `${app}.tar`)
		renameSync(join(directory, `${app}-layout`), layout)
		const { code, stderr } = await lading('load', `${app}.tar`)
		expect(code).toBe(3)
		expect(stderr).toContain(`error: ${layout} is a directory, and a tar is wanted`)
		expect(stderr).toContain(
			`next:  If it is an OCI image layout, name it oci:${layout} for copy, and ${layout}/ for load.`,
		)
		expect((await lading('load', `${app}.tar/`, `${host}/slash`)).code).toBe(0)
		expect((await lading('copy', `oci:${app}.tar`, `${host}/scheme`)).code).toBe(0)
	})

	it('load gives a password to a registry that is named, not to one that the file names', async () => {
		await push(['v1'], app)
		await lading('save', `${host}/${app}:v1`, `${app}.tar`)
		const env = { LADING_USERNAME: 'ci', LADING_PASSWORD: 'secret' }
		const refused = await ladingWith({ env }, 'load', `${app}.tar`)
		expect(refused.code).toBe(2)
		expect(refused.stderr).toContain(`would go to ${host}, because ${app}.tar says so`)
		expect((await ladingWith({ env }, 'load', `${app}.tar`, host)).code).toBe(0)
		expect((await ladingWith({ env }, 'load', `${app}.tar`, '--map', `${host}=${host}/m`)).code).toBe(0)
		const only = { ...env, LADING_REGISTRY: 'registry.test' }
		expect((await ladingWith({ env: only }, 'load', `${app}.tar`)).code).toBe(0)
	})

	it('load of the library gives the password of the command line to nobody', async () => {
		await push(['v1'], app)
		const source = join(directory, `${app}-library.tar`)
		await lading('save', `${host}/${app}:v1`, source)
		const asked: (string | undefined)[] = []
		const server = createServer((request, response) => {
			asked.push(request.headers.authorization)
			response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
		})
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		const { port } = server.address() as AddressInfo
		try {
			const env = { HOME: directory, LADING_USERNAME: 'ci', LADING_PASSWORD: 'secret' }
			const map = [`${host}=127.0.0.1:${port}`]
			const loading = load({ source, map, env, access: { plainHttp: true } })
			await expect(loading).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
			expect(asked.length).toBeGreaterThan(0)
			expect(asked.filter((each) => each !== undefined)).toEqual([])
		} finally {
			server.close()
		}
	})

	it('load tags nothing when a content is not what its digest says', async () => {
		await push(['v1'], app)
		await lading('save', `${host}/${app}:v1`, `${app}-layout`)
		cpSync(join(directory, `${app}-layout`), join(directory, `${app}-broken`), { recursive: true })
		const [, layer] = manifest(app)
		writeFileSync(
			join(directory, `${app}-broken/blobs/sha256`, layer.descriptor.digest.slice(7)),
			'x'.repeat(layer.descriptor.size),
		)
		const { code, stderr } = await lading('load', `${app}-broken`, `${host}/broken`)
		expect(code, stderr).toBe(6)
		expect(stderr).toContain('is corrupt')
		expect((await repository(`broken/${app}`).tags()) ?? []).toEqual([])
		expect((await lading('load', 'nothing.tar')).code).toBe(7)
	})

	it('load puts a layout that says nothing of its origin where it is told', async () => {
		await push(['v1'], app)
		await lading('save', `${host}/${app}:v1`, `${app}-layout`)
		const path = join(directory, `${app}-layout/index.json`)
		writeFileSync(path, readFileSync(path, 'utf8').replace(/"io\.containerd\.image\.name":"[^"]*",/, ''))
		expect((await lading('load', `${app}-layout`)).code).toBe(2)
		const { stdout } = await lading('load', `${app}-layout`, `${host}/foreign/${app}`)
		expect(stdout).toContain(`${host}/foreign/${app}:v1@sha256:`)
	})
})

describe('tags', () => {
	it('says what each names, and reads only what is shown', async () => {
		const annotated = { annotations: { 'org.opencontainers.image.created': '2026-01-02T03:04:05Z' } }
		const root = await push(['v1.0.0', 'latest'], app, annotated)
		await push(['v1.1.0-rc.1'], `${app} two`)
		const { tags, described } = await json('tags', `${host}/${app}`, '--limit', '2')
		expect(tags).toEqual(['v1.1.0-rc.1', 'v1.0.0'])
		expect(described).toHaveLength(2)
		expect((await json('tags', `${host}/${app}`, '--limit', '2', '--no-long')).tags).toEqual(tags)
		expect((await json('tags', `${host}/${app}`)).tags).toEqual(['v1.1.0-rc.1', 'v1.0.0', 'latest'])
		expect(described?.[1]).toEqual({
			tag: 'v1.0.0',
			digest: root.digest,
			size: root.size + app.length + 2,
			type: 'test/x',
			created: '2026-01-02T03:04:05.000Z',
			applications: [],
		})
		const { stdout } = await lading('tags', `${host}/${app}`, '--long')
		expect(stdout.split('\n')[0]).toMatch(/^TAG +DIGEST +SIZE +AGE +TYPE$/)
		expect(stdout).toContain(root.digest.slice(0, 19))
	})

	it('filters by range and by pattern', async () => {
		await push(['v1.0.0', 'v1.5.0', 'v2.0.0', 'main', 'v1.6.0-rc.1'], app)
		const names = async (...flags: readonly string[]): Promise<string> =>
			(await lading('tags', `${host}/${app}`, ...flags)).stdout.trim().replaceAll('\n', ' ')
		expect(await names('--range', '^1')).toBe('v1.5.0 v1.0.0')
		expect(await names('--filter', 'v1.*')).toBe('v1.6.0-rc.1 v1.5.0 v1.0.0')
		expect(await names('--filter', 'v*', '--range', '>=1.5', '--limit', '1')).toBe('v2.0.0')
		expect((await lading('tags', `${host}/${app}`, '--range', 'newest')).code).toBe(2)
	})

	it('reads the age of an image from its configuration, and survives what is broken', async () => {
		const imageConfig = bytesSource(MediaType.imageConfig, Buffer.from('{"created":"2026-03-04T05:06:07Z"}'))
		const value = { schemaVersion: 2, config: imageConfig.descriptor, layers: [] }
		const image = bytesSource(MediaType.imageManifest, Buffer.from(JSON.stringify(value)))
		const index = bytesSource(
			MediaType.imageIndex,
			Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [image.descriptor] })),
		)
		const source = createSourceStore([imageConfig, image, index])
		await copy({ source, destination: repository(app), root: index.descriptor, tags: ['multi'] })
		const { described } = await json('tags', `${host}/${app}`)
		expect(described?.[0]).toMatchObject({
			created: '2026-03-04T05:06:07.000Z',
			size: index.descriptor.size + image.descriptor.size + imageConfig.descriptor.size,
		})
	})
})

describe('tag, untag and delete', () => {
	it('tag points tags at what is there, and moves no version', async () => {
		const root = await push(['v1.0.0'], app)
		const { stdout } = await lading('tag', `${host}/${app}:v1.0.0`, 'stable', 'latest')
		expect(stdout).toBe(`${host}/${app}:stable@${root.digest}\n`)
		expect(await repository(app).tags()).toEqual(['latest', 'stable', 'v1.0.0'])
		const again = await json('tag', `${host}/${app}:v1.0.0`, 'stable')
		expect(again).toMatchObject({ outcome: 'unchanged', tagged: [] })
		await push(['other'], `${app} other`)
		expect((await lading('tag', `${host}/${app}:other`, 'v1.0.0')).code).toBe(1)
		expect((await lading('tag', `${host}/${app}:other`, 'v1.0.0', '--force')).code).toBe(0)
		expect((await lading('tag', `${host}/${app}:other`, `${host}/b:v1`)).stderr).toContain('lading copy')
		expect((await lading('tag', `${host}/${app}:none`, 'x')).code).toBe(7)
	})

	it('untag says what no tag would name, asks, and takes the tag away only', async () => {
		const root = await push(['v1', 'v2'], app)
		const one = await lading('untag', `${host}/${app}:v1`, '--dry-run')
		expect(one.stdout).not.toContain('any more')
		const both = await lading('untag', `${host}/${app}:v1`, `${host}/${app}:v2`, '--dry-run')
		expect(both.stdout).toContain(`no tag names ${root.digest} any more`)
		expect(both.stdout).toContain('1 referrer would be out of reach')
		expect((await lading('untag', `${host}/${app}:v1`)).code).toBe(2)
		expect((await ladingWith({ typed: 'n\n' }, 'untag', `${host}/${app}:v1`)).code).toBe(1)
		expect(await repository(app).tags()).toEqual(['v1', 'v2'])
		const yes = await ladingWith({ typed: 'yes\n' }, 'untag', `${host}/${app}:v1`)
		expect(yes.code, yes.stderr).toBe(0)
		expect(yes.stderr).toContain('Go on?')
		expect(await repository(app).tags()).toEqual(['v2'])
		expect(await repository(app).exists(root)).toBe(true)
		expect((await lading('untag', `${host}/${app}@${root.digest}`, '--yes')).code).toBe(2)
		expect((await lading('untag', `${host}/${app}:v9`, '--yes')).code).toBe(7)
	})

	it('delete takes an artifact with all its tags, after saying what that leaves', async () => {
		const root = await push(['v1', 'v2'], app)
		const { delete: plan } = await json('delete', `${host}/${app}:v1`, '--dry-run')
		expect(plan).toMatchObject({
			removed: false,
			digest: root.digest,
			tags: [{ tag: 'v1' }, { tag: 'v2' }],
			referrers: [{ artifactType: 'test/x' }],
			applications: { known: false, running: [] },
		})
		expect((await lading('delete', `${host}/${app}:v1`)).code).toBe(2)
		const { delete: done } = await json('delete', `${host}/${app}:v1`, '--yes')
		expect(done).toMatchObject({ removed: true })
		expect(await repository(app).tags()).toEqual([])
		expect(await repository(app).exists(root)).toBe(false)
	})
})

describe('an artifact that an index lists', () => {
	/** `TAG` names an index of one artifact. @returns that artifact */
	async function pushIndex(tag: string): Promise<Descriptor> {
		const [child, ...contents] = manifest(app)
		const index = (manifests: readonly Descriptor[]): ContentSource =>
			bytesSource(MediaType.imageIndex, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })))
		const inner = index([child.descriptor])
		const outer = index([inner.descriptor])
		const source = createSourceStore([child, ...contents, inner, outer])
		await copy({ source, destination: repository(app), root: outer.descriptor, tags: [tag] })
		return child.descriptor
	}

	it('is not deleted before the index, unless that is wanted', async () => {
		const { digest } = await pushIndex('v1')
		const { delete: plan } = await json('delete', `${host}/${app}@${digest}`, '--dry-run')
		expect(plan).toMatchObject({ digest, tags: [], listing: [{ tag: 'v1' }] })
		const refused = await lading('delete', `${host}/${app}@${digest}`, '--yes')
		expect(refused.code).toBe(1)
		expect(refused.stderr).toContain('an index lists it, which would be broken then: v1')
		expect(refused.stderr).toContain(`lading delete ${host}/${app}:v1`)
		const asked = await ladingWith({ typed: 'n\n' }, 'delete', `${host}/${app}@${digest}`, '--force')
		expect(asked.stderr).toContain('1 tag of an index that lists it: v1')
		await lading('delete', `${host}/${app}:v1`, '--yes')
		expect((await json('delete', `${host}/${app}@${digest}`, '--dry-run')).delete).toMatchObject({
			listing: [],
		})
	})

	it('is no orphan while the index has a tag', async () => {
		const { digest } = await pushIndex('v1')
		await lading('tag', `${host}/${app}@${digest}`, 'alone')
		const { untag } = await json('untag', `${host}/${app}:alone`, '--dry-run')
		expect(untag).toMatchObject({ orphans: [] })
		const both = await json('untag', `${host}/${app}:alone`, `${host}/${app}:v1`, '--dry-run')
		expect((both['untag'] as unknown as { orphans: readonly string[] }).orphans).toContain(digest)
	})
})

it('a layout that is made is whole or not there', () => {
	expect(existsSync(join(directory, 'nowhere'))).toBe(false)
	expect(readdirSync(directory).filter((name) => name.includes('.lading-'))).toEqual([])
})
