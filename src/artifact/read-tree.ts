import { readFileSync } from 'node:fs'
import type { ByteStream } from '../content/index.ts'
import { isManifestName, type ManifestEntry, type ManifestSet, unreadable } from '../manifests/index.ts'
import { Drainable, gunzip, isGzipType } from './layer-bytes.ts'
import { TarFault } from './tar-fault.ts'
import { readTar, type TarItem } from './tar-reader.ts'
import type { Tree, TreeEntry, TreeProblem } from './tree.ts'

/** How much of a layer is read; every limit has a default. */
export interface TreeLimits {
	/** Bytes of the unpacked tar (default 1 GB, Argo CD's own limit). */
	readonly maxBytes?: number | undefined
	/** Default 200 000. */
	readonly maxEntries?: number | undefined
	/** Bytes of all contents that are held for `read` (default 64 MiB). */
	readonly maxHeld?: number | undefined
}

/** `--oci-manifest-max-extracted-size` of Argo CD's repo-server: 1G. */
const MAX_BYTES = 1_000_000_000
const MAX_ENTRIES = 200_000
const MAX_HELD = 64 * 1024 * 1024
/** Larger files are not read: Argo CD takes 10 MB of manifests at most. */
const MAX_FILE = 16 * 1024 * 1024

/** Files without a manifest's name whose content decides how a directory is rendered. */
const READ_NAMES: ReadonlySet<string> = new Set(['Kustomization', '.helmignore'])

/** Files of any other name up to this size are held too: a link may make a manifest of one. In bytes, each and together. */
const MAX_OTHER = 64 * 1024
const MAX_OTHERS = 8 * 1024 * 1024

function isRead(path: string): boolean {
	return isManifestName(path) || READ_NAMES.has(path.slice(path.lastIndexOf('/') + 1))
}

/** `./a`, `/a` and `a` are one file to Argo CD. */
function normal(path: string): string {
	return path
		.split('/')
		.filter((step) => step !== '' && step !== '.')
		.join('/')
}

/**
 * A directory about to be packed, as a tree. Files are read when asked for; what was
 * read is put into `contents`, so that the packer need not read it again.
 */
export function treeOf(set: ManifestSet, contents?: Map<string, Uint8Array>): Tree {
	const held = contents ?? new Map<string, Uint8Array>()
	const byPath = new Map(set.entries.map((entry) => [entry.path, entry]))
	return {
		entries: set.entries.map(({ path, type, size, linkTarget }): TreeEntry => ({
			path,
			type,
			size,
			...(linkTarget !== undefined && { linkTarget }),
		})),
		read(path) {
			const entry = byPath.get(normal(path))
			if (entry?.type !== 'file' || entry.size > MAX_FILE) return undefined
			const bytes = held.get(entry.path) ?? readWhole(entry)
			contents?.set(entry.path, bytes)
			return bytes
		},
		locate: (path) => byPath.get(path)?.absolute,
		keep: (path, bytes) => void held.set(path, bytes),
	}
}

/**
 * Lists a layer and holds the contents of its manifests, within bounds. A fault of the
 * archive is `problem` of the tree, not an error; what the stream throws is thrown. The
 * stream is read to its end, so that a verified one is verified.
 * `read` takes paths as written or normalised; of entries with one name the last counts.
 */
export async function readTree(
	stream: ByteStream,
	mediaType: string,
	options: { readonly limits?: TreeLimits | undefined } = {},
): Promise<Tree> {
	const maxBytes = options.limits?.maxBytes ?? MAX_BYTES
	const source = new Drainable(stream, maxBytes)
	const contents = new Map<string, Uint8Array>()
	const entries: TreeEntry[] = []
	let problem: TreeProblem | undefined
	let held = 0
	let others = 0
	const maxHeld = options.limits?.maxHeld ?? MAX_HELD
	try {
		const tar = isGzipType(mediaType) ? gunzip(source) : source
		const limits = {
			maxBytes,
			maxEntries: options.limits?.maxEntries ?? MAX_ENTRIES,
		}
		for await (const item of readTar(tar, limits)) {
			const { entry } = item
			entries.push(entry)
			const key = normal(entry.path)
			held -= contents.get(key)?.byteLength ?? 0
			contents.delete(key)
			if (entry.type !== 'file' || entry.size > MAX_FILE || held + entry.size > maxHeld) continue
			if (!isRead(entry.path)) {
				if (entry.size > MAX_OTHER || others + entry.size > MAX_OTHERS) continue
				others += entry.size
			}
			const content = await collect(item)
			held += content.byteLength
			contents.set(key, content)
		}
	} catch (error) {
		if (!(error instanceof TarFault)) {
			await source.close()
			throw error
		}
		problem = error.problem
	}
	try {
		await source.drain()
	} catch (error) {
		await source.close()
		if (!(error instanceof TarFault)) throw error
		problem ??= error.problem
	}
	return {
		entries,
		...(problem !== undefined && { problem }),
		read: (path) => contents.get(normal(path)),
	}
}

function readWhole({ path, absolute }: ManifestEntry): Uint8Array {
	try {
		return readFileSync(absolute)
	} catch (error) {
		throw unreadable(path, error)
	}
}

async function collect(item: TarItem): Promise<Uint8Array> {
	const parts: Uint8Array[] = []
	for await (const part of item.content()) parts.push(part)
	return Buffer.concat(parts)
}
