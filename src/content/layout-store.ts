import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { isSystemError, RemoteError, UserError } from '../errors/index.ts'
import {
	type Descriptor,
	descriptorSchema,
	digestAlgorithm,
	digestHex,
	isDigest,
	isManifestType,
	MediaType,
} from '../oci/index.ts'
import type { ContentStore } from './store.ts'
import { referrerTo } from './subject.ts'
import { MAX_DOCUMENT_BYTES, readVerified, verified } from './verify.ts'

const REF_NAME = 'org.opencontainers.image.ref.name'
const LAYOUT = '{"imageLayoutVersion":"1.0.0"}'
/** Larger reads hash and copy faster than Node's 64 KiB; in bytes. */
const READ_BYTES = 1024 * 1024
/** An `index.json` larger than this is refused, in bytes. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024

const indexSchema = v.object({
	schemaVersion: v.literal(2),
	mediaType: v.optional(v.string()),
	manifests: v.array(descriptorSchema),
	annotations: v.optional(v.record(v.string(), v.string())),
})
type Index = v.InferOutput<typeof indexSchema>

/**
 * An OCI image layout on disk, made when something is first pushed. Every file is
 * written beside its place and renamed, so that an interrupted push leaves nothing
 * half-written. One process at a time may write.
 * @throws UserError `ARTIFACT_INVALID` when the directory holds something else
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function createLayoutStore(directory: string): ContentStore {
	const indexPath = join(directory, 'index.json')
	let turn: Promise<unknown> = Promise.resolve()

	const pathOf = ({ digest }: Descriptor): string =>
		join(directory, 'blobs', digestAlgorithm(digest), digestHex(digest))

	async function readIndex(): Promise<Index | undefined> {
		const text = await readBounded(indexPath)
		if (text === undefined) return undefined
		const parsed = v.safeParse(indexSchema, parseJson(text))
		if (parsed.success) return parsed.output
		throw new UserError('ARTIFACT_INVALID', `${indexPath} is not the index of an OCI image layout`, {
			hint: 'Name the directory that holds oci-layout, index.json and blobs/.',
		})
	}

	/** Changes of the index wait for one another. */
	function changeIndex(change: (manifests: readonly Descriptor[]) => readonly Descriptor[]): Promise<void> {
		const apply = async (): Promise<void> => {
			const index = await readIndex()
			const before = index?.manifests ?? []
			const manifests = change(before)
			if (manifests === before) return
			await writeAtomically(join(directory, 'oci-layout'), [Buffer.from(LAYOUT)])
			const changed = { mediaType: MediaType.imageIndex, ...index, schemaVersion: 2, manifests }
			await writeAtomically(indexPath, [Buffer.from(JSON.stringify(changed))])
		}
		const next = turn.then(apply)
		turn = next.catch(() => undefined)
		return next
	}

	const store: ContentStore = {
		async resolve(reference) {
			const manifests = (await readIndex())?.manifests ?? []
			if (!isDigest(reference)) return plain(manifests.find((each) => tagOf(each) === reference))
			return plain(manifests.find((each) => each.digest === reference))
		},
		async fetch(target, options) {
			const path = pathOf(target)
			if (!(await isThere(path))) return undefined
			return createReadStream(path, { highWaterMark: READ_BYTES, ...options })
		},
		async exists(target) {
			return (await isThere(pathOf(target))) === target.size
		},
		async push(source, options) {
			const { descriptor } = source
			await writeAtomically(pathOf(descriptor), verified(descriptor, source.open(options)))
			if (!isManifestType(descriptor.mediaType)) return
			await changeIndex((manifests) =>
				manifests.some((each) => each.digest === descriptor.digest) ? manifests : [...manifests, descriptor],
			)
		},
		async tag(target, tag) {
			if ((await isThere(pathOf(target))) === undefined) {
				throw new RemoteError('NOT_FOUND', `${target.digest} is not in ${directory}`, {
					hint: 'Push the manifest before a tag is pointed at it.',
				})
			}
			const tagged = { ...target, annotations: { ...target.annotations, [REF_NAME]: tag } }
			await changeIndex((manifests) => [
				...manifests.filter((each) => tagOf(each) !== tag && !isBare(each, target)),
				tagged,
			])
		},
		async tags() {
			const index = await readIndex()
			const tags = index?.manifests.flatMap((each) => tagOf(each) ?? [])
			return tags && [...new Set(tags)].sort()
		},
		async referrers(target, options) {
			const found = new Map<string, Descriptor>()
			for (const each of (await readIndex())?.manifests ?? []) {
				if (!isManifestType(each.mediaType) || each.size > MAX_DOCUMENT_BYTES) continue
				const bytes = await readVerified(store, each, options)
				const referrer = bytes && referrerTo(target.digest, each, bytes)
				if (!referrer) continue
				if (options?.artifactType === undefined || referrer.artifactType === options.artifactType)
					found.set(referrer.digest, referrer)
			}
			return [...found.values()]
		},
	}
	return store
}

function tagOf(descriptor: Descriptor): string | undefined {
	return descriptor.annotations?.[REF_NAME]
}

/** An entry that only says that the manifest is there: superseded by one with a tag. */
function isBare(entry: Descriptor, target: Descriptor): boolean {
	return entry.digest === target.digest && tagOf(entry) === undefined
}

/** Without the name, which belongs to the index and not to the content. */
function plain(descriptor: Descriptor | undefined): Descriptor | undefined {
	if (!descriptor) return undefined
	const { annotations, ...rest } = descriptor
	const others = Object.entries(annotations ?? {}).filter(([key]) => key !== REF_NAME)
	return others.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(others) }
}

/** Size in bytes of a file that is there. */
async function isThere(path: string): Promise<number | undefined> {
	try {
		const found = await stat(path)
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
	return readFile(path, 'utf8')
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

async function writeAtomically(
	path: string,
	chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
	await mkdir(dirname(path), { recursive: true })
	const temporary = `${path}.${randomUUID()}.tmp`
	try {
		const file = await open(temporary, 'wx')
		try {
			for await (const chunk of chunks) await file.writeFile(chunk)
			await file.sync()
		} finally {
			await file.close()
		}
		await rename(temporary, path)
	} catch (error) {
		await rm(temporary, { force: true })
		if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
			throw new UserError('DISK_FULL', `the disk is full: ${path} was not written`, { cause: error })
		}
		if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) {
			throw new UserError('FILE_UNWRITABLE', `${path} cannot be written`, { cause: error })
		}
		throw error
	}
}
