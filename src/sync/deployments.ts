import { type Application, classifyRevision, type RevisionHistory } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { type Digest, isDigest } from '../oci/index.ts'

/** An entry of `status.history`: one artifact that was deployed. */
export interface Deployment extends RevisionHistory {
	readonly revision: Digest
}

const DIGEST_PREFIX = /^sha(?:256|512):[0-9a-f]{6,}$/

/** What an Application was deployed at, the newest first; entries of other kinds of sources are left out. */
export function deploymentsOf({ status }: Application): readonly Deployment[] {
	return (status?.history ?? []).filter(isDeployment).toReversed()
}

function isDeployment(entry: RevisionHistory): entry is Deployment {
	return entry.revision !== undefined && isDigest(entry.revision)
}

/**
 * The digest that an Application asks for now. It is not always the last one deployed: a
 * revision that Argo CD could not deploy never gets into the history.
 */
export function askedDigest(application: Application): string | undefined {
	const asked = application.spec.source?.targetRevision ?? ''
	const revision = classifyRevision(asked)
	if (revision.kind === 'digest' || revision.kind === 'tag@digest') return revision.digest
	const compared = application.status?.sync?.revision
	if (compared !== undefined && compared !== '') return compared
	const [last] = deploymentsOf(application)
	return last?.source?.targetRevision === asked ? last.revision : undefined
}

/**
 * The newest deployment of another artifact than the one asked for: the one before, or
 * the running one where what was asked for could not be deployed.
 * @throws UserError `NOT_FOUND`
 */
export function previousDeployment(application: Application): Deployment {
	const asked = askedDigest(application)
	const previous = deploymentsOf(application).find(({ revision }) => revision !== asked)
	if (previous !== undefined) return previous
	const { name } = application.metadata
	throw new UserError('NOT_FOUND', `the Application ${name} has no earlier deployment to go back to`, {
		hint: `lading sync ${name} REVISION moves it to any revision that is in the registry.`,
	})
}

/**
 * The newest deployment that goes by this name: its id, its digest or the start of it,
 * or the revision (its tag alone will do) that was asked for then.
 * @throws UserError `USAGE` for the start of several digests
 */
export function findDeployment(application: Application, text: string): Deployment | undefined {
	const deployments = deploymentsOf(application)
	const byId = deployments.find(({ id }) => String(id) === text)
	if (byId !== undefined) return byId
	const start = text.replace(/(?:…|\.\.\.)$/, '')
	if (DIGEST_PREFIX.test(start)) {
		const matching = deployments.filter(({ revision }) => revision.startsWith(start))
		if (new Set(matching.map(({ revision }) => revision)).size > 1)
			throw new UserError('USAGE', `${text} is the start of several digests`, { details: describe(matching) })
		return matching[0]
	}
	return deployments.find(({ source }) => {
		const asked = source?.targetRevision
		return asked === text || asked?.split('@')[0] === text
	})
}

/** "Not in the history", with what is. */
export function deploymentNotFound(application: Application, text: string): UserError {
	const { name } = application.metadata
	const deployments = deploymentsOf(application)
	return new UserError('NOT_FOUND', `the history of the Application ${name} has no deployment ${text}`, {
		hint:
			deployments.length === 0
				? `Nothing was deployed yet. lading status ${name} says why.`
				: 'Give one of these by its id.',
		details: describe(deployments),
	})
}

function describe(deployments: readonly Deployment[]): readonly string[] {
	return deployments.map(({ id, revision, source, deployedAt }) =>
		[id, revision.slice(0, 19), source?.targetRevision ?? '', deployedAt].join('  '),
	)
}
