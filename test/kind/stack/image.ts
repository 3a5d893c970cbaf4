import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One layer, as a tar file. */
export interface Layer {
	readonly path: string
	/** Of the tar: of the blob and of its content, which is not compressed. */
	readonly digest: string
	/** Bytes. */
	readonly size: number
}

/** The part of an image's configuration that says how it is run. */
export interface RunConfig {
	readonly Entrypoint?: readonly string[]
	readonly Cmd?: readonly string[]
	readonly Env?: readonly string[]
	readonly User?: string
	readonly WorkingDir?: string
	readonly Volumes?: Readonly<Record<string, object>>
	readonly ExposedPorts?: Readonly<Record<string, object>>
}

export interface Image {
	/** `HOST/REPOSITORY:TAG`, the host written out. */
	readonly name: string
	readonly layers: readonly Layer[]
	readonly config: RunConfig
}

/** What stands in every image of ours that runs programs of Debian. */
export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Packs a directory. Owners are kept for a root that Debian's installer made; everything else belongs to root. */
export async function packLayer(
	directory: string,
	{ path, keepOwners = false }: { readonly path: string; readonly keepOwners?: boolean },
): Promise<Layer> {
	const owners = keepOwners ? [] : ['--owner=0', '--group=0']
	await run('tar', [
		'-C',
		directory,
		'--sort=name',
		'--mtime=@0',
		'--numeric-owner',
		...owners,
		'-cf',
		path,
		'.',
	])
	return openLayer(path)
}

export async function openLayer(path: string): Promise<Layer> {
	const hash = createHash('sha256')
	await pipeline(createReadStream(path), hash)
	return { path, digest: `sha256:${hash.digest('hex')}`, size: (await stat(path)).size }
}

/**
 * The configuration of an image.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function imageConfig({ layers, config }: Image): string {
	return JSON.stringify({
		created: '1970-01-01T00:00:00Z',
		architecture: GO_ARCHITECTURES[process.arch] ?? process.arch,
		os: 'linux',
		config,
		rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
	})
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** Writes what `docker load` reads, and nothing but an engine of Docker's is needed later. */
export async function writeArchive(image: Image, path: string): Promise<void> {
	const directory = `${path}.parts`
	await mkdir(directory, { recursive: true })
	const config = imageConfig(image)
	const configName = `${sha256(config)}.json`
	const layers: string[] = []
	for (const { path: layer, digest } of image.layers) {
		const name = `${digest.slice('sha256:'.length)}.tar`
		await link(layer, join(directory, name))
		layers.push(name)
	}
	await writeFile(join(directory, configName), config)
	const manifest = [{ Config: configName, RepoTags: [image.name], Layers: layers }]
	await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest))
	await run('tar', ['-C', directory, '-cf', path, 'manifest.json', configName, ...layers])
	await rm(directory, { recursive: true })
}

/** Puts an image into a directory of manifests and blobs, from where the node's mirror serves it. */
export async function addToMirror(image: Image, directory: string): Promise<void> {
	const blob = (digest: string): string => join(directory, 'blobs', digest)
	await mkdir(join(directory, 'blobs'), { recursive: true })
	for (const { path, digest } of image.layers) await link(path, blob(digest)).catch(unlessThere)
	const config = imageConfig(image)
	const configDigest = `sha256:${sha256(config)}`
	await writeFile(blob(configDigest), config)
	const manifest = JSON.stringify({
		schemaVersion: 2,
		mediaType: 'application/vnd.oci.image.manifest.v1+json',
		config: {
			mediaType: 'application/vnd.oci.image.config.v1+json',
			digest: configDigest,
			size: Buffer.byteLength(config),
		},
		layers: image.layers.map(({ digest, size }) => ({
			mediaType: 'application/vnd.oci.image.layer.v1.tar',
			digest,
			size,
		})),
	})
	const colon = image.name.lastIndexOf(':')
	for (const reference of [image.name.slice(colon + 1), `sha256:${sha256(manifest)}`]) {
		const path = join(directory, 'manifests', image.name.slice(0, colon), reference)
		await mkdir(dirname(path), { recursive: true })
		await writeFile(path, manifest)
	}
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}

function unlessThere(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EEXIST') throw error
}
