import type { UnnamedContent } from '../content/index.ts'
import type { Descriptor, Digest } from '../oci/index.ts'
import type { RemoteRepository, UploadAhead } from '../registry/client/index.ts'

/** Sends a large layer while it is being hashed. */
export class SendingAhead {
	readonly #repository: RemoteRepository
	readonly #signal: AbortSignal | undefined
	#ahead: UploadAhead | undefined
	#isHashed = false

	constructor(repository: RemoteRepository, signal: AbortSignal | undefined) {
		this.#repository = repository
		this.#signal = signal
	}

	/**
	 * Begins where a tag turns out to be new before the layer is hashed: the layer is new then too, as a rule. Where all
	 * are there, it is often the same, and to send what nobody needs would take longer than to wait.
	 */
	start(content: UnnamedContent, present: Promise<readonly (Descriptor | undefined)[]>): void {
		const begin = (named: readonly (Descriptor | undefined)[]): void => {
			if (!this.#isHashed && named.includes(undefined))
				this.#ahead = this.#repository.sendAhead?.(content, { signal: this.#signal })
		}
		// Whoever needs to know what the tags name is told why that fails.
		present.then(begin, () => undefined)
	}

	/** The layer is hashed: a push of it goes on with what was sent. */
	name(digest: Digest): void {
		this.#isHashed = true
		this.#ahead?.name(digest)
	}

	/** What turned out to be there, or was refused, is not sent to its end. */
	async end(): Promise<void> {
		this.#isHashed = true
		await this.#ahead?.cancel()
	}
}
