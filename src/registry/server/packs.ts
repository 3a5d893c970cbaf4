import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError } from '../../errors/index.ts'
import type { Digest } from '../../oci/index.ts'
import { readFully } from './chunk-reader.ts'
import { type Fence, UNFENCED } from './fence.ts'
import { syncDirectory } from './group-sync.ts'
import { CHECKSUM_LENGTH, type PackedAt, type Place, type StoreRecord } from './record.ts'
import { nameTwice } from './name-twice.ts'

export interface PacksOptions {
	readonly journalPath: string
	readonly fence?: Fence | undefined
	/** Another process may write the journal anew meanwhile. */
	readonly readOnly?: boolean | undefined
}

/** A journal that is about to be written anew, and that some content lies in. */
export interface Retirement {
	/** The new journal has its name. */
	readonly done: () => void
	/** The old one is the journal still. */
	readonly undo: () => void
}

interface Pack {
	/** Its name; 0: the journal. */
	number: number
	path: string
	/** Of its file; of the journal, which grows, 0. */
	bytes: number
	/** Lines with content that somebody has, in bytes. */
	live: number
}

interface PackedPlace extends Place {
	readonly pack: Pack
}

const NAME = /^[1-9]\d{0,14}$/

/** What a pack has, the records of before among it, for each byte of content that somebody has; more is waste. */
const WASTE_FACTOR = 4

const lineBytes = ({ length }: Place): number => CHECKSUM_LENGTH + length + 1

/**
 * Small content by digest, where it was written: in the journal, or in one of before, which is a *pack* then and keeps
 * its content for as long as somebody has any of it. Nothing is copied, and a push flushes one file.
 */
export class Packs {
	readonly #directory: string
	readonly #journalPath: string
	readonly #fence: Fence
	readonly #packs = new Map<number, Pack>()
	readonly #places = new Map<Digest, PackedPlace>()
	#journal: Pack
	/** Of the journal, where it is read only. */
	readonly descriptor: number | undefined

	constructor(directory: string, { journalPath, fence = UNFENCED, readOnly = false }: PacksOptions) {
		this.#directory = directory
		this.#journalPath = journalPath
		this.#fence = fence
		for (const name of existsSync(directory) ? readdirSync(directory) : []) {
			if (NAME.test(name)) this.#pack(Number(name)).bytes = statSync(join(directory, name)).size
		}
		this.#journal = this.#newJournal()
		if (readOnly && existsSync(journalPath)) this.descriptor = openSync(journalPath, 'r')
	}

	hasDirectory(): boolean {
		return existsSync(this.#directory)
	}

	has(digest: Digest): boolean {
		return this.#places.has(digest)
	}

	/** Whether its file is there. */
	hasPack(number: number): boolean {
		return (this.#packs.get(number)?.bytes ?? 0) > 0
	}

	/** What is another when the content was written again. */
	identity(digest: Digest): string | undefined {
		const place = this.#places.get(digest)
		return place && `${place.pack.number} ${place.offset}`
	}

	/** @throws what the disk says; nothing is checked */
	read(digest: Digest): Uint8Array | undefined {
		const place = this.#places.get(digest)
		if (!place) return undefined
		const { pack, offset: position, length } = place
		const ofJournal = pack === this.#journal ? this.descriptor : undefined
		const descriptor = ofJournal ?? openSync(pack.path, 'r')
		try {
			const base64 = readFully(descriptor, { position, length })
			return Buffer.from(
				Buffer.from(base64.buffer, base64.byteOffset, base64.byteLength).toString('latin1'),
				'base64',
			)
		} finally {
			if (descriptor !== ofJournal) closeSync(descriptor)
		}
	}

	/** The content is in the journal now, on the disk. */
	add(digest: Digest, place: Place): void {
		this.#put(digest, { pack: this.#journal, offset: place.offset, length: place.length })
	}

	/** The content is in that pack. */
	addPacked(digest: Digest, [pack, offset, length]: PackedAt): void {
		this.#put(digest, { pack: this.#pack(pack), offset, length })
	}

	/** The same records, with where their content lies once the journal is a pack. */
	*located(records: Iterable<StoreRecord>): Generator<StoreRecord, void, undefined> {
		for (const record of records) {
			if (record.type === 'blob' || record.type === 'manifest') {
				const place = this.#places.get(record.digest)
				yield place ? { ...record, packed: [place.pack.number, place.offset, place.length] } : record
			} else yield record
		}
	}

	remove(digest: Digest): void {
		const place = this.#places.get(digest)
		if (!place) return
		place.pack.live -= lineBytes(place)
		this.#places.delete(digest)
	}

	/** Removes all that `keep` does not name. Returns how many. */
	sweep(keep: (digest: Digest) => boolean): number {
		const gone = [...this.#places.keys()].filter((digest) => !keep(digest))
		for (const digest of gone) this.remove(digest)
		this.removeEmpty()
		return gone.length
	}

	/** Packs nothing of which is anybody's. The journal must say so already. */
	removeEmpty(): void {
		for (const { number, path, live } of this.#packs.values()) {
			if (live > 0) continue
			this.#fence.assertHeld()
			try {
				rmSync(path, { force: true })
				this.#packs.delete(number)
			} catch (error) {
				// Nobody's business but the disk's: the next time.
				if (!isSystemError(error)) throw error
			}
		}
	}

	/** Content of packs little of which is somebody's: written once more, it frees their space. */
	wasting(): readonly Digest[] {
		const isWasteful = ({ bytes, live }: Pack): boolean => live > 0 && live * WASTE_FACTOR < bytes
		if (![...this.#packs.values()].some(isWasteful)) return []
		return [...this.#places].filter(([, { pack }]) => isWasteful(pack)).map(([digest]) => digest)
	}

	/** Makes a pack of the journal of so many bytes, which is about to be written anew, unless nobody has any of its content. */
	retire(bytes: number): Retirement {
		const old = this.#journal
		if (old.live === 0) return { done: () => undefined, undo: () => undefined }
		this.#fence.assertHeld()
		const number = Math.max(0, ...this.#packs.keys()) + 1
		const path = join(this.#directory, String(number))
		if (mkdirSync(this.#directory, { recursive: true, mode: 0o700 }) !== undefined)
			syncDirectory(dirname(this.#directory))
		const undo = (): void => {
			old.number = 0
			// Whoever has the directory now may have given the name to a pack of its own.
			if (this.#fence.isHeld()) rmSync(path, { force: true })
		}
		// What an attempt has left that failed.
		rmSync(path, { force: true })
		try {
			nameTwice(this.#journalPath, path)
			syncDirectory(this.#directory)
		} catch (error) {
			undo()
			throw error
		}
		old.number = number
		const done = (): void => {
			Object.assign(old, { path, bytes })
			this.#packs.set(number, old)
			this.#journal = this.#newJournal()
		}
		return { done, undo }
	}

	/** Whether there are any. */
	hasFiles(): boolean {
		return this.#packs.size > 0
	}

	close(): void {
		if (this.descriptor !== undefined) closeSync(this.descriptor)
	}

	#put(digest: Digest, place: PackedPlace): void {
		this.remove(digest)
		place.pack.live += lineBytes(place)
		this.#places.set(digest, place)
	}

	#pack(number: number): Pack {
		let pack = this.#packs.get(number)
		if (!pack) {
			pack = { number, path: join(this.#directory, String(number)), bytes: 0, live: 0 }
			this.#packs.set(number, pack)
		}
		return pack
	}

	#newJournal(): Pack {
		return { number: 0, path: this.#journalPath, bytes: 0, live: 0 }
	}
}
