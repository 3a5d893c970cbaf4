import { UserError } from '../errors/index.ts'
import type { Application } from './types.ts'
import { ArgocdName } from './names.ts'
import { parseRepoUrl } from './repo-url.ts'
import { classifyRevision } from './revision.ts'

export interface ApplicationOptions {
	readonly name: string
	/** Where Argo CD runs; `argocd`. */
	readonly namespace?: string | undefined
	/** AppProject; `default`. */
	readonly project?: string | undefined
	/** `oci://host[:port]/repository`, as the cluster reaches it. */
	readonly repoURL: string
	/** Exactly what was asked for: tag, range, digest or `tag@digest`. */
	readonly targetRevision: string
	/** Directory inside the artifact; `.`. */
	readonly path?: string | undefined
	readonly destination: {
		/** URL of the API server as Argo CD knows it; its own cluster. */
		readonly server?: string | undefined
		/** Name of a cluster in Argo CD, instead of `server`. */
		readonly cluster?: string | undefined
		readonly namespace: string
	}
	/** Deploys by itself; true. */
	readonly automated?: boolean | undefined
	/** Removes what left the artifact; true. Counts only where `automated` does. */
	readonly prune?: boolean | undefined
	/** Undoes changes made in the cluster; true. Counts only where `automated` does. */
	readonly selfHeal?: boolean | undefined
	/** Reads subdirectories too; false. */
	readonly recurse?: boolean | undefined
	readonly include?: string | undefined
	readonly exclude?: string | undefined
	/** Server-side apply, which knows no limit on the size of an object's annotation; false. */
	readonly serverSide?: boolean | undefined
	/** Makes the destination's namespace; true. */
	readonly createNamespace?: boolean | undefined
	/** Removes the resources along with the Application; true. */
	readonly finalizer?: boolean | undefined
	readonly labels?: Readonly<Record<string, string>> | undefined
	readonly annotations?: Readonly<Record<string, string>> | undefined
}

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/
const MAX_NAME_LENGTH = 253
const MAX_NAMESPACE_LENGTH = 63

/**
 * The Application that `deploy` makes.
 * @throws UserError `OBJECT_INVALID`, `REFERENCE_INVALID`: what the API server or Argo CD would refuse
 */
export function buildApplication(options: ApplicationOptions): Application {
	refuseInvalid(options)
	const { destination, namespace = ArgocdName.defaultNamespace } = options
	const directory = {
		...(options.recurse === true && { recurse: true }),
		...(options.include !== undefined && { include: options.include }),
		...(options.exclude !== undefined && { exclude: options.exclude }),
	}
	const syncOptions = [
		...(options.createNamespace === false ? [] : ['CreateNamespace=true']),
		...(options.serverSide === true ? ['ServerSideApply=true'] : []),
	]
	const automated =
		options.automated === false
			? undefined
			: { prune: options.prune !== false, selfHeal: options.selfHeal !== false }
	return {
		apiVersion: ArgocdName.apiVersion,
		kind: 'Application',
		metadata: {
			name: options.name,
			namespace,
			labels: { ...options.labels, [ArgocdName.managedByLabel]: ArgocdName.managedByLading },
			...(options.annotations !== undefined && { annotations: options.annotations }),
			...(options.finalizer !== false && { finalizers: [ArgocdName.resourcesFinalizer] }),
		},
		spec: {
			project: options.project ?? ArgocdName.defaultProject,
			source: {
				repoURL: options.repoURL,
				targetRevision: options.targetRevision,
				path: options.path ?? '.',
				...(Object.keys(directory).length > 0 && { directory }),
			},
			destination: {
				...(destination.cluster === undefined
					? { server: destination.server ?? ArgocdName.inCluster }
					: { name: destination.cluster }),
				namespace: destination.namespace,
			},
			...((automated !== undefined || syncOptions.length > 0) && {
				syncPolicy: {
					...(automated !== undefined && { automated }),
					...(syncOptions.length > 0 && { syncOptions }),
				},
			}),
		},
	}
}

function refuseInvalid(options: ApplicationOptions): void {
	refuseApplicationName(options.name)
	refuseName('the namespace', options.destination.namespace, MAX_NAMESPACE_LENGTH)
	const url = parseRepoUrl(options.repoURL)
	if (!url.ok) {
		throw new UserError('REFERENCE_INVALID', `Argo CD cannot read this source: ${url.message}`, {
			hint:
				url.suggestion === undefined
					? 'A source looks like oci://registry.example.com/team/app'
					: `Use ${url.suggestion}`,
		})
	}
	const revision = classifyRevision(options.targetRevision)
	if (revision.kind === 'invalid') {
		throw new UserError('REFERENCE_INVALID', `Argo CD cannot read this revision: ${revision.message}`, {
			hint: 'Give a tag, a digest (sha256:…), a tag with a digest (v1.0.0@sha256:…) or a version range (^1.0.0).',
		})
	}
	if (options.path?.startsWith('/') === true || options.path?.split('/').includes('..') === true) {
		throw new UserError('OBJECT_INVALID', `the path "${options.path}" leads out of the artifact`, {
			hint: 'Give a directory inside the artifact, relative to its root.',
		})
	}
}

/** @throws UserError `OBJECT_INVALID` for a name that no Application can have */
export function refuseApplicationName(name: string): void {
	refuseName('the Application', name, MAX_NAME_LENGTH)
}

function refuseName(what: string, name: string, limit: number): void {
	if (NAME.test(name) && name.length <= limit) return
	throw new UserError('OBJECT_INVALID', `"${name}" cannot be the name of ${what}`, {
		hint: `Names are lower-case letters, digits and "-", start and end with a letter or digit, and have at most ${limit} characters.`,
	})
}
