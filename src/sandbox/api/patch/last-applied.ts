import {
	isArray,
	isObject,
	property,
	toEntries,
	toObject,
	type JsonObject,
	type JsonValue,
	type TypeSchema,
} from '../../../schema/index.ts'
import { compare } from './compare.ts'
import { FieldSet } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { withoutManagers } from './managed-fields.ts'

/** Where `kubectl apply` without `--server-side` keeps what it applied last. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The fields of the last-applied annotation that still have the values applied: kubectl takes
 * these over without a conflict when it goes from client-side to server-side apply.
 */
export function lastAppliedFields(
	live: JsonObject,
	{ schema, apiVersion }: { readonly schema: TypeSchema; readonly apiVersion: string },
): FieldSet {
	const text = annotationsOf(live)?.get(LAST_APPLIED)
	const last = typeof text === 'string' ? parseObject(text) : undefined
	if (last === undefined || property(last, 'apiVersion') !== apiVersion) return FieldSet.EMPTY
	const { added, modified, removed } = compare(last, withoutManagers(live), schema)
	return fieldsOf(last, schema).difference(modified).difference(added).difference(removed)
}

/** An annotation that is there is kept true, so that a client-side apply later on knows what was applied. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
	const annotations = annotationsOf(object)
	const text = annotations?.get(LAST_APPLIED)
	if (annotations === undefined || text === undefined || text === '') return object
	annotations.set(LAST_APPLIED, `${JSON.stringify(sorted(withoutAnnotation(applied)))}\n`)
	return withAnnotations(object, annotations)
}

function withoutAnnotation(applied: JsonObject): JsonObject {
	const annotations = annotationsOf(applied)
	if (!annotations?.delete(LAST_APPLIED)) return applied
	return withAnnotations(applied, annotations)
}

function annotationsOf(object: JsonObject): Map<string, JsonValue> | undefined {
	const metadata = property(object, 'metadata')
	const annotations = isObject(metadata) ? property(metadata, 'annotations') : undefined
	return isObject(annotations) ? toEntries(annotations) : undefined
}

function withAnnotations(object: JsonObject, annotations: Map<string, JsonValue>): JsonObject {
	const metadata = property(object, 'metadata')
	const entries = isObject(metadata) ? toEntries(metadata) : new Map<string, JsonValue>()
	entries.set('annotations', toObject(annotations))
	return toObject(toEntries(object).set('metadata', toObject(entries)))
}

function sorted(value: JsonValue): JsonValue {
	if (isArray(value)) return value.map(sorted)
	if (!isObject(value)) return value
	return toObject(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, item]) => [key, sorted(item)]),
	)
}

function parseObject(text: string): JsonObject | undefined {
	try {
		const value: unknown = JSON.parse(text)
		return isObject(value) ? value : undefined
	} catch {
		return undefined
	}
}
