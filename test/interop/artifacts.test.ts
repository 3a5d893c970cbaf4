import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
	chmodSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, MAIN, program } from '../e2e/program.ts'
import { type Registry, startDockerRegistry, startLadingRegistry } from './registries.ts'

const SAMPLE = join(import.meta.dirname, '../../sample-manifests')
const DIGEST = /sha256:[a-f0-9]{64}/

let directory = ''
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	writeAll(join(directory, 'plain'))
	writeHard(join(directory, 'hard'))
	writeMany(join(directory, 'many'))
	mkdirSync(join(directory, 'empty'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function writeAll(target: string): void {
	cpSync(SAMPLE, target, { recursive: true })
}

function configMap(name: string): string {
	return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`
}

/** Names that need PAX, links, modes, an empty file and one that is no text. */
function writeHard(target: string): void {
	mkdirSync(join(target, 'über/日本 😀'), { recursive: true })
	writeFileSync(join(target, 'one.yaml'), configMap('one'))
	writeFileSync(join(target, 'über/日本 😀/zwei.yaml'), configMap('two'))
	const deep = join(target, 'd'.repeat(90), 'e'.repeat(90), 'f'.repeat(90))
	mkdirSync(deep, { recursive: true })
	writeFileSync(join(deep, `${'g'.repeat(200)}.yaml`), configMap('long'))
	writeFileSync(join(target, 'empty.txt'), '')
	writeFileSync(
		join(target, 'binary.bin'),
		Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251)),
	)
	writeFileSync(join(target, 'run.sh'), '#!/bin/sh\n')
	chmodSync(join(target, 'run.sh'), 0o755)
	symlinkSync('one.yaml', join(target, 'link.yaml'))
	symlinkSync('../one.yaml', join(target, 'über/up.yaml'))
}

function writeMany(target: string): void {
	mkdirSync(target)
	for (let index = 0; index < 2000; index++)
		writeFileSync(join(target, `${index}.yaml`), configMap(`c${index}`))
}

/** Every file below a directory: its path, and what is in it or where it leads. */
function snapshot(root: string): Readonly<Record<string, string>> {
	const found: Record<string, string> = {}
	for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
		const path = join(entry.parentPath, entry.name)
		const name = path.slice(root.length + 1)
		if (entry.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`
		else if (entry.isFile()) found[name] = createHash('sha256').update(readFileSync(path)).digest('hex')
	}
	return found
}

/** A tool that must be on PATH. @returns its stdout */
function tool(name: string, args: readonly string[], cwd = directory): string {
	return execFileSync(name, args, {
		cwd,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, HOME: directory, DOCKER_CONFIG: directory },
	})
}

interface Tools {
	readonly registry: () => Registry
	readonly oras: (args: readonly string[], cwd?: string) => string
	/** Runs a command of lading against the registry. */
	readonly lading: (args: readonly string[]) => Promise<Ended>
	readonly ok: (args: readonly string[]) => Promise<string>
}

function toolsFor(registry: () => Registry): Tools {
	const lading = (args: readonly string[]): Promise<Ended> =>
		program(process.execPath, [MAIN, ...args, ...registry().flags], { cwd: directory, env: registry().env })
	return {
		registry,
		oras: (args, cwd) => tool('oras', [...args, ...registry().oras], cwd),
		lading,
		async ok(args) {
			const ended = await lading(args)
			expect(ended.code, `lading ${args.join(' ')}:\n${ended.stdout}${ended.stderr}`).toBe(0)
			return ended.stdout.trim()
		},
	}
}

interface Pushed {
	readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[]
	readonly annotations?: Readonly<Record<string, string>>
}

const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'
const VERSION = 'org.opencontainers.image.version'

