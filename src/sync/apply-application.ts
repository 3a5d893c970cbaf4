import type { Application } from '../argocd/index.ts'
import type { ApiOptions, ApplicationApi } from './application-api.ts'
import { refuseOwned } from './move-revision.ts'

export interface AppliedApplication {
	readonly application: Application
	readonly outcome: 'created' | 'applied'
}

/**
 * Creates an Application, or makes the one of this name so, and has it compared.
 * @throws UserError `APPLICATION_OWNED`
 */
export async function applyApplication(
	api: ApplicationApi,
	application: Application,
	{ signal }: ApiOptions = {},
): Promise<AppliedApplication> {
	const { name, namespace = 'argocd' } = application.metadata
	const present = await api.get({ name, namespace }, { signal })
	if (present !== undefined) refuseOwned(present)
	const applied = await api.apply(application, { signal })
	return { application: applied, outcome: present === undefined ? 'created' : 'applied' }
}
