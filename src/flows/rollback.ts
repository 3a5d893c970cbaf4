import { type Application, classifyRevision, revisionContains } from '../argocd/index.ts'
import { RemoteError, unreachable, UserError } from '../errors/index.ts'
import type { Digest } from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import {
	askedDigest,
	type Deployment,
	deploymentNotFound,
	findDeployment,
	getApplication,
	moveRevision,
	previousDeployment,
	refuseOtherSources,
	refuseOwned,
	type SyncResult,
} from '../sync/index.ts'
import { withRepositoryOf } from './argocd-revision.ts'
import type { ConnectedCluster } from './clusters.ts'
import { type MovingOptions, rememberRevision, waitOrStart } from './moving.ts'
import { isVersionTag } from './moved-tags.ts'
import type { Session } from './session.ts'

export interface RollbackOptions extends MovingOptions {
	readonly name: string
	/** A deployment of the history by its id, its digest, or what it was deployed by; absent: the one before. */
	readonly to?: string | undefined
}

/** Where an Application goes back to. */
export interface RollbackPlan {
	readonly name: string
	readonly namespace: string
	/** `targetRevision` now. */
	readonly from: string
	/** The one that pins the deployment. */
	readonly targetRevision: string
	readonly digest: Digest
	/** Of the deployment in the history. */
	readonly id: number
	/** RFC 3339. */
	readonly deployedAt: string
}

export interface RollbackResult extends RollbackPlan {
	/** `unchanged`: it asks for that very artifact already. */
	readonly outcome: 'moved' | 'unchanged'
	readonly sync?: SyncResult | undefined
}

/**
 * Moves an Application back to an artifact of its history, pinned so that Argo CD leaves it
 * there (its own rollback is refused under auto-sync), and waits until that is Synced and
 * Healthy. What the registry no longer has is refused before anything is changed.
 * @throws UserError `NOT_FOUND`, `APPLICATION_OWNED`, `OBJECT_INVALID`
 * @throws RemoteError `NOT_FOUND`, `SYNC_FAILED`, `APPLICATION_DEGRADED`, `TIMED_OUT`
 */
export async function rollbackApplication(
	session: Session,
	target: ConnectedCluster,
	options: RollbackOptions,
): Promise<RollbackResult> {
	const { signal, progress } = session
	const { name } = options
	const step = progress.step('application')
	const application = await applicationOf(session, target, name)
	refuseOwned(application)
	const plan = await planFor(session, target, { application, options })
	const { targetRevision, from, digest } = plan
	if (askedDigest(application) === digest) {
		step.unchanged(`${name} is at ${from} (${digest.slice(0, 19)}…) already`)
		return { ...plan, outcome: 'unchanged' }
	}
	const api = target.argocd.applications
	await moveRevision(api, { name, namespace: target.argocdNamespace }, { revision: targetRevision, signal })
	rememberRevision(session, target, { name, revision: targetRevision })
	step.done(`${name} from ${from} back to ${targetRevision}`)
	const where = target.name === 'sandbox' ? '' : ` --cluster ${target.name}`
	progress.note(`${name} was at ${from}. Forward again: lading sync ${name} ${from}${where}`)
	const sync = await waitOrStart(session, target, { ...options, application, digest })
	return { ...plan, outcome: 'moved', sync }
}

/** Where `rollbackApplication` would go, without going there. */
export async function planRollback(
	session: Session,
	target: ConnectedCluster,
	options: RollbackOptions,
): Promise<RollbackPlan> {
	const application = await applicationOf(session, target, options.name)
	return await planFor(session, target, { application, options })
}

async function applicationOf(
	{ signal }: Session,
	{ argocd, argocdNamespace }: ConnectedCluster,
	name: string,
): Promise<Application> {
	const ref = { name, namespace: argocdNamespace }
	const application = await getApplication(argocd.applications, ref, { signal })
	refuseOtherSources(application)
	return application
}

interface Planning {
	readonly application: Application
	readonly options: RollbackOptions
}

