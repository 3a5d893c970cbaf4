import type { ByteStream, ContentSource, StoreOptions, UnnamedContent } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import type { ManifestSet } from '../manifests/index.ts'
import { createDigester, type Digest, MediaType } from '../oci/index.ts'
import { gzipStable } from './gzip.ts'
import { FileTimes } from './file-times.ts'
import { LayerHash } from './layer-hash.ts'
import { CHUNK, tarSize, type Witness, writeTar } from './write-tar.ts'

/** Layers up to this size stay in memory between packing and pushing, in bytes. */
export const MAX_LAYER_IN_MEMORY: number = 16 * 1024 * 1024

export type Compression = 'none' | 'gzip'

export interface PackLayerOptions {
	/** Default `none`: gzip saves bytes on the wire and costs time. */
	readonly compress?: Compression | undefined
	/** Files that were read already, by path. */
	readonly contents?: ReadonlyMap<string, Uint8Array> | undefined
	/** Is told of a large layer before it is read and hashed: it can be sent meanwhile. */
	readonly onLarge?: ((content: UnnamedContent) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

/** A packed set. A large one is not kept: `open` packs it again and fails when a file changed since. */
export interface Layer extends ContentSource {
	readonly mediaType: string
	/** Digest of the tar before compression. */
	readonly diffId: Digest
	/** Size of the tar before compression, in bytes. */
	readonly unpackedSize: number
}

/**
 * Packs a set: the same content gives the same digest on every machine.
 * @throws UserError `FILE_UNREADABLE`, `FILE_CHANGED`
 */
export async function packLayer(set: ManifestSet, options: PackLayerOptions = {}): Promise<Layer> {
	const { compress = 'none', contents, signal } = options
	const expected = tarSize(set)
	// How much a compressor makes of it, is not known before.
	const isOnlyHashed = compress === 'none' && expected > MAX_LAYER_IN_MEMORY
	if (isOnlyHashed) return await hashLayer(set, { ...options, expected })
	const tar = createDigester()
	const packed = createDigester()
	let size = 0
	let kept: Uint8Array[] | undefined = []
	for await (const chunk of produce(set, {
		compress,
		signal,
		contents,
		// What stays in memory is made in one piece, so that it need not be put together.
		firstChunk: expected <= MAX_LAYER_IN_MEMORY ? expected : undefined,
		onTar: (part) => tar.update(part),
	})) {
		size += chunk.byteLength
		if (compress === 'gzip') packed.update(chunk)
		if (size > MAX_LAYER_IN_MEMORY) kept = undefined
		kept?.push(chunk)
	}
	const mediaType = compress === 'gzip' ? MediaType.layerTarGzip : MediaType.layerTar
	const diffId = tar.digest()
	const digest = compress === 'none' ? diffId : packed.digest()
	const bytes = kept?.length === 1 ? kept[0] : kept && Buffer.concat(kept)
	return {
		descriptor: { mediaType, digest, size },
		mediaType,
		diffId,
		unpackedSize: tar.size,
		...(bytes === undefined ? { isVerified: true } : { bytes }),
		open: (openOptions) =>
			bytes === undefined ? again(set, { compress, digest, before: undefined, ...openOptions }) : once(bytes),
	}
}

/** A layer that does not stay in memory. */
async function hashLayer(
	set: ManifestSet,
	{ contents, signal, onLarge, expected }: PackLayerOptions & { readonly expected: number },
): Promise<Layer> {
	const hash = new LayerHash(set, { contents, signal })
	const { times } = hash
	// Whether all files are old is to be known before the first is sent.
	const meanwhile = times?.isOld(set.newestMs ?? Infinity) === true ? times : undefined
	onLarge?.({
		size: expected,
		open: (options) =>
			again(set, { compress: 'none', digest: hash.digest, hash, before: meanwhile, kept: 2, ...options }),
	})
	const digest = await hash.digest
	const mediaType = MediaType.layerTar
	return {
		descriptor: { mediaType, digest, size: hash.size },
		mediaType,
		diffId: digest,
		unpackedSize: hash.size,
		isVerified: true,
		open: (options) => again(set, { compress: 'none', digest, before: times, ...options }),
	}
}

interface ProduceOptions extends StoreOptions {
	readonly compress: Compression
	readonly contents?: ReadonlyMap<string, Uint8Array> | undefined
	readonly firstChunk?: number | undefined
	/** With one that is held back, at least two. */
	readonly kept?: number | undefined
	readonly onTar?: (chunk: Uint8Array) => void
	readonly witness?: Witness | undefined
}

function produce(set: ManifestSet, { compress, onTar, ...options }: ProduceOptions): ByteStream {
	const written = writeTar(set, options)
	const tar = onTar === undefined ? written : tap(written, onTar)
	return compress === 'gzip' ? gzipStable(tar) : tar
}

async function* tap(
	stream: ByteStream,
	each: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
	for await (const chunk of stream) {
		each(chunk)
		yield chunk
	}
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
	yield bytes
}

interface AgainOptions extends ProduceOptions {
	/** May be known only when the files are read again. */
	readonly digest: Digest | Promise<Digest>
	/** What is still being hashed: nothing is read before it. */
	readonly hash?: LayerHash | undefined
	/** Of the files when they were packed first, as far as they are. */
	readonly before: FileTimes | undefined
}

/**
 * The last piece is held back until it is known that the files are what they were, so that nothing wrong arrives whole.
 * Their times tell, and to hash them once more takes longer than to send them; those of files that were changed just
 * before they were packed do not. That a file is never read before it is hashed makes them tell of one that is being
 * hashed, too.
 */
async function* again(
	set: ManifestSet,
	{ digest, hash, before, ...options }: AgainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
	const trusted = before?.areOld() === true ? before : undefined
	const now = trusted && new FileTimes()
	const digester = trusted ? undefined : createDigester()
	let held: Uint8Array | undefined
	let position = 0
	await hash?.reaches(CHUNK)
	for await (const chunk of produce(set, { ...options, witness: now && { read: (file) => now.add(file) } })) {
		digester?.update(chunk)
		if (held) yield held
		held = chunk
		position += chunk.byteLength
		await hash?.reaches(position + CHUNK)
	}
	const expected = await digest
	// One that has changed since may not be old.
	const hasOldTimes = trusted?.areOld() === true && now?.digest() === trusted.digest()
	if (digester ? digester.digest() !== expected : !hasOldTimes) {
		throw new UserError('FILE_CHANGED', `${set.root} changed since it was packed`, {
			hint: 'Run it again when nothing writes to the directory.',
		})
	}
	if (held) yield held
}
