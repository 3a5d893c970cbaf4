import { randomUUID } from 'node:crypto'
// Its promises are loaded where they are used; node:fs/promises is loaded by every copy and push, which takes a millisecond.
import { createReadStream, promises } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError, RemoteError, UserError } from '../errors/index.ts'
import {
	type Descriptor,
	type Digest,
	digestAlgorithm,
	digestHex,
	isManifestType,
	MediaType,
} from '../oci/index.ts'
import {
	entryOf,
	type LayoutEntry,
	type LayoutIndex,
	listedOf,
	MAX_INDEX_BYTES,
	parseLayoutIndex,
} from './layout-index.ts'
import { createLayoutReader, type LayoutReader } from './layout-reader.ts'
import type { ContentStore, StoreOptions } from './store.ts'
import { verified } from './verify.ts'

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}'
/** Larger reads hash and copy faster than Node's 64 KiB; in bytes. */
const READ_BYTES = 1024 * 1024

export interface LayoutStore extends ContentStore, LayoutReader {
	/**
	 * Lists `entries` in the index, in the place of entries of the same name, and takes out of it
	 * what need not be listed: what an index among the rest lists. What points at another manifest
	 * stays, because nothing else leads to it. The order depends on names and digests only.
	 */
	seal(entries?: readonly LayoutEntry[]): Promise<void>
}

export interface LayoutStoreOptions {
	/** Whether what was pushed outlives a power cut; default yes. */
	readonly durable?: boolean | undefined
}

type Change = (entries: readonly LayoutEntry[]) => readonly LayoutEntry[]

/**
 * An OCI image layout on disk, made when something is first pushed. Every file is
 * written beside its place and renamed, so that an interrupted push leaves nothing
 * half-written. One process at a time may write.
 * @throws UserError `ARTIFACT_INVALID` when the directory holds something else
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function createLayoutStore(directory: string, options: LayoutStoreOptions = {}): LayoutStore {
	const indexPath = join(directory, 'index.json')
	const durable = options.durable ?? true
	let waiting: Change[] = []
	let turn: Promise<void> = Promise.resolve()

	const pathOf = ({ digest }: Descriptor): string =>
		join(directory, 'blobs', digestAlgorithm(digest), digestHex(digest))

	async function readIndex(): Promise<LayoutIndex | undefined> {
		const text = await readBounded(indexPath)
		return text === undefined ? undefined : parseLayoutIndex(text, indexPath)
	}

	/** What the index led to when it was first asked, and what was pushed since. */
	let reachable: Promise<Set<Digest>> | undefined
	async function reached(options: StoreOptions | undefined): Promise<ReadonlySet<Digest>> {
		reachable ??= digestsOf(reader.reach(options))
		return await reachable
	}

	/** Changes of the index wait for one another; those that wait together are written together. */
	function changeIndex(change: Change): Promise<void> {
		waiting.push(change)
		const next = turn.then(applyWaiting)
		turn = next.catch(() => undefined)
		return next
	}

	async function applyWaiting(): Promise<void> {
		const changes = waiting
		waiting = []
		if (changes.length === 0) return
		const index = await readIndex()
		const before: readonly LayoutEntry[] = (index?.manifests ?? []).map(entryOf)
		const entries = changes.reduce((all, change) => change(all), before)
		if (entries === before) return
		if (!index) await writeAtomically(join(directory, 'oci-layout'), [Buffer.from(LAYOUT)], { durable })
		const manifests = entries.map(listedOf)
		if (JSON.stringify(manifests) === JSON.stringify(index?.manifests)) return
		const changed = { schemaVersion: 2, mediaType: MediaType.imageIndex, ...index, manifests }
		await writeAtomically(indexPath, [Buffer.from(JSON.stringify(changed))], { durable })
	}

	const reader = createLayoutReader({
		readIndex,
		async fetch(target, { signal } = {}) {
			const path = pathOf(target)
			if ((await isThere(path)) === undefined) return undefined
			return createReadStream(path, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
		},
	})

	return {
		...reader,
		async exists(target, existsOptions) {
			if ((await isThere(pathOf(target))) !== target.size) return false
			// A write that was cut short left the file and no entry: nothing leads to it, and who reads the layout does not see it.
			return !isManifestType(target.mediaType) || (await reached(existsOptions)).has(target.digest)
		},
		async push(source, pushOptions) {
			const { descriptor } = source
			const { artifactType, mediaType, digest, size } = descriptor
			const opened = source.open(pushOptions)
			const content = source.isVerified === true ? opened : verified(descriptor, opened)
			await writeAtomically(pathOf(descriptor), content, { durable })
			if (!isManifestType(mediaType)) return
			const entry = {
				descriptor: { mediaType, digest, size, ...(artifactType !== undefined && { artifactType }) },
			}
			await changeIndex((entries) =>
				entries.some((each) => each.descriptor.digest === digest) ? entries : [...entries, entry],
			)
			const known = await reachable
			known?.add(digest)
		},
		async tag(target, tag) {
			if ((await isThere(pathOf(target))) === undefined) {
				throw new RemoteError('NOT_FOUND', `${target.digest} is not in ${directory}`, {
					hint: 'Push the manifest before a tag is pointed at it.',
				})
			}
			await changeIndex((entries) => [
				...entries.filter((each) => each.name !== tag && !isBare(each, target)),
				{ descriptor: target, name: tag },
			])
		},
		async seal(named = []) {
			const all = (await reader.entries()) ?? []
			const listed = new Set<string>()
			const pointing = new Set<string>()
			for (const { descriptor } of [...all, ...named]) {
				const manifest = await reader.inspect(descriptor)
				for (const { digest } of manifest?.lists ?? []) listed.add(digest)
				if (manifest?.pointing) pointing.add(descriptor.digest)
			}
			const names = new Set(named.map(nameOf))
			const here = new Set(named.map(({ descriptor }) => descriptor.digest))
			await changeIndex((entries) =>
				[
					...named,
					...entries.filter((entry) => {
						const { digest } = entry.descriptor
						if (nameOf(entry) !== undefined) return !names.has(nameOf(entry))
						return !here.has(digest) && (pointing.has(digest) || !listed.has(digest))
					}),
				].sort(byNameAndDigest),
			)
		},
	}
}

