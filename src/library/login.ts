import type { LoginResult } from '../flows/index.ts'
import type { StoredCredential } from '../registry/client/index.ts'
import type { LoginOptions, LogoutOptions } from './run/login.ts'

/**
 * Keeps a credential for a registry, in a credential helper or in docker's configuration, once the registry
 * has accepted it.
 * @throws UserError `REFERENCE_INVALID`, `USAGE`, `CREDENTIALS_UNREADABLE`, `FILE_UNWRITABLE`
 * @throws RemoteError `UNAUTHENTICATED`, `FORBIDDEN`, those of a registry, and of a cluster with `argocd`
 */
export async function login(options: LoginOptions): Promise<LoginResult> {
	return await (await import('./run/login.ts')).login(options)
}

/** Forgets the credential for a registry. @returns where it was kept; empty: nowhere. @throws UserError `REFERENCE_INVALID` */
export async function logout(options: LogoutOptions): Promise<readonly StoredCredential[]> {
	return await (await import('./run/login.ts')).logout(options)
}
