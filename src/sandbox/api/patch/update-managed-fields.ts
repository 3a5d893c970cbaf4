import { LadingError } from '../../../errors/index.ts'
import { isObject, type JsonObject, type TypeSchema } from '../../../schema/index.ts'
import { compare } from './compare.ts'
import { emptyObject } from './empty-object.ts'
import {
	decodeManagers,
	identityKey,
	managedFieldsOf,
	withManagers,
	withoutEmpty,
	withoutManagers,
	withoutUnowned,
	type ManagerEntry,
	type Managers,
} from './managed-fields.ts'

/** More entries of operation `Update` than these are joined, as the API server does. */
const MAX_UPDATERS = 10
const JOINED_NAME = 'ancient-changes'

export interface ManagedUpdate {
	/** The object as it is; absent when it is created. */
	readonly before?: JsonObject | undefined
	/**
	 * The object as it shall be. Its own `metadata.managedFields`, where there are any, replace
	 * those of `before`; an empty list, or a list of one empty entry, ends the bookkeeping.
	 */
	readonly after: JsonObject
	readonly manager: string
	readonly operation: 'Update'
	readonly schema: TypeSchema
	/** RFC 3339, in seconds. */
	readonly time: string
	/** `group/version` of the request. */
	readonly apiVersion: string
	readonly subresource?: string | undefined
}

/**
 * `after` with the managed fields that a create, update or patch leaves: what it changed belongs
 * to `manager` and to nobody else. Nothing changed: the entries stay as they are, times included.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function updateManagedFields(update: ManagedUpdate): JsonObject {
	const { before, after, schema, subresource = '' } = update
	const managers = managersOf(update)
	if (before !== undefined && managers.size === 0) return withoutManagers(after)
	const start = before === undefined ? emptyObject(after, schema) : withoutManagers(before)
	const changed = changedBy(start, withoutManagers(after), { ...update, subresource, managers })
	return withManagers(after, joinOldest(changed))
}

function managersOf({ before, after, subresource = '' }: ManagedUpdate): Managers {
	const sent = managedFieldsOf(after)
	const live = (): Managers => (before === undefined ? new Map() : readOrNone(before))
	if (subresource !== '' || sent === undefined) return live()
	const [only] = sent
	const reset = sent.length === 0 || (sent.length === 1 && isObject(only) && Object.keys(only).length === 0)
	if (reset) return new Map()
	const managers = readOrNone(after)
	return managers.size === 0 ? live() : managers
}

/** Entries that cannot be read are dropped, not answered: who sends them did not write them. */
function readOrNone(object: JsonObject): Managers {
	try {
		return decodeManagers(object)
	} catch (error) {
		if (error instanceof LadingError && error.code === 'OBJECT_INVALID') return new Map()
		throw error
	}
}

interface Change {
	readonly manager: string
	readonly apiVersion: string
	readonly subresource: string
	readonly schema: TypeSchema
	readonly time: string
	readonly managers: Managers
}

/** The managers after `manager` turned `before` into `after`. */
export function changedBy(before: JsonObject, after: JsonObject, change: Change): Managers {
	const { schema, time, managers } = change
	const { added, modified, removed } = compare(before, after, schema)
	const taken = modified.union(added)
	const others = new Map<string, ManagerEntry>()
	for (const [key, entry] of managers) {
		const set = entry.set.difference(entry.set.intersection(taken)).difference(removed)
		others.set(key, { ...entry, set })
	}
	const owned = withoutUnowned(taken)
	if (owned.isEmpty) return withoutEmpty(others)
	const { manager, apiVersion, subresource } = change
	const identity = { manager: manager || 'unknown', operation: 'Update' as const, apiVersion, subresource }
	const key = identityKey(identity)
	const previous = others.get(key)
	const set = previous === undefined ? owned : previous.set.union(owned)
	return withoutEmpty(others.set(key, { ...identity, set, time }))
}

function joinOldest(managers: Managers): Managers {
	const updaters = [...managers.values()]
		.filter((entry) => entry.operation === 'Update')
		.sort((a, b) => {
			const [left, right] = [a.time ?? '', b.time ?? '']
			if (left !== right) return left < right ? -1 : 1
			return a.manager < b.manager ? -1 : 1
		})
	const result = new Map(managers)
	const firsts = new Map<string, ManagerEntry>()
	let excess = updaters.length - MAX_UPDATERS
	for (const entry of updaters) {
		if (excess <= 0) break
		const joined = { ...entry, manager: JOINED_NAME, subresource: '' }
		const first = firsts.get(entry.apiVersion)
		firsts.set(entry.apiVersion, first ?? entry)
		if (first === undefined) continue
		const key = identityKey(joined)
		const sofar = result.get(key) ?? first
		if (!result.has(key)) result.delete(identityKey(first))
		result.delete(identityKey(entry))
		result.set(key, { ...joined, set: sofar.set.union(entry.set) })
		excess -= 1
	}
	return result
}
