import {
	type ClusterChoice,
	login as loginFlow,
	type LoginResult,
	logout as logoutFlow,
	readLoginPlace,
	type RegistryAccess,
} from '../../flows/index.ts'
import type { StoredCredential } from '../../registry/client/index.ts'
import { inProject, type ProjectOptions } from '../project.ts'

/** Of {@link LoginOptions}: the Argo CD that gets the credential as well. */
export interface LoginArgocd extends ClusterChoice {
	/** Name of the registry as the cluster reaches it. Default: the same. */
	readonly clusterRegistry?: string | undefined
}

export interface LoginOptions extends ProjectOptions {
	/** `host[:port]`; with `/repository`, the credential is tried on that one. */
	readonly registry: string
	readonly username: string
	/** Or token. It is in no result and no error. */
	readonly password: string
	readonly access?: Omit<RegistryAccess, 'credentials'> | undefined
	/** Absent: no Argo CD gets it. */
	readonly argocd?: LoginArgocd | undefined
}

export async function login(options: LoginOptions): Promise<LoginResult> {
	return await inProject(options, async ({ session, access, cluster }) => {
		const { registry, username, password, argocd } = options
		const { credentials: _, ...reach } = access(options.access)
		return await loginFlow(session, {
			place: readLoginPlace(session, registry),
			username,
			password,
			access: reach,
			argocd: argocd && { ...cluster(argocd), clusterRegistry: argocd.clusterRegistry },
		})
	})
}

export interface LogoutOptions extends ProjectOptions {
	/** `host[:port]`. */
	readonly registry: string
}

export async function logout(options: LogoutOptions): Promise<readonly StoredCredential[]> {
	return await inProject(options, async ({ session }) => {
		return await logoutFlow(session, readLoginPlace(session, options.registry).registry)
	})
}
