import { RemoteError } from '../../errors/index.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../../http/client/index.ts'
import type { Authorizer } from './authorizer.ts'
import { canonicalRegistry } from './credential.ts'
import { refusalOf } from './registry-errors.ts'

export type Access = 'pull' | 'pull,push' | 'delete'

export interface EndpointRequest {
	readonly method: string
	/** Below `/v2/REPOSITORY/`, or an absolute URL that the registry gave. */
	readonly path: string
	readonly access: Access
	/** Further repository that is read, for a mount. */
	readonly from?: string | undefined
	readonly headers?: HttpRequest['headers']
	readonly body?: HttpRequest['body']
	readonly contentLength?: number | undefined
	readonly retry?: boolean | undefined
	readonly redirect?: HttpRequest['redirect']
	readonly waiting?: HttpRequest['waiting']
	readonly signal?: AbortSignal | undefined
}

/** One repository of a registry, as the place that requests go to. */
export interface Endpoint {
	readonly registry: string
	readonly repository: string
	readonly http: HttpClient
	/** Resolves with any answer but 401. @throws RemoteError also `UNAUTHENTICATED` */
	send(request: EndpointRequest): Promise<HttpResponse>
	/** The error for an answer that is no success. */
	refusal(response: HttpResponse, action: string, tag?: string): Promise<RemoteError>
	/** Resolves a `Location` or `Link` that an answer gave. */
	resolve(location: string, response: HttpResponse): string
}

export interface EndpointOptions {
	readonly registry: string
	readonly repository: string
	readonly http: HttpClient
	readonly authorizer: Authorizer
	readonly plainHttp: boolean
	/** Whether tokens are asked for with the right to write from the start. */
	readonly writes: boolean
	readonly signal?: AbortSignal | undefined
}

/** Docker Hub's API answers at another host than its name. */
function apiHost(registry: string): string {
	return canonicalRegistry(registry) === 'docker.io' ? 'registry-1.docker.io' : registry
}

export function createEndpoint(options: EndpointOptions): Endpoint {
	const { registry, http, authorizer, plainHttp } = options
	const hub = canonicalRegistry(registry) === 'docker.io'
	const repository =
		hub && !options.repository.includes('/') ? `library/${options.repository}` : options.repository
	const base = `${plainHttp ? 'http' : 'https'}://${apiHost(registry)}/v2/${repository}/`
	const { origin } = new URL(base)
	let pushes = options.writes

	const refusal: Endpoint['refusal'] = (response, action, tag) =>
		refusalOf(response, { registry, action, tag, authenticated: authorizer.isAuthenticated(registry) })

	return {
		registry,
		repository,
		http,
		refusal,
		async send(request) {
			const { path, access, from, signal, ...rest } = request
			// A repository that is pushed to asks for both at once: one token serves reads and writes.
			pushes ||= access === 'pull,push'
			const wanted = pushes && access === 'pull' ? 'pull,push' : access
			const scopes = [`repository:${repository}:${wanted}`]
			if (from !== undefined) scopes.push(`repository:${from}:pull`)
			const url = path.startsWith('http') ? path : base + path
			// Mostly they are one: joining signals costs more than a small request.
			const signals = [...new Set([signal, options.signal])].filter((each) => each !== undefined)
			const http: HttpRequest = {
				...rest,
				url,
				signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
			}
			// An upload may be sent to another host, which signs its own URLs: our credential is not for it.
			if (new URL(url).origin !== origin) return options.http.request(http)
			const response = await authorizer.send({ registry, repository, scopes, request: http })
			if (response.status === 401) {
				throw await refusal(response, access === 'pull' ? `read ${repository}` : `write to ${repository}`)
			}
			return response
		},
		resolve(location, response) {
			const url = URL.canParse(location, response.url) ? new URL(location, response.url) : undefined
			const leavesTls = response.url.startsWith('https:') && url?.protocol !== 'https:'
			// Some registries behind a proxy name their own host with http: same host, so TLS stays.
			if (url?.protocol === 'http:' && leavesTls && url.host === new URL(response.url).host) {
				url.protocol = 'https:'
			} else if (!url || leavesTls || !url.protocol.startsWith('http')) {
				throw new RemoteError(
					'REGISTRY_PROTOCOL',
					`${registry} names a place to go on that is no usable URL`,
					{
						hint: 'The registry, or a proxy before it, is configured with a wrong address of its own.',
						wire: { method: response.method, url: response.url, status: response.status },
					},
				)
			}
			return url.href
		},
	}
}
