import type { CredentialTemplateOptions, RepositorySecretOptions } from '../argocd/index.ts'
import type { ApiOptions, ApplicationApi } from './application-api.ts'

/** How Argo CD knows a repository. */
export interface Repository {
	/** Of the Secret, or of the entry that stands for it. */
	readonly name: string
	/** `oci`, `helm`, `git`; absent: Argo CD takes it for git. */
	readonly type?: string | undefined
	/** Whether lading made it. */
	readonly isOurs: boolean
}

export interface RepositoryResult {
	/**
	 * `kept`: someone else's entry for this repository is there, and is used as it is;
	 * `forbidden`: we may make none, and had no credentials to give.
	 */
	readonly outcome: 'applied' | 'kept' | 'forbidden'
	readonly name: string
	readonly type?: string | undefined
}

export interface ApplyRepositoryOptions extends RepositorySecretOptions, ApiOptions {
	/** Project of the Application: where only its own repositories may be made, this becomes one. */
	readonly applicationProject?: string | undefined
}

export interface RepositoryApi {
	/** The entry for exactly this URL. */
	find(repoURL: string, options?: ApiOptions): Promise<Repository | undefined>
	/**
	 * Makes the entry of type `oci` by which Argo CD knows the repository. One of someone else's is left alone.
	 * @throws UserError `REFERENCE_INVALID`, `OBJECT_INVALID`
	 */
	apply(options: ApplyRepositoryOptions): Promise<RepositoryResult>
	/**
	 * Gives Argo CD a credential for all repositories of a registry that have none of their own. One of
	 * someone else's for the same registry is left alone.
	 */
	applyTemplate(options: CredentialTemplateOptions & ApiOptions): Promise<RepositoryResult>
	/** Removes the entry, if lading made it. @returns whether it did */
	remove(repoURL: string, options?: ApiOptions): Promise<boolean>
}

export interface CaOptions extends ApiOptions {
	/** Host name, with or without port. */
	readonly host: string
	/** One or more certificates. */
	readonly pem: string
}

export interface CertificateApi {
	/**
	 * Makes Argo CD trust a registry's CA, and touches no other host's.
	 * @throws UserError `OBJECT_INVALID`, `CA_UNREADABLE`
	 */
	trust(options: CaOptions): Promise<'changed' | 'unchanged'>
	/** Whether Argo CD was given a CA for a host: `pem`, as far as it can be told which one it holds. */
	isTrusted(
		options: ApiOptions & { readonly host: string; readonly pem?: string | undefined },
	): Promise<boolean>
}

/** All that lading asks of an Argo CD: by its objects in a Kubernetes API, or by its own API. */
export interface Argocd {
	readonly applications: ApplicationApi
	readonly repositories: RepositoryApi
	readonly certificates: CertificateApi
}
