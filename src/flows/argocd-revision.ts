import {
	type Application,
	type ApplicationSource,
	classifyRevision,
	parseRepoUrl,
	resolveRange,
	sourcesOf,
} from '../argocd/index.ts'
import { LadingError, unreachable, UserError } from '../errors/index.ts'
import { type Descriptor, isTag, type Reference } from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import { type ConnectedCluster, isLocalCluster } from './clusters.ts'
import {
	adviceOnWithheld,
	connectRegistry,
	type Reach,
	reachBeside,
	type RegistryAccess,
} from './registries.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'

type Place = Pick<Reference, 'registry' | 'repository'>

export interface RepositoryOptions {
	readonly target: ConnectedCluster
	readonly application: Application
	/** The source to read from, such as that of an earlier deployment; default: the first of the Application. */
	readonly source?: ApplicationSource | undefined
	readonly access?: RegistryAccess | undefined
	/** Registries that the command names beside the Application. */
	readonly named?: readonly string[] | undefined
}

/** A repository that an Application names, and how it may be reached. */
export interface ReachedRepository extends Reach {
	readonly repository: RemoteRepository
	readonly place: Place
}

/** Where the artifacts of an Application lie, by the name that this machine uses. */
async function repositoryOf(
	session: Session,
	{ target, application, source = sourcesOf(application)[0] }: RepositoryOptions,
): Promise<Place> {
	const repoURL = source?.repoURL ?? ''
	const parsed = parseRepoUrl(repoURL)
	if (!parsed.ok) {
		throw new UserError(
			'OBJECT_INVALID',
			`the Application ${application.metadata.name} does not come from an OCI artifact (${repoURL})`,
		)
	}
	const { registry, repository } = parsed.url
	const local = isLocalCluster(session, target.name)
		? session.workspace.state().registry?.endpoint
		: undefined
	const endpoint = local ?? (await readRegistryHosting(target.cluster))
	return { registry: endpoint?.cluster === registry ? endpoint.push : registry, repository }
}

/**
 * What Argo CD will find for a `targetRevision`: a tag, a digest, a tag with a digest,
 * or the highest tag of a range.
 * @throws UserError `NOT_FOUND`, `REFERENCE_INVALID`
 */
export async function resolveArgocdRevision(
	session: Session,
	target: ConnectedCluster,
	options: {
		readonly application: Application
		readonly revision: string
		readonly access?: RegistryAccess | undefined
	},
): Promise<Descriptor> {
	return await withRepositoryOf(session, { target, ...options }, async ({ repository, place }) => {
		const descriptor = await find(repository, options.revision, session.signal)
		if (descriptor) return descriptor
		throw new UserError(
			'NOT_FOUND',
			`${place.registry}/${place.repository} has nothing for ${options.revision}`,
			{
				hint: `lading tags ${place.registry}/${place.repository} lists what is there.`,
			},
		)
	})
}

/**
 * Runs `use` with the repository that the artifacts of an Application lie in. As the Application names it, its
 * registry gets a password that is bound to none only as {@link reachBeside} has it.
 */
export async function withRepositoryOf<T>(
	session: Session,
	options: RepositoryOptions,
	use: (reached: ReachedRepository) => Promise<T>,
): Promise<T> {
	const { access = {}, named = [], application } = options
	const place = await repositoryOf(session, options)
	const reach = reachBeside(session, place.registry, { access, named })
	const connection = connectRegistry(reach.session, place.registry, reach.access)
	try {
		return await use({ ...reach, repository: connection.repository(place), place })
	} catch (error) {
		const advice = adviceOnWithheld({ session, access }, reach, place.registry)
		if (advice !== undefined && error instanceof LadingError && error.kind === 'denied') {
			const { name } = application.metadata
			session.progress.warn(
				`${place.registry} was not given the user name and password: only the Application ${name} names it`,
				advice,
			)
		}
		throw error
	} finally {
		connection.close()
	}
}

async function find(
	repository: RemoteRepository,
	text: string,
	signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
	const revision = classifyRevision(text)
	switch (revision.kind) {
		case 'digest':
		case 'tag@digest':
			return await repository.resolve(revision.digest, { signal })
		case 'tag':
			return await repository.resolve(revision.tag, { signal })
		case 'range': {
			const exact = isTag(revision.range) ? await repository.resolve(revision.range, { signal }) : undefined
			if (exact) return exact
			const highest = resolveRange(revision.range, (await repository.tags({ signal })) ?? [])
			if (highest.found) return await repository.resolve(highest.tag, { signal })
			if (highest.reason === 'no-match') return undefined
			throw new UserError(
				'NOT_FOUND',
				`the range ${revision.range} chooses the tag ${highest.tag}, which Argo CD cannot ask for`,
				{ hint: 'It reads the "_" as "+" and does not turn it back. Name the tag itself, or delete it.' },
			)
		}
		case 'invalid':
			throw new UserError('REFERENCE_INVALID', `Argo CD cannot read this revision: ${revision.message}`, {
				hint: 'Give a tag, a digest (sha256:…), a tag with a digest (v1.0.0@sha256:…) or a version range (^1.0.0).',
			})
		default:
			return unreachable(revision)
	}
}
