import { randomUUID } from 'node:crypto'
import type { ToldEvent } from './registry-event.ts'

/** @see https://distribution.github.io/distribution/about/notifications/#envelope */
export const ENVELOPE_TYPE = 'application/vnd.docker.distribution.events.v2+json'

/** Which server tells. */
export interface EventSource {
	/** `host:port`. */
	readonly addr: string
	/** Of this run. */
	readonly instanceID: string
}

/** An event as it goes out; the same, with the same id, at every attempt. */
export type EnvelopeEvent = Readonly<Record<string, unknown>>

/** @see https://distribution.github.io/distribution/about/notifications/#events */
export function envelopeEvent(event: ToldEvent, source: EventSource): EnvelopeEvent {
	const { action, kind, repository, fromRepository, tag, digest, mediaType, size } = event
	const host = event.host ?? source.addr
	const path = kind === 'blob' ? 'blobs' : 'manifests'
	return {
		id: randomUUID(),
		timestamp: new Date(event.time).toISOString(),
		action,
		target: {
			...(mediaType !== undefined && { mediaType }),
			...(size !== undefined && { size, length: size }),
			...(digest !== undefined && {
				digest,
				url: `${event.scheme}://${host}/v2/${repository}/${path}/${digest}`,
			}),
			repository,
			...(fromRepository !== undefined && { fromRepository }),
			...(tag !== undefined && { tag }),
		},
		request: {
			id: randomUUID(),
			addr: event.client,
			host,
			method: event.method,
			useragent: event.userAgent ?? '',
		},
		actor: event.user === undefined ? {} : { name: event.user },
		source,
	}
}

export function formatEnvelope(events: readonly EnvelopeEvent[]): string {
	return JSON.stringify({ events })
}
