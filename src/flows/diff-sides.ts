import * as v from 'valibot'
import { type Finding, losesObjects } from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import type { ManifestObject } from '../manifests/index.ts'
import { readObjects } from './check.ts'
import { type Unread, unreadOf } from './diff-skipped.ts'
import type { Session } from './session.ts'
import type { Subject } from './subject.ts'

export interface SideOptions {
	/** Path inside the artifact; `.`. */
	readonly path?: string | undefined
	/** Also what stands in subdirectories. */
	readonly recurse?: boolean | undefined
	/** What it is called in an error. */
	readonly what: string
}

/** What one side deploys, as far as that is known here. */
export interface SideObjects {
	readonly objects: readonly ManifestObject[]
	/** Files that Argo CD makes objects of and that are not looked into here; absent where there are no files at all. */
	readonly unread?: readonly Unread[] | undefined
}

/**
 * The objects that Argo CD would make of a directory or an artifact. What it refuses and yet can be compared
 * is told.
 * @throws UserError `TOOL_MISSING` where it cannot be rendered here, `ARTIFACT_INVALID`
 */
export async function subjectObjects(
	session: Session,
	subject: Subject,
	{ path, recurse, what }: SideOptions,
): Promise<SideObjects> {
	const verdict = await readObjects(session, subject, { path, recurse })
	const unread = verdict.findings.find(({ rule }) => rule === 'not-rendered')
	if (unread)
		throw new UserError('TOOL_MISSING', `${what} cannot be compared: ${unread.message}`, { hint: unread.fix })
	const refused = verdict.findings.filter(({ severity }) => severity === 'refuse')
	// What a file that cannot be read stands for is unknown: leaving it out would hide a change or invent a removal.
	const fatal = verdict.resources.length === 0 ? refused : refused.filter(({ rule }) => losesObjects(rule))
	const [fault, ...others] = fatal
	if (fault !== undefined) {
		throw new UserError('ARTIFACT_INVALID', `${what} cannot be compared: ${fault.message}`, {
			details: others.map(({ message }) => message),
			hint: fault.fix,
		})
	}
	tellRefused(session, { what, refused })
	const skipped = verdict.skipped.filter(({ reason }) => reason === 'jsonnet' || reason === 'unread')
	return {
		objects: verdict.resources.map(({ object }) => object).filter(isManifestObject),
		unread: unreadOf(subject.facts, { skipped, path }),
	}
}

/** Refusals that are told one by one. */
const MAX_TOLD = 5

function tellRefused(
	{ progress }: Session,
	{ what, refused }: { readonly what: string; readonly refused: readonly Finding[] },
): void {
	for (const { message, fix } of refused.slice(0, MAX_TOLD))
		progress.warn(`Argo CD would not deploy ${what} as it is: ${message}`, fix)
	const more = refused.length - MAX_TOLD
	if (more > 0) progress.warn(`${what} has ${more} more fault${more === 1 ? '' : 's'} of this kind`)
}

export function isManifestObject(object: unknown): object is ManifestObject {
	return v.is(manifestObjectSchema, object)
}

const manifestObjectSchema = v.looseObject({
	apiVersion: v.string(),
	kind: v.string(),
	metadata: v.looseObject({ name: v.string() }),
})