async function planFor(
	session: Session,
	target: ConnectedCluster,
	{ application, options }: Planning,
): Promise<RollbackPlan> {
	const { to, access } = options
	const { name, namespace = target.argocdNamespace } = application.metadata
	const deployment =
		to === undefined
			? previousDeployment(application)
			: (findDeployment(application, to) ??
				(await findByTag(session, target, { application, options, tag: to })))
	refuseOtherPlace(application, deployment)
	const { id, deployedAt, revision: digest, source } = deployment
	const path = application.spec.source?.path ?? '.'
	if (source?.path !== undefined && source.path !== path) {
		session.progress.warn(
			`deployment ${id} was made from the path ${source.path}; the Application reads ${path} now`,
		)
	}
	let targetRevision: string
	try {
		targetRevision = await withRepositoryOf(
			session,
			{ target, application, access },
			async ({ repository }) => {
				return await pinnedRevision(deployment, repository, session.signal)
			},
		)
	} catch (error) {
		if (!(error instanceof RemoteError)) throw error
		session.signal?.throwIfAborted()
		session.progress.warn(`the registry could not be asked for ${digest}: ${error.message}`, error.hint)
		targetRevision = blindRevision(deployment)
	}
	return {
		name,
		namespace,
		from: application.spec.source?.targetRevision ?? '',
		targetRevision,
		digest,
		id,
		deployedAt,
	}
}

/** A tag that names now, in the registry, what was deployed then: `history` shows those too. */
async function findByTag(
	session: Session,
	target: ConnectedCluster,
	{ application, options, tag }: Planning & { readonly tag: string },
): Promise<Deployment> {
	const kind = classifyRevision(tag).kind
	const isName = kind === 'tag' && !/^\d+$/.test(tag)
	const asked = { target, application, access: options.access }
	const digest = isName
		? await withRepositoryOf(session, asked, async ({ repository }) => {
				return (await repository.resolve(tag, { signal: session.signal }))?.digest
			}).catch((error: unknown) => {
				if (!(error instanceof RemoteError)) throw error
				return undefined
			})
		: undefined
	const found = digest === undefined ? undefined : findDeployment(application, digest)
	if (found === undefined) throw deploymentNotFound(application, tag)
	return found
}

function refuseOtherPlace(application: Application, { id, source, revision }: Deployment): void {
	const { name } = application.metadata
	const now = application.spec.source?.repoURL
	if (source === undefined || source.repoURL === now) return
	throw new UserError(
		'OBJECT_INVALID',
		`deployment ${id} of ${name} came from ${source.repoURL}, and the Application reads ${now} now`,
		{ hint: `lading deploy ${name} ${source.repoURL.replace(/^oci:\/\//, '')}@${revision}` },
	)
}

const MAX_TAGS_ASKED = 200

/**
 * The version tag that was asked for then, if it still names the artifact; else the tag with the digest, or
 * the digest: the next push would move an Application away from any other tag.
 * @throws UserError `NOT_FOUND` when the registry no longer has it
 */
async function pinnedRevision(
	deployment: Deployment,
	repository: RemoteRepository,
	signal: AbortSignal | undefined,
): Promise<string> {
	const { revision: digest, source, id } = deployment
	if ((await repository.resolve(digest, { signal })) === undefined) {
		throw new UserError(
			'NOT_FOUND',
			`the registry no longer has the artifact of deployment ${id}, ${digest}`,
			{
				hint: 'Nothing was changed. Choose another deployment with --to, or push that version again.',
			},
		)
	}
	const asked = classifyRevision(source?.targetRevision ?? '')
	if (asked.kind === 'tag' && isVersionTag(asked.tag))
		return (await repository.resolve(asked.tag, { signal }))?.digest === digest
			? asked.tag
			: blindRevision(deployment)
	if (asked.kind !== 'range') return blindRevision(deployment)
	const tags = ((await repository.tags({ signal })) ?? []).filter((tag) => revisionContains(asked.range, tag))
	for (const tag of tags.toReversed().slice(0, MAX_TAGS_ASKED))
		if ((await repository.resolve(tag, { signal }))?.digest === digest) return `${tag}@${digest}`
	return digest
}

/** A revision that names the artifact whatever the registry says. */
function blindRevision({ source, revision: digest }: Deployment): string {
	const asked = classifyRevision(source?.targetRevision ?? '')
	switch (asked.kind) {
		case 'tag':
			return `${asked.tag}@${digest}`
		case 'tag@digest':
			return asked.digest === digest ? `${asked.tag}@${digest}` : digest
		case 'digest':
		case 'range':
		case 'invalid':
			return digest
		default:
			return unreachable(asked)
	}
}
