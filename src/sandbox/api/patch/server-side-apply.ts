import { UserError } from '../../../errors/index.ts'
import { jsonEqual, type JsonObject, type TypeSchema } from '../../../schema/index.ts'
import { compare, type Comparison } from './compare.ts'
import { emptyObject } from './empty-object.ts'
import { FieldSet } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { lastAppliedFields, withLastApplied } from './last-applied.ts'
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
import { mergeApplied, removeFields } from './merge-applied.ts'
import { formatPath } from './path-element.ts'
import { requireFit } from './require-fit.ts'
import { changedBy } from './update-managed-fields.ts'

/** Who owns what was there before the first bookkeeping. */
const BEFORE_FIRST = 'before-first-apply'

export interface Apply {
	/** The object as it is; absent when the apply creates it. */
	readonly live?: JsonObject | undefined
	/** What is applied: only the fields that the manager has an opinion on. */
	readonly applied: JsonObject
	readonly manager: string
	/** Takes fields over that others own with other values. */
	readonly force: boolean
	readonly schema: TypeSchema
	/** RFC 3339, in seconds. */
	readonly time: string
	/** `group/version` of the request. */
	readonly apiVersion: string
	readonly subresource?: string | undefined
}

/** A field that is applied with another value than its owner's. */
export interface ApplyConflict {
	readonly manager: string
	/** Such as `.spec.template.spec.containers[name="web"].image`. */
	readonly field: string
	/** `conflict with "kubectl-client-side-apply" using apps/v1`: a cause of the API server's Status. */
	readonly message: string
}

export type Applied = { readonly object: JsonObject } | { readonly conflicts: readonly ApplyConflict[] }

/**
 * Server-side apply: the live object with the applied fields over it, without those that the
 * manager applied last time and nobody owns now, and with `metadata.managedFields` brought up to
 * date. Without `force`, a field that another manager owns and that would change is a conflict.
 * An apply that changes nothing gives back the live object, times included.
 * @throws UserError `OBJECT_INVALID` if the applied object does not fit its type or has managed fields
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function serverSideApply(apply: Apply): Applied {
	const { applied, schema } = apply
	if ((managedFieldsOf(applied) ?? []).length > 0) {
		throw new UserError('OBJECT_INVALID', 'metadata.managedFields must be nil', {
			hint: 'Leave metadata.managedFields out of what you apply.',
		})
	}
	requireFit(applied, schema)
	const config = withoutManagers(applied)
	const attempt = attemptApply({ ...apply, applied: config })
	const { live } = apply
	if (apply.manager !== 'kubectl' || live === undefined) return publish(attempt)
	if ('object' in attempt) return { object: withLastApplied(attempt.object, config) }
	const own = lastAppliedFields(live, apply)
	const left = attempt.conflicts
		.map(({ entry, set }) => ({ entry, set: set.difference(own) }))
		.filter(({ set }) => !set.isEmpty)
	if (left.length > 0) return publish({ conflicts: left })
	return publish(attemptApply({ ...apply, applied: config, force: true }))
}

interface SetConflict {
	readonly entry: ManagerEntry
	readonly set: FieldSet
}

type Attempt = { readonly object: JsonObject } | { readonly conflicts: readonly SetConflict[] }

function attemptApply(apply: Apply): Attempt {
	const { applied, manager, schema, time, apiVersion, subresource = '' } = apply
	const live = withoutManagers(apply.live ?? {})
	const before = startingManagers(apply)
	const identity = { manager, operation: 'Apply' as const, apiVersion, subresource }
	const self = identityKey(identity)
	const last = before.get(self)
	const set = fieldsOf(applied, schema)
	const claimed = new Map(before).set(self, { ...identity, set, time: last?.time })

	const merged = mergeApplied(live, applied, schema)
	const pruned = prune(merged, { last: last?.set, managers: claimed, schema })
	// a list that is applied empty is there, even where pruning emptied it
	const object = mergeApplied(pruned, applied, schema)
	const difference = compare(live, object, schema)
	const conflicts = conflictsOf(claimed, difference, self)
	if (conflicts.length > 0 && !apply.force) return { conflicts }

	const owned = withoutUnowned(set)
	const unchanged = jsonEqual(live, object) && last !== undefined && last.set.equals(owned)
	const managers = release(claimed, { conflicts, removed: difference.removed, self })
	const entry: ManagerEntry = { ...identity, set: owned, time: unchanged ? last.time : time }
	return { object: withManagers(object, withoutEmpty(new Map(managers).set(self, entry))) }
}

/** The managers of the live object; if it has none, one that owns all that is there. */
function startingManagers({ live, schema, apiVersion, time }: Apply): Managers {
	if (live === undefined) return new Map()
	const managers = decodeManagers(live)
	if (managers.size > 0) return managers
	const bare = withoutManagers(live)
	const change = { manager: BEFORE_FIRST, apiVersion, subresource: '', schema, time, managers }
	return changedBy(emptyObject(bare, schema), bare, change)
}

