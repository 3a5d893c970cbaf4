import { unreachable } from '../../errors/index.ts'
import type { Handler, ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { MAX_MANIFEST_BYTES } from '../../oci/index.ts'
import { Access, type AccessOptions, TOKEN_PATH } from './access/access.ts'
import { cancelUpload, getUpload, patchUpload, putUpload, startUpload } from './blob-uploads.ts'
import { BodyMemory } from './body-memory.ts'
import { deleteBlob, getBlob } from './blobs.ts'
import type { Log, PushEvent, RegistryContext } from './context.ts'
import { EventSpreader } from './events/event-spreader.ts'
import type { ToldEvent } from './events/registry-event.ts'
import { listReferrers, listRepositories, listTags } from './listings.ts'
import { deleteManifest, getManifest, putManifest } from './manifests.ts'
import type { AccessEntry, Exchange } from './observe/exchange.ts'
import type { Health } from './observe/health.ts'
import { type EndpointCounts, Metrics } from './observe/metrics.ts'
import { Observer } from './observe/observer.ts'
import { Operations } from './operations.ts'
import type { InUse } from './pruning.ts'
import { MAX_PUSHES, RecentPushes } from './recent-pushes.ts'
import { parseRoute, type Route } from './route.ts'
import type { RegistryStorage } from './storage.ts'
import type { TagPattern } from './tag-pattern.ts'
import { fault, storageFault } from './wire.ts'

export interface RegistryOptions {
	readonly storage: RegistryStorage
	/** Without it everybody may read and write. */
	readonly auth?: AccessOptions | undefined
	/** Called after a manifest was stored, once for each of its tags; must not wait. */
	readonly onPush?: ((event: PushEvent) => void) | undefined
	/** Called after anything was changed, and after pulls if they are asked for; must not wait. */
	readonly onEvent?: ((event: ToldEvent) => void) | undefined
	/** Whether pulls are events too. Default: no. */
	readonly tellPulls?: boolean | undefined
	/** What the endpoints of events have taken so far, for the metrics. */
	readonly endpoints?: (() => readonly EndpointCounts[]) | undefined
	/** What is not deleted, whoever asks. */
	readonly digestsInUse?: (() => Promise<readonly InUse[]>) | undefined
	/** Tags that keep what they name: another push of them, and their deletion, is refused. */
	readonly immutable?: TagPattern | undefined
	/** Names this server in `GET /livez` (body, and header `x-lading-instance`), so that a client can tell it from a stranger on its port. */
	readonly instance?: string | undefined
	/** What `/readyz` says. Default: always ready. */
	readonly health?: Health | undefined
	/** Largest manifest, in bytes. Default 4 MiB. */
	readonly manifestBytes?: number | undefined
	/** Of bodies that are held until they are whole, all together but for 64 KiB of each; default 128 MiB. */
	readonly bodyBytes?: number | undefined
	/** Told of every request that was answered. */
	readonly onAccess?: ((entry: AccessEntry) => void) | undefined
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
	readonly log?: Log | undefined
}

const DEFAULT_BODY_BYTES = 128 * 1024 * 1024

type Answer = ServerResponse | Promise<ServerResponse>

/**
 * A registry as a function.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 * @throws UserError `CREDENTIALS_UNREADABLE`
 */
export function createRegistry(options: RegistryOptions): Handler {
	return openRegistry(options).handler
}

export interface OpenedRegistry {
	readonly handler: Handler
	/** Health and metrics alone, without a password: for a listener that few can reach. */
	readonly operations: Handler
	/** What it holds, with who pushed: for whoever can read its directory. */
	readonly content: () => unknown
	/** Ends what it has started. */
	close(): void
}

/** {@link createRegistry}, with what whoever serves it needs besides. */
export function openRegistry(options: RegistryOptions): OpenedRegistry {
	const { storage, now = Date.now, log = () => undefined } = options
	const metrics = new Metrics(now())
	const pushes = new RecentPushes(storage.lastPushes(MAX_PUSHES))
	const access = options.auth && openAccess(options.auth, { metrics, log, now })
	const operations = new Operations({
		storage,
		metrics,
		pushes,
		health: options.health,
		endpoints: options.endpoints ?? (() => []),
		instance: options.instance,
	})
	const server = new RegistryServer({
		context: {
			storage,
			digestsInUse: options.digestsInUse,
			immutable: options.immutable,
			limits: { manifestBytes: options.manifestBytes ?? MAX_MANIFEST_BYTES },
			memory: new BodyMemory(options.bodyBytes ?? DEFAULT_BODY_BYTES),
			log,
		},
		access,
		operations,
		observer: new Observer({ metrics, access, now, onAccess: options.onAccess }),
		events: new EventSpreader({ ...options, storage, access, metrics, pushes, log, now }),
	})
	return {
		handler: (request) => server.handle(request),
		operations: (request) => operate(operations, request),
		content: () => operations.content({ showsWho: true }),
		close: () => access?.close(),
	}
}

function openAccess(
	auth: AccessOptions,
	{ metrics, log, now }: { readonly metrics: Metrics; readonly log: Log; readonly now: () => number },
): Access {
	return new Access({
		now,
		onError: (error) => log({ level: 'error', message: messageOf(error) }),
		...auth,
		onFailure: (kind) => {
			metrics.loginFailed(kind)
			auth.onFailure?.(kind)
		},
	})
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}

interface Parts {
	readonly context: RegistryContext
	readonly access: Access | undefined
	readonly operations: Operations
	readonly observer: Observer
	readonly events: EventSpreader
}

class RegistryServer {
	readonly #parts: Parts

	constructor(parts: Parts) {
		this.#parts = parts
	}

	/** Answers at once where it can: a promise costs more than most answers. */
	handle(request: ServerRequest): Answer {
		const { observer } = this.#parts
		const exchange = observer.begin(request)
		try {
			const answer = this.#answer(exchange)
			if (!(answer instanceof Promise)) return observer.answered(exchange, answer)
			return answer.then(
				(late) => observer.answered(exchange, late),
				(error: unknown) => observer.failed(exchange, error),
			)
		} catch (error) {
			return observer.failed(exchange, error)
		}
	}

	#answer(exchange: Exchange): Answer {
		const { access, operations } = this.#parts
		const { request } = exchange
		const { path } = request
		if (path.startsWith('/v2')) return this.#admitted(exchange, () => this.#respond(exchange))
		switch (path) {
			case '/livez':
				exchange.route = 'livez'
				return operations.live()
			case '/readyz':
				exchange.route = 'readyz'
				return operations.ready()
			case TOKEN_PATH:
				exchange.route = 'token'
				return access ? access.issue(request) : noSuchPath()
			case '/metrics':
				exchange.route = 'metrics'
				return this.#admitted(exchange, () => operations.metrics())
			case '/statistics':
				exchange.route = 'statistics'
				return this.#admitted(exchange, () =>
					operations.statistics({ showsWho: !access || exchange.identity?.right === 'write' }),
				)
			default:
				return noSuchPath()
		}
	}

	#admitted(exchange: Exchange, respond: () => Answer): Answer {
		const { access } = this.#parts
		if (!access) return respond()
		const admission = access.admit(exchange.request)
		const enter = (found: Awaited<typeof admission>): Answer => {
			if (found.kind === 'refused') return found.answer
			exchange.identity = found.identity
			return respond()
		}
		return admission instanceof Promise ? admission.then(enter) : enter(admission)
	}

	#respond(exchange: Exchange): Answer {
		const { context, events } = this.#parts
		const route = parseRoute(exchange.request.path)
		exchange.route = route.kind
		try {
			const answer = dispatch(context, exchange.request, route)
			if (!(answer instanceof Promise)) {
				events.spread(exchange, { route, answer })
				return answer
			}
			return answer.then(
				(late) => {
					events.spread(exchange, { route, answer: late })
					return late
				},
				(error: unknown) => this.#recover(error),
			)
		} catch (error) {
			return this.#recover(error)
		}
	}

	#recover(error: unknown): ServerResponse {
		const answer = storageFault(error)
		if (!answer) throw error
		this.#parts.context.log({ level: 'error', message: messageOf(error) })
		return answer
	}
}

function operate(operations: Operations, { path }: ServerRequest): ServerResponse {
	switch (path) {
		case '/livez':
			return operations.live()
		case '/readyz':
			return operations.ready()
		case '/metrics':
			return operations.metrics()
		default:
			return fault(404, 'UNSUPPORTED', 'here are /metrics, /livez and /readyz')
	}
}

function noSuchPath(): ServerResponse {
	return fault(404, 'UNSUPPORTED', 'the registry is at /v2/')
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

function notAllowed(allow: string): ServerResponse {
	const refusal = fault(405, 'UNSUPPORTED', `this endpoint takes ${allow}`)
	return { ...refusal, headers: { ...refusal.headers, allow } }
}
