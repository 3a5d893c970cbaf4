import type { PruneReport, ScrubReport } from '../flows/index.ts'
import type {
	CreatedToken,
	CreateTokenOptions,
	RegistryDataOptions,
	RegistryToken,
	RevokeTokensOptions,
	RunningRegistryServer,
	ServeRegistryOptions,
} from './run/registry-server.ts'
import type { RunningSandbox, ServeSandboxOptions } from './run/sandbox-server.ts'
import type { RegistryPruneOptions } from './run/upkeep.ts'

/**
 * Serves a registry in this process, over TLS with a certificate of its own authority.
 *
 * @example
 * ```ts
 * const registry = await serveRegistry({ port: 0, dataDirectory: 'registry' })
 * await push({ directory: 'manifests', reference: `localhost:${registry.port}/shop:v1`, access: { caFile: registry.ca } })
 * await registry.close()
 * ```
 * @throws UserError `PORT_TAKEN`, `ALREADY_RUNNING`, `FILE_UNWRITABLE`, `CA_UNREADABLE`, `CERTIFICATE_UNREADABLE`,
 *   `CREDENTIALS_UNREADABLE`, `NOT_FOUND` where the directory is something else's, `USAGE` for an open door to the network
 */
export async function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistryServer> {
	return await (await import('./run/registry-server.ts')).serveRegistry(options)
}

/**
 * Serves the sandbox in this process: a stand-in for Kubernetes with Argo CD; the command `cluster serve`.
 * @throws UserError `PORT_TAKEN`, `ALREADY_RUNNING`, `FILE_UNWRITABLE`
 */
export async function serveSandbox(options: ServeSandboxOptions = {}): Promise<RunningSandbox> {
	return await (await import('./run/sandbox-server.ts')).serveSandbox(options)
}

/**
 * Removes from a registry's directory what nothing needs, beside a server that runs on it.
 * @throws UserError `NOT_FOUND` where there is no registry; RemoteError `REGISTRY_FAILED`, `CLUSTER_UNREACHABLE` where a cluster does not tell what is used
 */
export async function registryPrune(options: RegistryPruneOptions = {}): Promise<PruneReport> {
	return await (await import('./run/upkeep.ts')).registryPrune(options)
}

/** Reads everything of a registry's directory; damage is an answer: see `damaged`. @throws UserError `NOT_FOUND` */
export async function registryScrub(options: RegistryDataOptions = {}): Promise<ScrubReport> {
	return await (await import('./run/upkeep.ts')).registryScrub(options)
}

/** Makes a token of a registry. @throws UserError `USAGE`, `CREDENTIALS_UNREADABLE` */
export async function createRegistryToken(options: CreateTokenOptions): Promise<CreatedToken> {
	return await (await import('./run/registry-server.ts')).createRegistryToken(options)
}

/** The tokens of a registry. @throws UserError `CREDENTIALS_UNREADABLE` */
export async function listRegistryTokens(
	options: RegistryDataOptions = {},
): Promise<readonly RegistryToken[]> {
	return await (await import('./run/registry-server.ts')).listRegistryTokens(options)
}

/** Makes tokens worthless at once. @throws RemoteError `NOT_FOUND`; UserError `CREDENTIALS_UNREADABLE` */
export async function revokeRegistryTokens(options: RevokeTokensOptions): Promise<readonly RegistryToken[]> {
	return await (await import('./run/registry-server.ts')).revokeRegistryTokens(options)
}