/** What lading pushes, read by the others. */
function readByOthers({ registry, oras, ok }: Tools): void {
	const variants = [
		{ name: 'plain', as: 'plain', flags: [] },
		{ name: 'plain', as: 'gzip', flags: ['--compress', 'gzip'] },
		{ name: 'plain', as: 'annotated', flags: ['--annotation', `${VERSION}=1.0.0 ✓`, '--tag', 'latest'] },
		{ name: 'hard', as: 'hard', flags: ['--recurse'] },
		{ name: 'hard', as: 'hard-gzip', flags: ['--recurse', '--compress', 'gzip'] },
		{ name: 'many', as: 'many', flags: [] },
	]

	it.each(variants)('lets oras, skopeo and tar read $as byte for byte', async ({ name, as, flags }) => {
		const place = `${registry().host}/pushed/${as}`
		const files = snapshot(join(directory, name))
		const line = await ok(['push', name, `${place}:v1`, ...flags])
		const digest = DIGEST.exec(line)?.[0] ?? ''
		expect(line).toBe(`${place}@${digest}`)
		expect(oras(['resolve', `${place}:v1`]).trim()).toBe(digest)
		const manifest = oras(['manifest', 'fetch', `${place}:v1`])
		expect(`sha256:${createHash('sha256').update(manifest).digest('hex')}`).toBe(digest)
		const { layers, annotations } = JSON.parse(manifest) as Pushed
		const [layer] = layers
		expect(layers).toHaveLength(1)
		expect(layer?.mediaType === GZIP).toBe(flags.includes('gzip'))

		const scratch = mkdtempSync(join(directory, 'read-'))
		const archive = join(scratch, 'layer')
		oras(['blob', 'fetch', '--output', archive, `${place}@${layer?.digest}`])
		mkdirSync(join(scratch, 'tar'))
		tool('tar', ['-xf', archive, '-C', join(scratch, 'tar')])
		expect(snapshot(join(scratch, 'tar'))).toEqual(files)

		const copy = ['--insecure-policy', 'copy', '-q', ...registry().skopeo, `docker://${place}:v1`]
		const blobs = join(scratch, 'oci/blobs')
		tool('skopeo', [...copy, `oci:${scratch}/oci:v1`])
		expect(
			readFileSync(join(blobs, layer?.digest.replace(':', '/') ?? '')).equals(readFileSync(archive)),
		).toBe(true)
		expect(readFileSync(join(blobs, digest.replace(':', '/')), 'utf8')).toBe(manifest)
		tool('skopeo', [...copy, `dir:${scratch}/dir`])
		expect(readFileSync(join(scratch, 'dir/manifest.json'), 'utf8')).toBe(manifest)

		await ok(['pull', `${place}@${digest}`, join(scratch, 'pulled')])
		expect(snapshot(join(scratch, 'pulled'))).toEqual(files)
		expect(await ok(['diff', `${place}:v1`, name])).toBe('no difference')

		const isAnnotated = as === 'annotated'
		expect(annotations?.[VERSION]).toBe(isAnnotated ? '1.0.0 ✓' : undefined)
		expect(oras(['repo', 'tags', place]).trim().split('\n')).toEqual(isAnnotated ? ['latest', 'v1'] : ['v1'])
	})
}

