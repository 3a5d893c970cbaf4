import type { Descriptor } from '../../oci/index.ts'
import type { StoredManifest } from './storage.ts'

/** What a manifest is listed as, and how long that is as JSON, in bytes. */
export interface Entry {
	readonly descriptor: Descriptor
	readonly bytes: number
}

/** So much of it is kept, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024

/** What manifests are listed as: who lists often does not have them read and parsed as often. */
export class Described {
	/** The last used is last. */
	readonly #entries = new Map<StoredManifest, Entry>()
	#bytes = 0

	get(manifest: StoredManifest): Entry | undefined {
		const entry = this.#entries.get(manifest)
		if (!entry) return undefined
		this.#entries.delete(manifest)
		this.#entries.set(manifest, entry)
		return entry
	}

	add(manifest: StoredManifest, descriptor: Descriptor): Entry {
		const entry = { descriptor, bytes: JSON.stringify(descriptor).length }
		this.#entries.set(manifest, entry)
		this.#bytes += entry.bytes
		for (const [oldest, { bytes }] of this.#entries) {
			if (this.#bytes <= MOST_BYTES) break
			this.#entries.delete(oldest)
			this.#bytes -= bytes
		}
		return entry
	}
}
