import { type Application, ArgocdName, matchesSource, type PushedArtifact } from '../argocd/index.ts'
import { LadingError } from '../errors/index.ts'
import type { ApiOptions, ApplicationApi, ApplicationRef, RefreshKind } from './application-api.ts'

/** Whether a comparison was asked for and has not happened: the controller takes the annotation away with the result. */
export function isRefreshing({ metadata }: Application): boolean {
	return metadata.annotations?.[ArgocdName.refreshAnnotation] !== undefined
}

export interface RefreshResult {
	readonly refreshed: readonly ApplicationRef[]
	/** Applications that could not be told: a push is none the worse for it. */
	readonly failed: readonly { readonly application: ApplicationRef; readonly error: LadingError }[]
}

/** Asks for a comparison of each; one that fails does not keep the others from it. */
export async function refreshApplications(
	api: ApplicationApi,
	refs: readonly ApplicationRef[],
	options: ApiOptions & { readonly kind?: RefreshKind } = {},
): Promise<RefreshResult> {
	const refreshed: ApplicationRef[] = []
	const failed: { application: ApplicationRef; error: LadingError }[] = []
	await Promise.all(
		refs.map(async (application) => {
			try {
				if ((await api.refresh(application, options)) !== undefined) refreshed.push(application)
			} catch (error) {
				if (!(error instanceof LadingError)) throw error
				failed.push({ application, error })
			}
		}),
	)
	return { refreshed, failed }
}

export interface RefreshMatchingOptions extends ApiOptions {
	/** Where Applications are looked for. */
	readonly namespace: string
}

/** Tells every Application that can see a push to look now, instead of within Argo CD's minutes. */
export async function refreshMatching(
	api: ApplicationApi,
	pushed: PushedArtifact,
	{ namespace, signal }: RefreshMatchingOptions,
): Promise<RefreshResult> {
	const applications = await api.list(namespace, { signal })
	const matching = applications.filter((application) => matchesSource(application, pushed))
	const refs = matching.map(({ metadata }) => ({
		name: metadata.name,
		namespace: metadata.namespace ?? namespace,
	}))
	return await refreshApplications(api, refs, { signal })
}
