import { parentPort } from 'node:worker_threads'
import { type ParsedDocument, parseManifests } from './parse-manifests.ts'

/** Files to parse, by their numbers. */
export interface ParseRequest {
	readonly files: readonly { readonly number: number; readonly path: string; readonly bytes: Uint8Array }[]
}

/** What was parsed. A file that does not parse is missing: its error is made where it is told. */
export interface ParseAnswer {
	readonly parsed: readonly { readonly number: number; readonly documents: readonly ParsedDocument[] }[]
}

/** The second thread of {@link file://./parse-in-parallel.ts}. */
parentPort?.on('message', ({ files }: ParseRequest) => {
	const parsed = files.flatMap(({ number, path, bytes }) => {
		try {
			return [{ number, documents: parseManifests(bytes, path) }]
		} catch {
			return []
		}
	})
	const answer: ParseAnswer = { parsed }
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
	parentPort?.postMessage(answer)
})
