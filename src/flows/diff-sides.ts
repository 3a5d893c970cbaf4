import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import type { ManifestObject } from '../manifests/index.ts'
import { readObjects } from './check.ts'
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

/**
 * The objects that Argo CD would make of a directory or an artifact.
 * @throws UserError `TOOL_MISSING` where it cannot be rendered here, `ARTIFACT_INVALID`
 */
export async function subjectObjects(
	session: Session,
	subject: Subject,
	{ path, recurse, what }: SideOptions,
): Promise<readonly ManifestObject[]> {
	const verdict = await readObjects(session, subject, { path, recurse })
	const unread = verdict.findings.find(({ rule }) => rule === 'not-rendered')
	if (unread)
		throw new UserError('TOOL_MISSING', `${what} cannot be compared: ${unread.message}`, { hint: unread.fix })
	const fault = verdict.findings.find(({ severity }) => severity === 'refuse')
	if (fault && verdict.resources.length === 0) {
		throw new UserError('ARTIFACT_INVALID', `${what} cannot be compared: ${fault.message}`, {
			hint: fault.fix,
		})
	}
	return verdict.resources.map(({ object }) => object).filter(isManifestObject)
}

export function isManifestObject(object: unknown): object is ManifestObject {
	return v.is(manifestObjectSchema, object)
}

const manifestObjectSchema = v.looseObject({
	apiVersion: v.string(),
	kind: v.string(),
	metadata: v.looseObject({ name: v.string() }),
})