/** What the others push, judged and read by lading. */
function readOthers({ registry, oras, lading, ok }: Tools): void {
	const place = (name: string): string => `${registry().host}/others/${name}:v1`
	/** An artifact as any tool may make it: config, layers, manifest. */
	const assemble = (
		reference: string,
		made: { config: string; layers: readonly (readonly [string, Buffer])[] },
	): void => {
		const scratch = mkdtempSync(join(directory, 'made-'))
		const store = (content: Buffer | string): { digest: string; size: number } => {
			writeFileSync(join(scratch, 'blob'), content)
			const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
			oras(
				['blob', 'push', '--size', String(content.length), `${reference.slice(0, -3)}@${digest}`, 'blob'],
				scratch,
			)
			return { digest, size: content.length }
		}
		const manifest = {
			schemaVersion: 2,
			mediaType: 'application/vnd.oci.image.manifest.v1+json',
			config: { mediaType: made.config, ...store('{}') },
			layers: made.layers.map(([mediaType, content]) => ({ mediaType, ...store(content) })),
		}
		writeFileSync(join(scratch, 'manifest.json'), JSON.stringify(manifest))
		oras(['manifest', 'push', reference, 'manifest.json'], scratch)
	}
	const tarOf = (name: string, ...args: readonly string[]): Buffer => {
		const archive = join(mkdtempSync(join(directory, 'tar-')), 'a.tar')
		tool('tar', ['-cf', archive, ...args, name])
		return readFileSync(archive)
	}

	interface Case {
		readonly what: string
		readonly push: (reference: string) => void
		readonly accepted: boolean
		/** Of the answer of `check`. */
		readonly says: RegExp
		/** Where the sample lies after `pull`; absent where it must fail. */
		readonly pulled?: string
	}
	const inPlain =
		(...args: readonly string[]) =>
		(reference: string): void =>
			void oras(['push', reference, ...args], join(directory, 'plain'))
	const cases: readonly Case[] = [
		{
			what: 'a directory by oras',
			push: inPlain('.'),
			accepted: true,
			says: /deploys 3 resources/,
			pulled: '.',
		},
		{
			what: 'a directory by oras, as image-spec 1.0 has it',
			push: inPlain('--image-spec', 'v1.0', '.'),
			accepted: true,
			says: /deploys 3 resources/,
			pulled: '.',
		},
		{
			what: 'an annotated directory by oras',
			push: inPlain('--annotation', `${VERSION}=1`, '--artifact-type', 'application/vnd.example', '.'),
			accepted: true,
			says: /deploys 3 resources/,
			pulled: '.',
		},
		{
			what: 'a directory named as an argument of oras',
			push: (reference) => void oras(['push', reference, 'plain']),
			accepted: false,
			says: /subdirectories/,
			pulled: 'plain',
		},
		{
			what: 'two files by oras',
			push: inPlain('namespace.yaml', 'service.yaml'),
			accepted: false,
			says: /expected only a single oci content layer, got 2/,
		},
		{
			what: 'one file by oras, which is no tar though it is called one',
			push: inPlain('namespace.yaml'),
			accepted: false,
			says: /error while iterating on tar reader: unexpected EOF/,
		},
		{
			what: 'a file of another type by oras',
			push: inPlain('namespace.yaml:application/yaml'),
			accepted: false,
			says: /expected only a single oci content layer, got 0|not in the list of allowed media types/,
		},
		{
			what: 'a tar by oras',
			push(reference) {
				const archive = tarOf('.', '-C', 'plain')
				writeFileSync(join(directory, 'm.tar'), archive)
				oras(['push', reference, 'm.tar:application/vnd.oci.image.layer.v1.tar'])
			},
			accepted: true,
			says: /deploys 3 resources/,
			pulled: '.',
		},
		{
			what: 'an image by docker or crane',
			push: (reference) =>
				assemble(reference, {
					config: 'application/vnd.docker.container.image.v1+json',
					layers: [
						['application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tarOf('.', '-C', 'plain'))],
					],
				}),
			accepted: false,
			says: /not in the list of allowed media types/,
			pulled: '.',
		},
		{
			what: 'an image by buildah or crane --oci-empty-base',
			push: (reference) =>
				assemble(reference, {
					config: 'application/vnd.oci.image.config.v1+json',
					layers: [[GZIP, gzipSync(tarOf('.', '-C', 'plain'))]],
				}),
			accepted: true,
			says: /deploys 3 resources/,
			pulled: '.',
		},
		{
			what: 'an artifact of flux',
			push: (reference) =>
				assemble(reference, {
					config: 'application/vnd.cncf.flux.config.v1+json',
					layers: [['application/vnd.cncf.flux.content.v1.tar+gzip', gzipSync(tarOf('.', '-C', 'plain'))]],
				}),
			accepted: false,
			says: /application\/vnd\.cncf\.flux\.content\.v1\.tar\+gzip is not in the list of allowed media types/,
			pulled: '.',
		},
	]

	const prepared = async ({ push, accepted, says }: Case): Promise<{ reference: string; target: string }> => {
		const reference = place(`n${randomBytes(6).toString('hex')}`)
		push(reference)
		const check = await lading(['check', reference])
		expect(check.code, check.stdout + check.stderr).toBe(accepted ? 0 : 1)
		expect(check.stdout).toMatch(says)
		expect(await ok(['inspect', reference])).toContain(oras(['resolve', reference]).trim())
		return { reference, target: join(mkdtempSync(join(directory, 'pull-')), 'out') }
	}

	it.each(cases.filter(({ pulled }) => pulled !== undefined))('judges and reads $what', async (each) => {
		const { reference, target } = await prepared(each)
		await ok(['pull', reference, target])
		expect(snapshot(join(target, each.pulled ?? ''))).toEqual(snapshot(join(directory, 'plain')))
		expect(await ok(['diff', reference, 'plain'])).toBe('no difference')
	})

	it.each(cases.filter(({ pulled }) => pulled === undefined))(
		'judges $what, and does not unpack it',
		async (each) => {
			const { reference, target } = await prepared(each)
			const ended = await lading(['pull', reference, target])
			expect(ended.code).toBe(3)
			expect(readdirSync(join(target, '..'))).toEqual([])
		},
	)

	it('judges an empty directory by oras, and unpacks nothing', async () => {
		const push = (reference: string): void => void oras(['push', reference, '.'], join(directory, 'empty'))
		const empty = { what: '', push, accepted: false, says: /the artifact is empty/ }
		const { reference, target } = await prepared(empty)
		await ok(['pull', reference, target])
		expect(readdirSync(target)).toEqual([])
	})
}

const registries: readonly {
	readonly what: string
	readonly start: () => Promise<Registry>
	readonly others: boolean
}[] = [
	{ what: 'docker-registry', start: () => startDockerRegistry(directory), others: true },
	{
		what: 'lading registry serve, over TLS with a password',
		start: () => startLadingRegistry(directory, { tls: true }),
		others: true,
	},
	{
		what: 'lading registry serve --plain-http',
		start: () => startLadingRegistry(directory, { tls: false }),
		others: false,
	},
]

describe.each(registries)('in $what', ({ start, others }) => {
	let registry: Registry
	beforeAll(async () => {
		registry = await start()
	})
	afterAll(() => registry.stop())
	const tools = toolsFor(() => registry)

	readByOthers(tools)
	// Over TLS and without, what others pushed is read by the same road.
	if (others) readOthers(tools)

	it('has the same digest from two clones, whatever umask, time zone and locale', async () => {
		const origin = mkdtempSync(join(directory, 'git-'))
		writeAll(join(origin, 'manifests'))
		const git = (...args: readonly string[]): string =>
			tool(
				'git',
				['-c', 'user.name=a', '-c', 'user.email=a@b.test', '-c', 'commit.gpgsign=false', ...args],
				origin,
			)
		git('init', '-q')
		git('remote', 'add', 'origin', 'https://git.example/team/app.git')
		git('add', '.')
		git('commit', '-q', '-m', 'first')
		const push = async (
			name: string,
			env: Readonly<Record<string, string>>,
			umask: string,
		): Promise<string> => {
			tool('sh', ['-c', `umask ${umask} && cp -r "${origin}" "${directory}/${name}-${registry.host}"`])
			const place = `${registry.host}/clone/${name}:v1`
			const flags = ['--git', ...registry.flags]
			const clone = join(directory, `${name}-${registry.host}`)
			const line = 'umask "$1"; shift; exec "$@"'
			const command = [process.execPath, MAIN, 'push', 'manifests', place, ...flags]
			const ended = await program('sh', ['-c', line, 'sh', umask, ...command], {
				cwd: clone,
				env: { ...registry.env, ...env },
			})
			expect(ended.code, ended.stderr).toBe(0)
			return DIGEST.exec(ended.stdout)?.[0] ?? ''
		}
		const one = await push('one', { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' }, '022')
		const two = await push('two', { TZ: 'America/St_Johns', LC_ALL: 'C.UTF-8' }, '077')
		expect(one).toMatch(DIGEST)
		expect(two).toBe(one)
	})
})
