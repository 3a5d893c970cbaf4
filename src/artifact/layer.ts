import type { ByteStream, ContentSource, StoreOptions } from '../content/index.ts'
import { UserError } from '../errors/index.ts'
import type { ManifestSet } from '../manifests/index.ts'
import { createDigester, type Descriptor, type Digest, MediaType } from '../oci/index.ts'
import { gzipStable } from './gzip.ts'
import { FileTimes } from './file-times.ts'
import { estimateTar, type Witness, writeTar } from './write-tar.ts'

/** Layers up to this size stay in memory between packing and pushing, in bytes. */
export const MAX_LAYER_IN_MEMORY: number = 16 * 1024 * 1024

export type Compression = 'none' | 'gzip'

export interface PackLayerOptions {
	/** Default `none`: gzip saves bytes on the wire and costs time. */
	readonly compress?: Compression | undefined
	/** Files that were read already, by path. */
	readonly contents?: ReadonlyMap<string, Uint8Array> | undefined
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
	const compress = options.compress ?? 'none'
	const tar = createDigester()
	const packed = createDigester()
	let size = 0
	const expected = estimateTar(set)
	// How much a compressor makes of it, is not known before.
	const isOnlyHashed = compress === 'none' && expected > MAX_LAYER_IN_MEMORY
	let kept: Uint8Array[] | undefined = isOnlyHashed ? undefined : []
	// Of files that were read before, the times are not known.
	const isReadHere = (options.contents?.size ?? 0) === 0
	const times = isOnlyHashed && isReadHere ? new FileTimes() : undefined
	for await (const chunk of produce(set, {
		compress,
		signal: options.signal,
		contents: options.contents,
		// What stays in memory is made in one piece, so that it need not be put together.
		firstChunk: expected <= MAX_LAYER_IN_MEMORY ? expected : undefined,
		reuse: isOnlyHashed,
		onTar: (part) => tar.update(part),
		witness: times && { opened: (file) => times.add(file) },
	})) {
		size += chunk.byteLength
		if (compress === 'gzip') packed.update(chunk)
		if (size > MAX_LAYER_IN_MEMORY) kept = undefined
		kept?.push(chunk)
	}
	const mediaType = compress === 'gzip' ? MediaType.layerTarGzip : MediaType.layerTar
	const diffId = tar.digest()
	const descriptor: Descriptor = {
		mediaType,
		digest: compress === 'none' ? diffId : packed.digest(),
		size,
	}
	const bytes = kept?.length === 1 ? kept[0] : kept && Buffer.concat(kept)
	return {
		descriptor,
		mediaType,
		diffId,
		unpackedSize: tar.size,
		...(bytes === undefined ? { isVerified: true } : { bytes }),
		open: (openOptions) =>
			bytes === undefined ? again(set, { compress, descriptor, before: times, ...openOptions }) : once(bytes),
	}
}

interface ProduceOptions extends StoreOptions {
	readonly compress: Compression
	readonly contents?: ReadonlyMap<string, Uint8Array> | undefined
	readonly firstChunk?: number | undefined
	readonly reuse?: boolean | undefined
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
	readonly descriptor: Descriptor
	/** Of the files when they were packed first. */
	readonly before: FileTimes | undefined
}

/**
 * The last piece is held back until it is known that the files are what they were, so that nothing wrong arrives whole.
 * Their times tell, and to hash them once more takes longer than to send them; those of files that were changed just
 * before they were packed do not.
 */
async function* again(
	set: ManifestSet,
	{ descriptor, before, ...options }: AgainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
	const trusted = before?.areOld() === true ? before : undefined
	const now = trusted && new FileTimes()
	const digester = trusted ? undefined : createDigester()
	let held: Uint8Array | undefined
	for await (const chunk of produce(set, { ...options, witness: now && { read: (file) => now.add(file) } })) {
		digester?.update(chunk)
		if (held) yield held
		held = chunk
	}
	const isSame = digester ? digester.digest() === descriptor.digest : now?.digest() === trusted?.digest()
	if (!isSame) {
		throw new UserError('FILE_CHANGED', `${set.root} changed since it was packed`, {
			hint: 'Run it again when nothing writes to the directory.',
		})
	}
	if (held) yield held
}
