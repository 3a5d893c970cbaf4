import type { Application } from '../argocd/index.ts'

export interface ApplicationRef {
	readonly name: string
	/** Namespace of the Application, usually Argo CD's own. */
	readonly namespace: string
}

export interface ApiOptions {
	readonly signal?: AbortSignal | undefined
}

export type RefreshKind = 'normal' | 'hard'

/**
 * Applications wherever they are kept: in a Kubernetes API, or behind Argo CD's own.
 * "Not found" is `undefined`. Every change asks for a comparison in the same step,
 * so that an Application counts as compared again when `isRefreshing` says no.
 */
export interface ApplicationApi {
	/** What to try where an Application is not found: a sentence. */
	readonly whenAbsent: string
	get(ref: ApplicationRef, options?: ApiOptions): Promise<Application | undefined>
	/**
	 * All of one namespace, or those with a label.
	 * @throws RemoteError `NOT_FOUND` where there is no Argo CD
	 */
	list(
		namespace: string,
		options?: ApiOptions & { readonly labelSelector?: string | undefined },
	): Promise<readonly Application[]>
	/** Creates it, or changes the fields it names. */
	apply(application: Application, options?: ApiOptions): Promise<Application>
	setRevision(ref: ApplicationRef, revision: string, options?: ApiOptions): Promise<Application | undefined>
	refresh(
		ref: ApplicationRef,
		options?: ApiOptions & { readonly kind?: RefreshKind },
	): Promise<Application | undefined>
	/** Starts a sync to the target revision, unless one is running. */
	requestSync(
		ref: ApplicationRef,
		options?: ApiOptions & { readonly prune?: boolean },
	): Promise<Application | undefined>
	/** Tells a sync that runs, or waits to be tried again, to end. */
	terminateSync(ref: ApplicationRef, options?: ApiOptions): Promise<void>
	/** Removes it, with its resources (`cascade`) or without them; `false` when there was none. */
	delete(ref: ApplicationRef, options: ApiOptions & { readonly cascade: boolean }): Promise<boolean>
	/** The present state, then every change, across reconnects; `undefined` while there is none. Ends with the signal. */
	watch(ref: ApplicationRef, options?: ApiOptions): AsyncIterable<Application | undefined>
}
