import { ASSUMED_ARGOCD_VERSION } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { diffResources, type ManifestObject, type ResourceDiff } from '../manifests/index.ts'
import { subjectObjects } from './diff-sides.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { locateSubject, readSubject } from './subject.ts'

export interface DiffOptions {
	/** Path inside both sides; `.`. */
	readonly path?: string | undefined
	/** Also what stands in subdirectories; true. */
	readonly recurse?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

/** What changes from `before` to `after`, by resource and field; empty when both deploy the same. */
export async function diff(
	session: Session,
	[before, after]: readonly [before: string, after: string],
	options: DiffOptions = {},
): Promise<readonly ResourceDiff[]> {
	refuseCredentialsForTwo(session, [before, after], options)
	const [left, right] = await Promise.all([
		objectsOf(session, before, options),
		objectsOf(session, after, options),
	])
	return diffResources(left, right)
}

/** Credentials that are given without the name of a registry belong to one, and it is not said which. */
function refuseCredentialsForTwo(session: Session, sides: readonly string[], { access }: DiffOptions): void {
	if (access?.credentials === undefined || access.credentials.registry !== undefined) return
	const registries = new Set(
		sides.flatMap((what) => {
			const place = locateSubject(session, what)
			return place.kind === 'artifact' ? [place.reference.registry] : []
		}),
	)
	if (registries.size < 2) return
	throw new UserError(
		'USAGE',
		`the user name and password are for one registry, and this asks two: ${[...registries].join(' and ')}`,
		{
			hint: 'Sign in to each with lading login, or set LADING_REGISTRY to the one that LADING_USERNAME is for.',
		},
	)
}

async function objectsOf(
	session: Session,
	what: string,
	options: DiffOptions,
): Promise<readonly ManifestObject[]> {
	const subject = await readSubject(session, what, {
		access: options.access,
		version: ASSUMED_ARGOCD_VERSION,
	})
	return await subjectObjects(session, subject, { ...options, recurse: options.recurse ?? true, what })
}
