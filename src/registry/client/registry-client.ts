import type { HttpClient } from '../../http/client/index.ts'
import { createAuthorizer } from './authorizer.ts'
import { canonicalRegistry } from './credential.ts'
import { createEndpoint } from './endpoint.ts'
import type { Keychain } from './keychain.ts'
import { protocolError, refusalOf } from './registry-errors.ts'
import {
	createRemoteRepository,
	type RemoteRepository,
	type RemoteRepositoryOptions,
} from './remote-repository.ts'

export interface RegistryClientOptions {
	readonly http: HttpClient
	readonly keychain: Keychain
	/** Whether a registry (`host:port`) is spoken to without TLS; default never. */
	readonly plainHttp?: boolean | ((registry: string) => boolean) | undefined
	/** Ends everything that the client does. */
	readonly signal?: AbortSignal | undefined
	/** Milliseconds since the epoch. */
	readonly now?: (() => number) | undefined
}

/** Registries over the network; what was learnt from one (scheme, tokens) is shared by its repositories. */
export interface RegistryClient {
	/** Nothing is sent yet. */
	repository(registry: string, repository: string, options?: RemoteRepositoryOptions): RemoteRepository
	/**
	 * Whether the registry is there and accepts our credential, if there is one.
	 * @returns whether it wanted to know who we are, and was told
	 * @throws RemoteError `UNAUTHENTICATED`, `FORBIDDEN`, `REGISTRY_PROTOCOL` when it is no registry, and all of the transport's
	 */
	ping(registry: string): Promise<{ readonly authenticated: boolean }>
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
	const { http, keychain, signal } = options
	const plainHttp = (registry: string): boolean =>
		typeof options.plainHttp === 'function' ? options.plainHttp(registry) : options.plainHttp === true
	const authorizer = createAuthorizer({ http, keychain, plainHttp, now: options.now ?? Date.now })

	return {
		repository(registry, repository, repositoryOptions) {
			const endpoint = createEndpoint({
				registry,
				repository,
				http,
				authorizer,
				plainHttp: plainHttp(registry),
				writes: repositoryOptions?.writes ?? false,
				signal,
			})
			return createRemoteRepository(endpoint, repositoryOptions)
		},
		async ping(registry) {
			const host = canonicalRegistry(registry) === 'docker.io' ? 'registry-1.docker.io' : registry
			const url = `${plainHttp(registry) ? 'http' : 'https'}://${host}/v2/`
			const request = { method: 'GET', url, signal }
			const response = await authorizer.send({ registry, repository: '', scopes: [], request })
			if (response.status === 200) {
				const type = response.headers['content-type'] ?? ''
				response.discard()
				if (type.startsWith('text/html')) throw protocolError(registry, 'answers with a web page', response)
				return { authenticated: authorizer.isAuthenticated(registry) }
			}
			if (response.status === 404) {
				response.discard()
				throw protocolError(registry, 'is no container registry (status 404 at /v2/)', response)
			}
			const authenticated = authorizer.isAuthenticated(registry)
			throw await refusalOf(response, { registry, action: 'let us in', authenticated })
		},
	}
}
