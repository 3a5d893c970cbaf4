import * as v from 'valibot'
import type { IncomingMessage } from 'node:http'
import { RemoteError } from '../errors/index.ts'
import type { ObjectList, WatchEvent } from './cluster.ts'
import { parseJson, refusal } from './api-failure.ts'
import { parseObject } from './parse-object.ts'

export interface WatchPorts {
	list(signal: AbortSignal | undefined): Promise<ObjectList>
	/** Opens the stream of changes after a version. */
	open(resourceVersion: string, signal: AbortSignal | undefined): Promise<IncomingMessage>
	readonly url: URL
	readonly signal?: AbortSignal | undefined
	sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
}

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 10_000
const MAX_LINE_CHARS = 16 * 1024 * 1024
/** Codes that a new connection does not mend. */
const FINAL: ReadonlySet<string> = new Set([
	'UNAUTHENTICATED',
	'FORBIDDEN',
	'TLS_UNKNOWN_CA',
	'TLS_NAME_MISMATCH',
	'TLS_EXPIRED',
])

const line = v.looseObject({ type: v.string(), object: v.unknown() })

/**
 * List, then watch from there; the list again when the server has forgotten the version (410).
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function* watchObjects(ports: WatchPorts): AsyncGenerator<WatchEvent, void, undefined> {
	const { signal } = ports
	let version: string | undefined
	let delay = FIRST_DELAY_MS
	const ended = (): boolean => signal?.aborted === true
	while (!ended()) {
		try {
			if (version === undefined) {
				const { items, resourceVersion } = await ports.list(signal)
				version = resourceVersion
				yield { type: 'RESYNCED', items }
			}
			const response = await ports.open(version, signal)
			for await (const { type, object } of changes(response)) {
				if (type === 'ERROR') {
					throw refusal(
						{ method: 'GET', url: ports.url },
						{ status: codeOf(object), body: JSON.stringify(object) },
					)
				}
				const parsed = parseObject(object)
				version = parsed.metadata.resourceVersion ?? version
				delay = FIRST_DELAY_MS
				if (isChange(type)) yield { type, object: parsed }
			}
		} catch (error) {
			if (ended()) return
			if (!(error instanceof RemoteError)) throw error
			if (FINAL.has(error.code)) throw error
			const { status } = error.wire ?? {}
			if (status === 410) version = undefined
			else if (status !== undefined && status >= 400 && status < 500 && status !== 429) throw error
		}
		try {
			await ports.sleep(delay, signal)
		} catch {
			return
		}
		delay = Math.min(delay * 2, MAX_DELAY_MS)
	}
}

function isChange(type: string): type is 'ADDED' | 'MODIFIED' | 'DELETED' {
	return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED'
}

function codeOf(object: unknown): number {
	const code = typeof object === 'object' && object !== null && 'code' in object ? object.code : undefined
	return typeof code === 'number' ? code : 500
}

/** A connection that breaks just ends the stream: the caller opens the next one. */
async function* changes(
	response: IncomingMessage,
): AsyncGenerator<v.InferOutput<typeof line>, void, undefined> {
	response.setEncoding('utf8')
	let rest = ''
	try {
		for await (const chunk of response as AsyncIterable<string>) {
			const lines = (rest + chunk).split('\n')
			rest = lines.pop() ?? ''
			if (rest.length > MAX_LINE_CHARS)
				throw new RemoteError('CLUSTER_FAILED', 'the cluster sends an object that is too long')
			for (const text of lines) {
				if (text.trim() === '') continue
				const parsed = v.safeParse(line, parseJson(text))
				if (!parsed.success)
					throw new RemoteError('CLUSTER_FAILED', 'the cluster sends a watch event that is none')
				yield parsed.output
			}
		}
	} catch (error) {
		if (error instanceof RemoteError) throw error
	} finally {
		response.destroy()
	}
}
