import type { Application } from '../argocd/index.ts'

/**
 * The Application that is there with all that lading says of one, and without what lading
 * once said and no longer does: what a server-side apply does in Kubernetes. Fields that
 * lading never names, such as `ignoreDifferences`, stay.
 */
export function mergeApplication(present: Application, wanted: Application): Omit<Application, 'status'> {
	const { metadata, spec } = present
	const { directory: _directory, ...source } = spec.source ?? {}
	const { sources: _sources, syncPolicy, ...others } = spec
	const { automated: _automated, syncOptions: _syncOptions, ...policy } = syncPolicy ?? {}
	const finalizers = [...new Set([...(metadata.finalizers ?? []), ...(wanted.metadata.finalizers ?? [])])]
	return {
		apiVersion: wanted.apiVersion,
		kind: wanted.kind,
		metadata: {
			...wanted.metadata,
			labels: { ...metadata.labels, ...wanted.metadata.labels },
			annotations: { ...metadata.annotations, ...wanted.metadata.annotations },
			finalizers,
		},
		spec: {
			...others,
			...wanted.spec,
			...(wanted.spec.source && { source: { ...source, ...wanted.spec.source } }),
			syncPolicy: { ...policy, ...wanted.spec.syncPolicy },
		},
	}
}
