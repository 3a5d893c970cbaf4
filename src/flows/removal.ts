import { RemoteError, UserError } from '../errors/index.ts'
import { formatReference } from '../oci/index.ts'
import type { RemoteRepository } from '../registry/client/index.ts'
import { connectRegistry } from './registries.ts'
import type { RemovalPlan } from './removal-plan.ts'
import type { Session } from './session.ts'

/** @throws UserError `IN_USE` where an Application runs or follows what goes, or where that cannot be known */
export function refuseInUse({ use, place, listing }: RemovalPlan): void {
	const { running, following, users } = use
	if (users.kind === 'unknown') {
		throw new UserError('IN_USE', `whether an Application runs it is not known: ${users.error.message}`, {
			hint: 'Try again when the cluster answers, or do it all the same with --force.',
			cause: users.error,
		})
	}
	const names = [...new Set([...running, ...following])]
	const [name] = names
	const repository = formatReference(place)
	const [index] = listing
	if (name === undefined && index !== undefined) {
		const tags = listing.map(({ tag }) => tag).join(', ')
		throw new UserError('IN_USE', `an index lists it, which would be broken then: ${tags}`, {
			hint: `Delete the index first: lading delete ${formatReference({ ...place, tag: index.tag })}; or do it all the same with --force.`,
		})
	}
	if (name === undefined) return
	throw new UserError(
		'IN_USE',
		`${names.length === 1 ? 'an Application needs' : `${names.length} Applications need`} it: ${names.join(', ')}`,
		{
			details: [
				...running.map((each) => `${each} runs it`),
				...following.map((each) => `${each} asks for a tag that would go`),
			],
			hint: `Move it first: lading sync ${name} REVISION, with one that lading tags ${repository} lists; or do it all the same with --force.`,
		},
	)
}

/** Does what was planned. @throws RemoteError `DELETE_UNSUPPORTED`, `IN_USE` where the registry says so */
export async function removeArtifacts(session: Session, plan: RemovalPlan): Promise<void> {
	const { place, access, manifest, tags } = plan
	const step = session.progress.step(manifest ? 'delete' : 'untag')
	const connection = connectRegistry(session, place.registry, access)
	try {
		const repository = connection.repository(place)
		if (manifest) await removeOne(session, { repository, plan, reference: manifest.digest })
		else for (const { tag } of tags) await removeOne(session, { repository, plan, reference: tag })
		const tag = tags.map((each) => each.tag).join(',')
		step.done(formatReference(manifest ? { ...place, digest: manifest.digest } : { ...place, tag }))
	} finally {
		connection.close()
	}
}

interface Removal {
	readonly repository: RemoteRepository
	readonly plan: RemovalPlan
	readonly reference: string
}

async function removeOne({ signal }: Session, { repository, plan, reference }: Removal): Promise<void> {
	let isGone: boolean
	try {
		isGone = await repository.delete(reference, { signal })
	} catch (error) {
		throw explained(error, plan, reference)
	}
	// Registries of old look for a manifest of that name, and find none.
	if (!isGone && (await repository.resolve(reference, { signal }))) throw unsupported(plan, reference)
}

/** Statuses by which registries say that they delete nothing, or nothing by a tag. */
const UNSUPPORTED: ReadonlySet<number> = new Set([400, 405, 501])

function explained(error: unknown, plan: RemovalPlan, reference: string): unknown {
	if (!(error instanceof RemoteError)) return error
	const status = error.wire?.status ?? 0
	if (UNSUPPORTED.has(status)) return unsupported(plan, reference, error)
	if (status !== 409) return error
	return new RemoteError('IN_USE', error.message, {
		hint: 'Move what uses it first: the registry does not delete it before.',
		wire: error.wire,
		cause: error,
	})
}

function unsupported(
	{ place, tags, manifest }: RemovalPlan,
	reference: string,
	error?: RemoteError,
): RemoteError {
	const options = { wire: error?.wire, cause: error }
	if (manifest) {
		return new RemoteError('DELETE_UNSUPPORTED', `${place.registry} deletes no artifacts by its API`, {
			...options,
			hint: 'Its operator can allow it (distribution: storage.delete.enabled, REGISTRY_STORAGE_DELETE_ENABLED=true), or delete it in the registry’s own console.',
		})
	}
	const digest = tags.find(({ tag }) => tag === reference)?.digest
	return new RemoteError('DELETE_UNSUPPORTED', `${place.registry} deletes no single tags`, {
		...options,
		hint: `Delete the artifact with all its tags: lading delete ${formatReference({ ...place, digest })}; or point the tag elsewhere: lading tag ${formatReference({ ...place, tag: 'OTHER' })} ${reference} --force`,
	})
}
