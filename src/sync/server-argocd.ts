import type { ArgocdClient } from '../argocd-api/index.ts'
import type { Argocd } from './argocd.ts'
import { createServerApplicationApi, type ServerOptions } from './server-application-api.ts'
import { createServerCertificates } from './server-certificates.ts'
import { createServerRepositories } from './server-repositories.ts'

/** Argo CD by its own API, for who has no access to the cluster that it runs in. */
export function createServerArgocd(client: ArgocdClient, options: ServerOptions = {}): Argocd {
	const certificates = createServerCertificates(client)
	return {
		applications: createServerApplicationApi(client, options),
		repositories: createServerRepositories(client, { ...options, certificates }),
		certificates,
	}
}
