import type { Cluster, KubeObject } from '../../cluster/index.ts'
import { desiredState, predict } from './apply.ts'
import { type FieldPath, without } from './ignore-differences.ts'
import { type Fields, isFields, sameJson } from './object-fields.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export interface DiffContext {
	readonly cluster: Cluster
	readonly ignored: readonly FieldPath[]
	readonly signal: AbortSignal
}

/**
 * Whether applying `target` would change `live`. The API itself is asked (a dry run of
 * server-side apply), so that what it fills in never counts as a difference. An object
 * the API would refuse is compared field by field, without what only `live` has.
 */
export async function isModified(
	target: KubeObject,
	live: KubeObject,
	context: DiffContext,
): Promise<boolean> {
	const normalized = (object: unknown): unknown =>
		context.ignored.reduce((value, path) => without(value, path), comparable(object))
	let predicted: KubeObject
	try {
		predicted = await predict(target, context)
	} catch {
		return !covers(normalized(live), normalized(desiredState(target)))
	}
	return !sameJson(normalized(predicted), normalized(live))
}

/** An object without what its server alone writes, and without its status (`ignoreResourceStatusField: all`). */
function comparable(object: unknown): unknown {
	if (!isFields(object)) return object
	const { status: _, metadata, ...fields } = object
	const written = isFields(metadata) ? metadata : {}
	const { name, namespace, labels, annotations, finalizers, ownerReferences } = written
	const { [LAST_APPLIED]: __, ...own } = isFields(annotations) ? annotations : {}
	return { ...fields, metadata: { name, namespace, labels, finalizers, ownerReferences, annotations: own } }
}

/** Whether `whole` has everything `part` asks for. */
export function covers(whole: unknown, part: unknown): boolean {
	if (Array.isArray(part))
		return (
			Array.isArray(whole) &&
			whole.length === part.length &&
			part.every((each, index) => covers(whole[index], each))
		)
	if (!isFields(part)) return sameJson(whole, part)
	const fields: Fields = isFields(whole) ? whole : {}
	return Object.entries(part).every(([key, value]) => value === undefined || covers(fields[key], value))
}