/** An index that is corrupt leads to nothing, and is pushed again. */
async function digestsOf(all: AsyncIterable<Descriptor>): Promise<Set<Digest>> {
	const digests = new Set<Digest>()
	try {
		for await (const { digest } of all) digests.add(digest)
	} catch (error) {
		if (!(error instanceof RemoteError) || error.code !== 'CONTENT_CORRUPT') throw error
	}
	return digests
}

/** An entry that only says that the manifest is there: superseded by one with a tag. */
function isBare(entry: LayoutEntry, target: Descriptor): boolean {
	return entry.descriptor.digest === target.digest && nameOf(entry) === undefined
}

function nameOf({ name, reference }: LayoutEntry): string | undefined {
	return name ?? reference
}

/** What has a name first. */
function byNameAndDigest(left: LayoutEntry, right: LayoutEntry): number {
	const [a, b] = [left, right].map(
		({ descriptor, name, reference }) =>
			`${name === undefined && reference === undefined ? 1 : 0} ${reference ?? ''} ${name ?? ''} ${descriptor.digest}`,
	)
	return a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1
}

/** Size in bytes of a file that is there. */
async function isThere(path: string): Promise<number | undefined> {
	try {
		const found = await promises.stat(path)
		return found.isFile() ? found.size : undefined
	} catch (error) {
		if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
		throw error
	}
}

async function readBounded(path: string): Promise<string | undefined> {
	const size = await isThere(path)
	if (size === undefined) return undefined
	if (size > MAX_INDEX_BYTES) throw new UserError('ARTIFACT_INVALID', `${path} is too large (${size} bytes)`)
	return promises.readFile(path, 'utf8')
}

async function writeAtomically(
	path: string,
	chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	{ durable }: { readonly durable: boolean },
): Promise<void> {
	await promises.mkdir(dirname(path), { recursive: true })
	const temporary = `${path}.${randomUUID()}.tmp`
	try {
		const file = await promises.open(temporary, 'wx')
		try {
			for await (const chunk of chunks) await file.writeFile(chunk)
			if (durable) await file.sync()
		} finally {
			await file.close()
		}
		await promises.rename(temporary, path)
	} catch (error) {
		await promises.rm(temporary, { force: true })
		if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
			throw new UserError('DISK_FULL', `the disk is full: ${path} was not written`, { cause: error })
		}
		if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) {
			throw new UserError('FILE_UNWRITABLE', `${path} cannot be written`, { cause: error })
		}
		throw error
	}
}
