import type { ServerRequest, ServerResponse } from '../../../http/server/index.ts'
import { type Digest, isDigest } from '../../../oci/index.ts'
import type { Route } from '../route.ts'
import type { RegistryStorage } from '../storage.ts'

export type EventAction = 'push' | 'pull' | 'delete' | 'mount'

/** What happened in a registry, and by whom. */
export interface RegistryEvent {
	readonly action: EventAction
	readonly kind: 'manifest' | 'blob'
	readonly repository: string
	/** Of a mount, where it is known. */
	readonly fromRepository?: string | undefined
	/** Absent where the digest was named. */
	readonly tag?: string | undefined
	/** Absent for a tag that was deleted. */
	readonly digest?: Digest | undefined
	readonly mediaType?: string | undefined
	/** Number of bytes. */
	readonly size?: number | undefined
}

/** Events with who caused them. */
export interface ToldEvent extends RegistryEvent {
	/** Milliseconds since 1970. */
	readonly time: number
	/** Absent for whoever showed no credentials. */
	readonly user?: string | undefined
	/** Address of the client. */
	readonly client: string
	readonly method: string
	/** The header `Host`. */
	readonly host?: string | undefined
	readonly userAgent?: string | undefined
	readonly scheme: 'http' | 'https'
}

const OCTETS = 'application/octet-stream'

interface Reading {
	readonly request: ServerRequest
	readonly answer: ServerResponse
	readonly storage: RegistryStorage
}

/** What a request did, read from its answer. Pulls count only if they are asked for. */
export function eventsOf(
	reading: Reading & { readonly route: Route; readonly pulls: boolean },
): readonly RegistryEvent[] {
	const { route, pulls, answer } = reading
	const { method } = reading.request
	const isPull = pulls && method === 'GET' && (answer.status === 200 || answer.status === 206)
	if (route.kind === 'manifest') {
		if (method === 'PUT') return manifestPushes(reading, route)
		if (method === 'DELETE') return manifestDeletion(reading, route)
		return isPull ? manifestPull(reading, route) : []
	}
	if (route.kind === 'blob') {
		const { repository, digest } = route
		if (isPull) return [blob('pull', { ...reading, repository, digest })]
		const isDeletion = method === 'DELETE' && answer.status === 202
		return isDeletion ? [{ action: 'delete', kind: 'blob', repository, digest }] : []
	}
	return route.kind === 'uploads' || route.kind === 'upload' ? blobArrival(reading, route.repository) : []
}

type ManifestRoute = Route & { readonly kind: 'manifest' }

function manifestPushes(
	{ request, answer, storage }: Reading,
	{ repository, reference }: ManifestRoute,
): RegistryEvent[] {
	const digest = answer.status === 201 ? digestIn(answer) : undefined
	if (digest === undefined) return []
	const asked = reference.kind === 'tag' ? [reference.tag] : [...new Set(request.query.getAll('tag'))]
	const tags = asked.length > 0 ? asked : [undefined]
	return tags.map((tag) => ({ action: 'push', ...manifest(storage, { repository, digest }), tag }))
}

function manifestPull(
	{ answer, storage }: Reading,
	{ repository, reference }: ManifestRoute,
): RegistryEvent[] {
	const digest = digestIn(answer)
	if (digest === undefined) return []
	const tag = reference.kind === 'tag' ? reference.tag : undefined
	return [{ action: 'pull', ...manifest(storage, { repository, digest }), tag }]
}

function manifestDeletion({ answer }: Reading, { repository, reference }: ManifestRoute): RegistryEvent[] {
	if (answer.status !== 202) return []
	return [
		{
			action: 'delete',
			kind: 'manifest',
			repository,
			...(reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest }),
		},
	]
}

function blobArrival(reading: Reading, repository: string): RegistryEvent[] {
	const { request, answer } = reading
	const digest = answer.status === 201 ? digestIn(answer) : undefined
	if (digest === undefined) return []
	const isMount = request.method === 'POST' && request.query.get('mount') === digest
	if (!isMount) return [blob('push', { ...reading, repository, digest })]
	const fromRepository = request.query.get('from') ?? undefined
	return [{ ...blob('mount', { ...reading, repository, digest }), fromRepository }]
}

interface Target {
	readonly repository: string
	readonly digest: Digest
}

function manifest(storage: RegistryStorage, { repository, digest }: Target): Omit<RegistryEvent, 'action'> {
	const found = storage.manifest(repository, digest)
	return { kind: 'manifest', repository, digest, mediaType: found?.mediaType, size: found?.size }
}

function blob(action: EventAction, { storage, repository, digest }: Reading & Target): RegistryEvent {
	const size = storage.blobSize(repository, digest)
	return { action, kind: 'blob', repository, digest, mediaType: OCTETS, size }
}

function digestIn({ headers }: ServerResponse): Digest | undefined {
	const digest = headers?.['docker-content-digest']
	return typeof digest === 'string' && isDigest(digest) ? digest : undefined
}
