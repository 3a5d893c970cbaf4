import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoreOptions } from '../content/index.ts'
import type { ManifestSet } from '../manifests/index.ts'
import { createDigester, type Digest } from '../oci/index.ts'
import { FileTimes } from './file-times.ts'
import { writeTar } from './write-tar.ts'

export interface LayerHashOptions extends StoreOptions {
	/** Files that were read already, by path. */
	readonly contents: ReadonlyMap<string, Uint8Array> | undefined
}

/** The digest of a layer that does not stay in memory, while it is found out and after that. */
export class LayerHash {
	/** Of the files, as far as they are read; absent where some were read before. */
	readonly times: FileTimes | undefined
	readonly digest: Promise<Digest>
	readonly #digester = createDigester()
	#isOver = false

	constructor(set: ManifestSet, options: LayerHashOptions) {
		this.times = (options.contents?.size ?? 0) === 0 ? new FileTimes() : undefined
		this.digest = this.#hash(set, options).finally(() => {
			this.#isOver = true
		})
		// Who waits for it may not have asked yet.
		this.digest.catch(() => undefined)
	}

	/** Number of bytes that are hashed. */
	get size(): number {
		return this.#digester.size
	}

	/** Resolves when so many bytes are hashed, or it has ended: for who reads the same files once more. */
	async reaches(bytes: number): Promise<void> {
		while (!this.#isOver && this.size < bytes) await nextTurn()
	}

	async #hash(set: ManifestSet, { contents, signal }: LayerHashOptions): Promise<Digest> {
		const { times } = this
		const witness = times && { opened: times.add.bind(times) }
		for await (const chunk of writeTar(set, { signal, contents, kept: 1, witness })) {
			this.#digester.update(chunk)
			// Who sends it meanwhile, or asks what is there, gets on too.
			await nextTurn()
		}
		return this.#digester.digest()
	}
}
