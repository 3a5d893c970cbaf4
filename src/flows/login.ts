import { formatRepoUrl } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { parseReference } from '../oci/index.ts'
import {
	createKeychain,
	eraseCredential,
	storeCredential,
	type StoredCredential,
} from '../registry/client/index.ts'
import type { RepositoryResult } from '../sync/index.ts'
import { endpointFor, refuseClusterRegistry } from './cluster-registry.ts'
import { type ClusterChoice, openCluster } from './clusters.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'

/** Where one signs in: a registry, and for Argo CD perhaps one repository of it. */
export interface LoginPlace {
	readonly registry: string
	readonly repository?: string | undefined
}

export interface LoginOptions {
	readonly place: LoginPlace
	readonly username: string
	readonly password: string
	readonly access?: Omit<RegistryAccess, 'credentials'> | undefined
	/** Gives the credential to the Argo CD of this cluster as well. */
	readonly argocd?: (ClusterChoice & { readonly clusterRegistry?: string | undefined }) | undefined
}

export interface LoginResult {
	readonly registry: string
	readonly username: string
	readonly stored: StoredCredential
	/** Absent where Argo CD was not asked for. */
	readonly argocd?: (RepositoryResult & { readonly url: string }) | undefined
}

/**
 * Reads `host[:port][/repository]`.
 * @throws UserError `REFERENCE_INVALID`
 */
export function readLoginPlace(session: Session, text: string): LoginPlace {
	const bare = text.replace(/^(?:oci|https?):\/\//, '').replace(/\/+$/, '')
	if (bare.includes('/')) {
		const { registry, repository, tag, digest } = parseReference(bare)
		if (tag === undefined && digest === undefined) return { registry, repository }
	} else if (
		URL.canParse(`https://${bare}`) &&
		new URL(`https://${bare}`).host === bare.toLowerCase().replace(/:443$/, '')
	) {
		return { registry: bare }
	}
	const endpoint = session.workspace.state().registry?.endpoint.push
	// What stands before an @ may be a password.
	const shown = text.replace(/^([a-z]+:\/\/)?[^/]*@/i, '$1***@')
	throw new UserError('REFERENCE_INVALID', `"${shown}" is not a registry`, {
		hint: `Write its host: lading login ${endpoint ?? 'registry.example.com'}`,
	})
}

/**
 * Signs in: the registry is asked with the credential before anything is kept.
 * @throws RemoteError `UNAUTHENTICATED`, `FORBIDDEN`, and all of the transport's
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`, `FILE_UNWRITABLE`, `USAGE` where nobody is asked who they are
 */
export async function login(session: Session, options: LoginOptions): Promise<LoginResult> {
	const { env, signal, progress } = session
	const { username, password, place, access, argocd } = options
	const { registry } = place
	if (username === '' || username.includes(':'))
		throw new UserError('USAGE', 'a user name is not empty and holds no colon')
	if (password === '') throw new UserError('USAGE', 'the password is empty')
	refuseClusterRegistry(argocd?.clusterRegistry)
	await verify(session, options)
	// What can be told before anything is kept: which cluster, and whether it answers.
	const target = argocd && (await openCluster(session, argocd))

	const step = progress.step('login')
	const stored = await storeCredential({ registry, username, password }, { env, signal })
	step.done(stored.kind === 'helper' ? `kept by ${stored.place}` : `kept in ${stored.place}`)
	if (stored.kind === 'file') {
		progress.warn(
			`the password stands in ${stored.place} as plain text`,
			'A credential helper keeps it in the keychain of the system: "credsStore" in that file names it.',
		)
	}
	await warnOfOthers(session, options)
	if (!target || !argocd) return { registry, username, stored }

	const giving = progress.step('argocd')
	const { clusterRegistry } = argocd
	const { cluster } = await endpointFor(session, target, { registry, clusterRegistry })
	const shared = { username, password, plainHttp: access?.plainHttp, signal }
	const url =
		place.repository === undefined
			? `oci://${cluster}/`
			: formatRepoUrl({ registry: cluster, repository: place.repository })
	const given =
		place.repository === undefined
			? await target.argocd.repositories.applyTemplate({ ...shared, registry: cluster })
			: await target.argocd.repositories.apply({ ...shared, repoURL: url, insecure: access?.insecure })
	if (given.outcome === 'kept') {
		giving.unchanged(`${given.name} is someone else's`)
		progress.warn(
			`Argo CD has an entry ${given.name} for ${url} that lading did not make: it is left as it is`,
			'Change it where it was made, or remove it and run the same command again.',
		)
	} else giving.done(`${given.name} for ${url}`)
	return { registry, username, stored, argocd: { ...given, url } }
}

async function verify(
	session: Session,
	{ place: { registry }, access, username, password }: LoginOptions,
): Promise<void> {
	const step = session.progress.step('verify')
	const connection = connectRegistry(session, registry, { ...access, credentials: { username, password } })
	try {
		const { authenticated } = await connection.client.ping(registry)
		if (authenticated) return step.done(`${registry} knows ${username}`)
		throw new UserError('USAGE', `${registry} asks nobody who they are: there is nothing to sign in to`, {
			hint: 'Nothing was stored. Push and pull without a password.',
		})
	} finally {
		connection.close()
	}
}

/** A credential that is looked up before the one that was just kept. */
async function warnOfOthers(
	{ env, signal, progress }: Session,
	{ place: { registry }, username, password }: LoginOptions,
): Promise<void> {
	const found = await createKeychain({ env, signal }).resolve(registry, '')
	if (found?.kind === 'password' && found.username === username && found.password === password) return
	progress.warn(
		`another credential for ${registry} comes before the one that was kept`,
		'It stands in LADING_USERNAME and LADING_PASSWORD, or in the file that REGISTRY_AUTH_FILE names.',
	)
}

/**
 * Forgets the credential for a registry, and warns where another one still is.
 * @returns where it was kept
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`, `FILE_UNWRITABLE`
 */
export async function logout(
	{ env, signal, progress }: Session,
	registry: string,
): Promise<readonly StoredCredential[]> {
	const erased = await eraseCredential(registry, { env, signal })
	if (await createKeychain({ env, signal }).resolve(registry, '')) {
		progress.warn(
			`another credential for ${registry} is still found, and will be used`,
			'It stands in LADING_USERNAME and LADING_PASSWORD, in the file that REGISTRY_AUTH_FILE names, or in podman’s: ' +
				`unset those, or run: podman logout ${registry}`,
		)
	}
	return erased
}
