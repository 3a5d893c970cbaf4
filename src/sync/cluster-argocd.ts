import { ArgocdName } from '../argocd/index.ts'
import type { Cluster, KubeObject } from '../cluster/index.ts'
import type { Argocd, Repository } from './argocd.ts'
import { createClusterApplicationApi } from './cluster-application-api.ts'
import {
	applyCredentialTemplate,
	applyRepositorySecret,
	findRepositorySecret,
	isOurs,
	removeRepositorySecret,
	secretField,
} from './repository-secret.ts'
import { isCaTrusted, trustCa } from './trust-ca.ts'

/** Argo CD by its objects in the Kubernetes API that it runs in. */
export function createClusterArgocd(
	cluster: Cluster,
	{ namespace = ArgocdName.defaultNamespace }: { readonly namespace?: string | undefined } = {},
): Argocd {
	return {
		applications: createClusterApplicationApi(cluster),
		repositories: {
			async find(repoURL, { signal } = {}) {
				const secret = await findRepositorySecret(cluster, repoURL, { namespace, signal })
				return secret && repositoryOf(secret)
			},
			async apply(options) {
				return await applyRepositorySecret(cluster, { ...options, namespace })
			},
			async applyTemplate(options) {
				return await applyCredentialTemplate(cluster, { ...options, namespace })
			},
			async remove(repoURL, { signal } = {}) {
				return await removeRepositorySecret(cluster, repoURL, { namespace, signal })
			},
		},
		certificates: {
			async trust(options) {
				return await trustCa(cluster, { ...options, namespace })
			},
			async isTrusted(options) {
				return await isCaTrusted(cluster, { ...options, namespace })
			},
		},
	}
}

function repositoryOf(secret: KubeObject): Repository {
	return {
		name: secret.metadata.name,
		type: secretField(secret, 'type'),
		isOurs: isOurs(secret),
	}
}
