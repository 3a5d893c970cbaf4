import type { StoreOptions, UnnamedContent } from '../../content/index.ts'
import { isPassing, isRetryableStatus } from '../../http/client/index.ts'
import type { Digest } from '../../oci/index.ts'
import { type Begun, sessionOf, standingOf, startSession } from './blob-upload.ts'
import type { Endpoint } from './endpoint.ts'

/** How long a registry has to delete what nobody wants, in milliseconds: a push waits for it. */
const FORGET_MS = 2000

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
	#isTaken = false
	#cancelled: Promise<void> | undefined

	constructor(endpoint: Endpoint, content: UnnamedContent, { signal }: StoreOptions) {
		this.#endpoint = endpoint
		this.#signal = signal
		this.#begun = this.#send(content)
	}

	/** How far it has come, when it ends, for who goes on with it; `undefined` where nobody can. */
	async take(): Promise<Begun | undefined> {
		this.#isTaken = true
		const begun = await this.#begun
		if (!begun) void this.#forget()
		return begun
	}

	cancel(): Promise<void> {
		if (this.#isTaken) return Promise.resolve()
		this.#cancelled ??= this.#cancel()
		return this.#cancelled
	}

	async #cancel(): Promise<void> {
		this.#aborter.abort()
		await this.#begun
		await this.#forget()
	}

	/** Has the registry delete what came. It does that by itself, later, where it does not answer soon. */
	async #forget(): Promise<void> {
		if (this.#session === undefined || this.#signal?.aborted === true) return
		const response = await this.#endpoint
			.send({
				method: 'DELETE',
				path: this.#session,
				access: 'pull,push',
				retry: false,
				signal: this.#until(AbortSignal.timeout(FORGET_MS)),
			})
			.catch(() => undefined)
		response?.discard()
	}

	async #send(content: UnnamedContent): Promise<Begun | undefined> {
		const signal = this.#until(this.#aborter.signal)
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
				return isRetryableStatus(response.status) ? { session, offset: undefined } : undefined
			}
			this.#session = sessionOf(this.#endpoint, response)
			const offset = standingOf(response, content.size)
			// One that says 0 may have all of it.
			return { session: this.#session, offset: offset > 0 ? offset : undefined }
		} catch (error) {
			if (this.#session === undefined || !isPassing(error)) return undefined
			return { session: this.#session, offset: undefined }
		}
	}

	/** Also ends by the signal of whoever has it sent. */
	#until(signal: AbortSignal): AbortSignal {
		return this.#signal ? AbortSignal.any([signal, this.#signal]) : signal
	}
}
