import { unreachable } from '../../errors/index.ts'
import type { Handler, ServerRequest, ServerResponse } from '../../http/server/index.ts'
import type { Digest } from '../../oci/index.ts'
import { cancelUpload, getUpload, patchUpload, putUpload, startUpload } from './blob-uploads.ts'
import { deleteBlob, getBlob } from './blobs.ts'
import type { Log, PushEvent, RegistryContext } from './context.ts'
import { createHtpasswd, type HtpasswdOptions } from './htpasswd.ts'
import { listReferrers, listRepositories, listTags } from './listings.ts'
import { deleteManifest, getManifest, putManifest } from './manifests.ts'
import { parseRoute, type Route } from './route.ts'
import type { RegistryStorage } from './storage.ts'
import { fault, storageFault } from './wire.ts'

export interface RegistryOptions {
	readonly storage: RegistryStorage
	/** Without it everybody may read and write. */
	readonly auth?: HtpasswdOptions | undefined
	/** Called after a manifest was stored, once for each of its tags; must not wait. */
	readonly onPush?: ((event: PushEvent) => void) | undefined
	/** Manifests that are not deleted whoever asks. */
	readonly digestsInUse?: (() => Promise<ReadonlySet<Digest>>) | undefined
	/** Names this server in `GET /livez` (body, and header `x-lading-instance`), so that a client can tell it from a stranger on its port. */
	readonly instance?: string | undefined
	readonly log?: Log | undefined
}

type Answer = ServerResponse | Promise<ServerResponse>

/** What `GET /livez` calls this server. */
const REGISTRY_NAME = 'lading registry'

/**
 * A registry as a function.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
export function createRegistry(options: RegistryOptions): Handler {
	const context: RegistryContext = {
		storage: options.storage,
		onPush: options.onPush,
		digestsInUse: options.digestsInUse,
		log: options.log ?? (() => undefined),
	}
	const auth = options.auth && createHtpasswd(options.auth)
	const live: ServerResponse = {
		status: 200,
		headers: {
			'content-type': 'application/json',
			...(options.instance !== undefined && { 'x-lading-instance': options.instance }),
		},
		body: JSON.stringify({ name: REGISTRY_NAME, instance: options.instance ?? null }),
	}
	const recover = (error: unknown): ServerResponse => {
		const answer = storageFault(error)
		if (!answer) throw error
		context.log({ level: 'error', message: error instanceof Error ? error.message : String(error) })
		return answer
	}
	const respond = (request: ServerRequest): Answer => {
		try {
			if (request.path === '/statistics') return statisticsOf(context)
			const answer = dispatch(context, request, parseRoute(request.path))
			return answer instanceof Promise ? answer.catch(recover) : answer
		} catch (error) {
			return recover(error)
		}
	}
	return (request) => {
		if (request.path === '/livez') return live
		const isStatistics = request.path === '/statistics'
		if (!isStatistics && !request.path.startsWith('/v2'))
			return fault(404, 'UNSUPPORTED', 'the registry is at /v2/')
		if (!auth) return respond(request)
		const refusal = auth(request.headers.authorization)
		if (!(refusal instanceof Promise)) return refusal ?? respond(request)
		return refusal.then((refused) => refused ?? respond(request))
	}
}

function dispatch(context: RegistryContext, request: ServerRequest, route: Route): Answer {
	const { method } = request
	const reads = method === 'GET' || method === 'HEAD'
	switch (route.kind) {
		case 'invalid':
			return fault(route.status, route.code, route.message)
		case 'base':
			return reads ? BASE : notAllowed('GET, HEAD')
		case 'catalog':
			return reads ? listRepositories(context, request) : notAllowed('GET, HEAD')
		case 'tags':
			return reads ? listTags(context, request, route.repository) : notAllowed('GET, HEAD')
		case 'referrers':
			return reads ? listReferrers(context, request, route) : notAllowed('GET, HEAD')
		case 'manifest':
			if (reads) return getManifest(context, request, route)
			if (method === 'PUT') return putManifest(context, request, route)
			return method === 'DELETE' ? deleteManifest(context, route) : notAllowed('GET, HEAD, PUT, DELETE')
		case 'blob':
			if (reads) return getBlob(context, request, route)
			return method === 'DELETE' ? deleteBlob(context, route) : notAllowed('GET, HEAD, DELETE')
		case 'uploads':
			return method === 'POST' ? startUpload(context, request, route.repository) : notAllowed('POST')
		case 'upload':
			if (method === 'PATCH') return patchUpload(context, request, route)
			if (method === 'PUT') return putUpload(context, request, route)
			if (method === 'DELETE') return cancelUpload(context, route)
			return reads ? getUpload(context, route) : notAllowed('GET, HEAD, PATCH, PUT, DELETE')
		default:
			return unreachable(route)
	}
}

const BASE: ServerResponse = {
	status: 200,
	headers: { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' },
	body: '{}',
}

/** How much there is, for `lading registry status`; behind the same password as everything else. */
function statisticsOf({ storage }: RegistryContext): ServerResponse {
	return {
		status: 200,
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(storage.statistics()),
	}
}

function notAllowed(allow: string): ServerResponse {
	const refusal = fault(405, 'UNSUPPORTED', `this endpoint takes ${allow}`)
	return { ...refusal, headers: { ...refusal.headers, allow } }
}
