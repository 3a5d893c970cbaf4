import type { StoreOptions, UnnamedContent } from '../../content/index.ts'
import { isPassing } from '../../http/client/index.ts'
import type { Digest } from '../../oci/index.ts'
import { type Begun, sessionOf, standingOf, startSession } from './blob-upload.ts'
import type { Endpoint } from './endpoint.ts'

/** An upload of content whose digest is still being found out. */
export interface UploadAhead {
	/** Says what it is: the next push of that goes on with it. */
	name(digest: Digest): void
	/** Ends it, unless a push has gone on with it. Throws nothing. */
	cancel(): Promise<void>
}

/**
 * Sends content before anybody knows its digest, as docker does. Whatever fails is left to the push that
 * goes on with it, which meets it again and says it.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export class AheadSession {
	readonly #endpoint: Endpoint
	readonly #signal: AbortSignal | undefined
	readonly #aborter = new AbortController()
	readonly #begun: Promise<Begun | undefined>
	#session: string | undefined
	#isOver = false

	constructor(endpoint: Endpoint, content: UnnamedContent, { signal }: StoreOptions) {
		this.#endpoint = endpoint
		this.#signal = signal
		this.#begun = this.#send(content)
	}

	/** How far it has come, when it ends, for who goes on with it; `undefined` where nobody can. */
	async take(): Promise<Begun | undefined> {
		const begun = await this.#begun
		if (begun) this.#isOver = true
		else await this.cancel()
		return begun
	}

	async cancel(): Promise<void> {
		if (this.#isOver) return
		this.#isOver = true
		this.#aborter.abort()
		await this.#begun
		if (this.#session === undefined || this.#signal?.aborted === true) return
		const request = { method: 'DELETE', path: this.#session, access: 'pull,push', retry: false } as const
		await this.#endpoint.send({ ...request, signal: this.#signal }).then(
			(response) => response.discard(),
			// The registry forgets it by itself, later.
			() => undefined,
		)
	}

	async #send(content: UnnamedContent): Promise<Begun | undefined> {
		const signals = [this.#aborter.signal, ...(this.#signal ? [this.#signal] : [])]
		const signal = AbortSignal.any(signals)
		try {
			const session = await startSession({ endpoint: this.#endpoint, signal, retry: false })
			this.#session = session
			const response = await this.#endpoint.send({
				method: 'PATCH',
				path: session,
				access: 'pull,push',
				headers: { 'content-type': 'application/octet-stream' },
				body: () => content.open({ signal }),
				contentLength: content.size,
				retry: false,
				signal,
			})
			if (response.status !== 202 && response.status !== 204) {
				response.discard()
				return undefined
			}
			this.#session = sessionOf(this.#endpoint, response)
			return { session: this.#session, offset: standingOf(response, content.size) }
		} catch (error) {
			if (this.#session === undefined || !isPassing(error)) return undefined
			return { session: this.#session, offset: undefined }
		}
	}
}
