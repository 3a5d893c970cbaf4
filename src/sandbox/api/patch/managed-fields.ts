import * as v from 'valibot'
import { UserError } from '../../../errors/index.ts'
import {
	isArray,
	isObject,
	property,
	toEntries,
	toObject,
	type JsonObject,
	type JsonValue,
} from '../../../schema/index.ts'
import { FieldSet } from './field-set.ts'

export type Operation = 'Apply' | 'Update'

/** Who a managed-fields entry belongs to. An applier is one whatever the version it applies. */
export interface ManagerIdentity {
	readonly manager: string
	readonly operation: Operation
	readonly apiVersion: string
	readonly subresource: string
}

export interface ManagerEntry extends ManagerIdentity {
	readonly set: FieldSet
	/** RFC 3339, in seconds. */
	readonly time?: string | undefined
}

/** The entries of `metadata.managedFields`, by {@link identityKey}. */
export type Managers = ReadonlyMap<string, ManagerEntry>

/** What nobody owns: identity, and what the server writes itself. */
const UNOWNED: FieldSet = FieldSet.of(
	['f:apiVersion'],
	['f:kind'],
	['f:metadata'],
	...[
		'name',
		'namespace',
		'creationTimestamp',
		'selfLink',
		'uid',
		'clusterName',
		'generation',
		'managedFields',
		'resourceVersion',
	].map((name) => ['f:metadata', `f:${name}`]),
)

const entrySchema = v.object({
	manager: v.optional(v.string(), ''),
	operation: v.picklist(['Apply', 'Update']),
	apiVersion: v.pipe(v.string(), v.minLength(1)),
	fieldsType: v.literal('FieldsV1'),
	fieldsV1: v.optional(v.unknown(), {}),
	time: v.optional(v.string()),
	subresource: v.optional(v.string(), ''),
})

export function identityKey(identity: ManagerIdentity): string {
	const { manager, operation, apiVersion, subresource } = identity
	return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

export function withoutUnowned(set: FieldSet): FieldSet {
	return set.difference(UNOWNED)
}

/**
 * The managers of an object.
 * @throws UserError `OBJECT_INVALID` for entries that cannot be read
 */
export function decodeManagers(object: JsonObject): Managers {
	const entries = managedFieldsOf(object) ?? []
	const parsed = v.safeParse(v.array(entrySchema), entries)
	if (!parsed.success) {
		throw new UserError(
			'OBJECT_INVALID',
			`metadata.managedFields${dotPath(parsed.issues[0])}: ${parsed.issues[0].message}`,
			{ hint: 'Leave metadata.managedFields out of the object.' },
		)
	}
	const managers = new Map<string, ManagerEntry>()
	for (const { fieldsV1, fieldsType: _, ...identity } of parsed.output) {
		const set = FieldSet.fromFields(fieldsV1)
		managers.set(identityKey(identity), { ...identity, set })
	}
	return managers
}

function dotPath(issue: v.BaseIssue<unknown>): string {
	const path = v.getDotPath(issue)
	return path === null ? '' : `.${path}`
}

export function managedFieldsOf(object: JsonObject): readonly JsonValue[] | undefined {
	const metadata = property(object, 'metadata')
	const value = isObject(metadata) ? property(metadata, 'managedFields') : undefined
	return isArray(value) ? value : undefined
}

/** The object without `metadata.managedFields`. */
export function withoutManagers(object: JsonObject): JsonObject {
	const metadata = property(object, 'metadata')
	if (!isObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object
	const entries = toEntries(metadata)
	entries.delete('managedFields')
	return toObject(toEntries(object).set('metadata', toObject(entries)))
}

/** The object with these managers as its `metadata.managedFields`; without the field if there are none. */
export function withManagers(object: JsonObject, managers: Managers): JsonObject {
	const bare = withoutManagers(object)
	if (managers.size === 0) return bare
	const metadata = property(bare, 'metadata')
	const entries = isObject(metadata) ? toEntries(metadata) : new Map<string, JsonValue>()
	entries.set('managedFields', [...managers.values()].sort(compareEntries).map(encode))
	return toObject(toEntries(bare).set('metadata', toObject(entries)))
}

function encode(entry: ManagerEntry): JsonObject {
	const { manager, operation, apiVersion, subresource, set, time } = entry
	return {
		manager,
		operation,
		apiVersion,
		...(time !== undefined && { time }),
		fieldsType: 'FieldsV1',
		fieldsV1: set.toFields(),
		...(subresource !== '' && { subresource }),
	}
}

/** Kubernetes' order: operation, time, manager, version, subresource. */
function compareEntries(left: ManagerEntry, right: ManagerEntry): number {
	const keys = ({ operation, time, manager, apiVersion, subresource }: ManagerEntry) => [
		operation,
		time ?? '',
		manager,
		apiVersion,
		subresource,
	]
	const [a, b] = [keys(left), keys(right)]
	for (const [index, key] of a.entries()) {
		const other = b[index] ?? ''
		if (key !== other) return key < other ? -1 : 1
	}
	return 0
}

/** Managers without those that own nothing any more. */
export function withoutEmpty(managers: Iterable<readonly [string, ManagerEntry]>): Managers {
	return new Map([...managers].filter(([, entry]) => !entry.set.isEmpty))
}