interface Pruning {
	readonly last: FieldSet | undefined
	readonly managers: Managers
	readonly schema: TypeSchema
}

/** Takes away what the manager applied last time and neither it nor anybody else owns now. */
function prune(merged: JsonObject, { last, managers, schema }: Pruning): JsonObject {
	if (last === undefined || last.isEmpty) return merged
	const named = (set: FieldSet): FieldSet => set.withNamedFields(schema)
	const present = (object: JsonObject): FieldSet => named(fieldsOf(object, schema))
	const lastFields = named(last)
	const keep = [...managers.values()].map(({ set }) => set).reduce((all, set) => all.union(set))
	const all = present(merged)
	const stripped = removeFields(merged, { remove: lastFields, keep: FieldSet.EMPTY }, schema)
	const unowned = all.difference(present(stripped).union(named(keep)))
	const withOwned = removeFields(merged, { remove: unowned, keep }, schema)
	// what went only because it stood below something that was removed comes back
	const gone = all.difference(present(withOwned)).intersection(lastFields)
	return removeFields(merged, { remove: gone, keep }, schema)
}

function conflictsOf(
	managers: Managers,
	{ modified, added }: Comparison,
	self: string,
): readonly SetConflict[] {
	const changed = modified.union(added)
	return [...managers]
		.filter(([key]) => key !== self)
		.map(([, entry]) => ({ entry, set: entry.set.intersection(changed) }))
		.filter(({ set }) => !set.isEmpty)
}

interface Release {
	readonly conflicts: readonly SetConflict[]
	readonly removed: FieldSet
	readonly self: string
}

/** The other managers lose what was taken over, and what is there no more. */
function release(managers: Managers, { conflicts, removed, self }: Release): Managers {
	const lost = new Map(conflicts.map(({ entry, set }) => [identityKey(entry), set]))
	return new Map(
		[...managers].map(([key, entry]) => {
			if (key === self) return [key, entry]
			const taken = lost.get(key)
			const kept = taken === undefined ? entry.set : entry.set.difference(taken)
			return [key, { ...entry, set: kept.difference(removed) }]
		}),
	)
}

function publish(attempt: Attempt): Applied {
	if ('object' in attempt) return attempt
	const conflicts = attempt.conflicts.flatMap(({ entry, set }) =>
		[...set.paths()].map((path) => ({
			manager: entry.manager,
			field: formatPath(path),
			message: `conflict with ${describe(entry)}`,
		})),
	)
	return { conflicts }
}

function describe({ manager, operation, apiVersion, subresource }: ManagerEntry): string {
	const where = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
	return `${JSON.stringify(manager)}${where}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}

/** The message of the API server's answer of 409: one line for one conflict, else grouped by manager. */
export function applyConflictMessage(conflicts: readonly ApplyConflict[]): string {
	const [only] = conflicts
	if (only !== undefined && conflicts.length === 1) {
		return `Apply failed with 1 conflict: ${only.message}: ${only.field}`
	}
	const messages = [...new Set(conflicts.map(({ message }) => message))].sort()
	const lines = messages.flatMap((message) => [
		`${message.replace(/^conflict /, 'conflicts ')}:`,
		...conflicts.filter((each) => each.message === message).map(({ field }) => `- ${field}`),
	])
	return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}
