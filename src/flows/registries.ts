import { readFileSync } from 'node:fs'
import { isSystemError, RemoteError, UserError } from '../errors/index.ts'
import { createHttpClient, type HttpClient } from '../http/client/index.ts'
import { parseReference, type Reference } from '../oci/index.ts'
import {
	createKeychain,
	createRegistryClient,
	type RegistryClient,
	type RemoteRepository,
	type RemoteRepositoryOptions,
} from '../registry/client/index.ts'
import { findRegistry } from './local-registry.ts'
import type { Session } from './session.ts'

/** How a push calls its client when nobody shall be refreshed for it. */
export const UNTOLD_AGENT = 'lading (no refresh)'

/** How to reach a registry, beyond what the machine's configuration says. */
export interface RegistryAccess {
	/** Path of PEM certificates to trust besides the system's. */
	readonly caFile?: string | undefined
	readonly insecure?: boolean | undefined
	readonly plainHttp?: boolean | undefined
	/** How the client calls itself. Default `lading`. */
	readonly userAgent?: string | undefined
	readonly credentials?:
		| {
				readonly username: string
				readonly password: string
				/**
				 * The one registry that gets them. Absent, it is the one that is asked; one that only an Application
				 * names gets them where this project runs it or has deployed from it.
				 */
				readonly registry?: string
		  }
		| undefined
}

/**
 * Reads a reference as a user types it. One without a registry means the local one;
 * the name that a cluster has for the local one means it too.
 */
export function readReference({ workspace }: Session, text: string): Reference {
	const endpoint = workspace.state().registry?.endpoint
	const reference = parseReference(text, { defaultRegistry: endpoint?.push })
	if (!endpoint) return reference
	return isLocal(reference.registry, endpoint) ? { ...reference, registry: endpoint.push } : reference
}

function isLocal(registry: string, endpoint: { readonly push: string; readonly cluster: string }): boolean {
	const port = endpoint.push.slice(endpoint.push.lastIndexOf(':'))
	return [endpoint.push, endpoint.cluster, `127.0.0.1${port}`, `[::1]${port}`].includes(registry)
}

export interface RegistryConnection {
	readonly client: RegistryClient
	repository(
		of: Pick<Reference, 'registry' | 'repository'>,
		options?: RemoteRepositoryOptions,
	): RemoteRepository
	/** Closes the kept connections: a process that is done would wait for them. */
	close(): void
}

/**
 * A client for one registry. The local one is trusted by its own CA.
 * @throws UserError `NOT_RUNNING` for the local registry when it is stopped, `CA_UNREADABLE`
 */
export function connectRegistry(
	session: Session,
	registry: string,
	access: RegistryAccess = {},
): RegistryConnection {
	const own = session.workspace.state().registry
	const local = own?.endpoint.push === registry
	// Whether a container runs, the connection tells soon enough: asking Docker takes longer.
	if (local && own.kind === 'embedded' && !findRegistry(session)) {
		throw notRunning(registry)
	}
	const ca = access.caFile ?? (local ? session.workspace.paths.ca : undefined)
	const plain = createHttpClient({
		ca: ca === undefined ? undefined : readCa(ca),
		insecure: access.insecure,
		userAgent: access.userAgent,
		env: session.env,
		onRetry: ({ origin, reason }) => session.progress.warn(`${origin}: ${reason}; trying again`),
	})
	const http = local ? tellingNotRunning(plain, registry) : plain
	const keychain = createKeychain({
		env: session.env,
		overrides: access.credentials && [{ registry, ...access.credentials }],
	})
	const client = createRegistryClient({ http, keychain, plainHttp: access.plainHttp, signal: session.signal })
	return {
		client,
		repository: (of, options) => client.repository(of.registry, of.repository, options),
		close: () => http.close(),
	}
}

export interface Reach {
	readonly session: Session
	readonly access: RegistryAccess
}

/**
 * How to reach a registry that not who runs the command has named, but an Application. A user name and password
 * without the name of a registry are for it only where this project runs it, or has deployed from it, or where
 * `LADING_REGISTRY` names it.
 */
export function reachUnnamed(session: Session, registry: string, access: RegistryAccess = {}): Reach {
	const { registry: own, applications } = session.workspace.state()
	const isOurs =
		session.env['LADING_REGISTRY'] === registry ||
		own?.endpoint.push === registry ||
		applications.some(({ repository }) => repository.startsWith(`${registry}/`))
	return isOurs ? { session, access } : withoutUnbound(session, access)
}

/**
 * Like {@link reachUnnamed}, beside registries that who runs the command has named: a user name and password
 * without the name of a registry are for those then.
 */
export function reachBeside(
	session: Session,
	registry: string,
	{ access = {}, named }: { readonly access?: RegistryAccess | undefined; readonly named: readonly string[] },
): Reach {
	if (named.length === 0) return reachUnnamed(session, registry, access)
	return named.includes(registry) ? { session, access } : withoutUnbound(session, access)
}

/** Why a registry gets no password, and nobody is told to give it one. */
export const NAMED_BY_CLUSTER = 'only the ConfigMap local-registry-hosting of the cluster names it'

/**
 * What to do where a registry was not given a user name and password that were there; `undefined` where it was, or
 * there are none.
 */
export function adviceOnWithheld(given: Reach, reach: Reach, registry: string): string | undefined {
	if (!hasPassword(given) || hasPassword(reach)) return undefined
	return `If they are for it, set LADING_REGISTRY=${registry}, or keep them with: lading login ${registry}`
}

function hasPassword({ session, access }: Reach): boolean {
	return access.credentials !== undefined || Boolean(session.env['LADING_PASSWORD'])
}

/** Leaves out the user name and password that are bound to no registry. */
function withoutUnbound(session: Session, access: RegistryAccess): Reach {
	const { LADING_USERNAME: _name, LADING_PASSWORD: _password, ...env } = session.env
	const { credentials, ...others } = access
	return {
		session: session.env['LADING_REGISTRY'] ? session : { ...session, env },
		access: credentials?.registry === undefined ? others : access,
	}
}

/** Where nothing listens at the project's own registry, it is not running. */
function tellingNotRunning(http: HttpClient, registry: string): HttpClient {
	return {
		...http,
		async request(request) {
			try {
				return await http.request(request)
			} catch (error) {
				const isRefused =
					error instanceof RemoteError &&
					error.code === 'CONNECTION_FAILED' &&
					isSystemError(error.cause, 'ECONNREFUSED')
				if (!isRefused) throw error
				throw notRunning(registry, error)
			}
		},
	}
}

function notRunning(registry: string, cause?: unknown): UserError {
	return new UserError('NOT_RUNNING', `the local registry ${registry} is not running`, {
		hint: 'lading registry up starts it again, with its content.',
		cause,
	})
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----'

/** @throws UserError `CA_UNREADABLE` */
export function readCa(path: string): string {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		throw new UserError('CA_UNREADABLE', `cannot read the CA file ${path}`, {
			cause: error,
			hint: 'It is a file of PEM certificates: -----BEGIN CERTIFICATE----- …',
		})
	}
	if (text.includes(CERTIFICATE)) return text
	throw new UserError('CA_UNREADABLE', `${path} holds no PEM certificate`, {
		hint: 'Convert a DER file with: openssl x509 -inform der -in FILE -out ca.crt',
	})
}
