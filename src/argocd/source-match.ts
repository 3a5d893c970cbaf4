import type { Digest } from '../oci/index.ts'
import type { Application, ApplicationSource } from './types.ts'
import { normalizeRepoUrl } from './repo-url.ts'
import { revisionContains } from './revision.ts'

/** A push that has happened. */
export interface PushedArtifact {
	/** Every name the registry goes by (`host:port`): the push's and the cluster's. */
	readonly registries: readonly string[]
	readonly repository: string
	readonly tag?: string | undefined
	readonly digest: Digest
}

export function sourcesOf(application: Pick<Application, 'spec'>): readonly ApplicationSource[] {
	const { source, sources } = application.spec
	return sources !== undefined && sources.length > 0 ? sources : source === undefined ? [] : [source]
}

/**
 * Whether a refresh of the Application can see the push: a source reads that
 * repository, at that tag or at a range which contains it. A pinned source never does.
 * @see argo-cd util/webhook/registry.go HandleRegistryEvent
 */
export function matchesSource(application: Application, pushed: PushedArtifact): boolean {
	const { tag } = pushed
	if (tag === undefined) return false
	return repositorySources(application, pushed).some(({ targetRevision }) =>
		revisionContains(targetRevision ?? '', tag),
	)
}

/** Whether a source of the Application is that repository, at whatever revision. */
export function readsRepository(
	application: Application,
	place: Pick<PushedArtifact, 'registries' | 'repository'>,
): boolean {
	return repositorySources(application, place).length > 0
}

function repositorySources(
	application: Application,
	{ registries, repository }: Pick<PushedArtifact, 'registries' | 'repository'>,
): readonly ApplicationSource[] {
	const urls = new Set(registries.map((registry) => normalizeRepoUrl(`${registry}/${repository}`)))
	return sourcesOf(application).filter(
		({ repoURL }) => repoURL.startsWith('oci://') && urls.has(withoutReference(normalizeRepoUrl(repoURL))),
	)
}

/** Argo CD ignores a tag or digest inside the URL. */
function withoutReference(url: string): string {
	return url
		.replace(/@[^@/]*$/, '')
		.replace(/:[^:/]*$/, (suffix, at: number) => (url.slice(0, at).includes('/') ? '' : suffix))
}
