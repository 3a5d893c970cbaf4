import { type ItemKey, keysOfItems, type PathStep, untyped, type ValueTypes } from './value-types.ts'

/** A change of one field. A whole map or list that came or went is one change. */
export type FieldChange =
	| { readonly kind: 'added'; readonly path: readonly PathStep[]; readonly after: unknown }
	| { readonly kind: 'removed'; readonly path: readonly PathStep[]; readonly before: unknown }
	| {
			readonly kind: 'changed'
			readonly path: readonly PathStep[]
			readonly before: unknown
			readonly after: unknown
	  }
	/** The items of a list are the same, in another order. */
	| { readonly kind: 'reordered'; readonly path: readonly PathStep[] }

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * All differences of two JSON values, in the order of their paths. Items of lists are told apart as their types say.
 */
export function diffValues(before: unknown, after: unknown, types: ValueTypes = untyped): FieldChange[] {
	return diffAt({ before, after, path: [], types })
}

interface Pair<T> {
	readonly before: T
	readonly after: T
	readonly path: readonly PathStep[]
	readonly types: ValueTypes
}

function diffAt({ before, after, path, types }: Pair<unknown>): FieldChange[] {
	if (before === after) return []
	if (isNothing(before) && isNothing(after) && types.isSame(path, before, after)) return []
	if (before === undefined) return [{ kind: 'added', path, after }]
	if (after === undefined) return [{ kind: 'removed', path, before }]
	if (isFields(before) && isFields(after)) return diffMaps({ before, after, path, types })
	if (Array.isArray(before) && Array.isArray(after)) return diffLists({ before, after, path, types })
	return types.isSame(path, before, after) ? [] : [{ kind: 'changed', path, before, after }]
}

function isNothing(value: unknown): value is null | undefined {
	return value === undefined || value === null
}

function own(fields: Fields, name: string): unknown {
	return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function diffMaps({ before, after, path, types }: Pair<Fields>): FieldChange[] {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
	return names.flatMap((name) =>
		diffAt({
			before: own(before, name),
			after: own(after, name),
			path: [...path, { kind: 'field', name }],
			types,
		}),
	)
}

function diffLists({ before, after, path, types }: Pair<readonly unknown[]>): FieldChange[] {
	const keys = keysOfItems([before, after], types.listAt(path))
	if (keys !== undefined) return diffKeyed({ before, after, path, types }, keys)
	const changes: FieldChange[] = []
	for (let index = 0; index < Math.max(before.length, after.length); index++) {
		const step: PathStep = { kind: 'index', index }
		changes.push(...diffAt({ before: before[index], after: after[index], path: [...path, step], types }))
	}
	return changes
}

function diffKeyed({ before, after, path, types }: Pair<readonly unknown[]>, keys: ItemKey): FieldChange[] {
	const left = new Map(before.map((item) => [keys.textOf(item), item]))
	const right = new Map(after.map((item) => [keys.textOf(item), item]))
	const changes: FieldChange[] = []
	for (const text of new Set([...left.keys(), ...right.keys()])) {
		const step = keys.stepOf(right.get(text) ?? left.get(text))
		changes.push(...diffAt({ before: left.get(text), after: right.get(text), path: [...path, step], types }))
	}
	const kept = [...left.keys()].filter((text) => right.has(text))
	const keptAfter = [...right.keys()].filter((text) => left.has(text))
	const isReordered = keys.isOrdered && kept.some((text, index) => text !== keptAfter[index])
	if (isReordered) changes.unshift({ kind: 'reordered', path })
	return changes
}

/** `spec.template.spec.containers[name=web].image`; a name that is no plain word is quoted: `data["a.b"]`. */
export function formatPath(path: readonly PathStep[]): string {
	return path
		.map((step, index) => {
			switch (step.kind) {
				case 'field':
					if (!/^[A-Za-z_$][\w$-]*$/.test(step.name)) return `[${JSON.stringify(step.name)}]`
					return index === 0 ? step.name : `.${step.name}`
				case 'index':
					return `[${step.index}]`
				case 'item':
					return `[${[step, ...(step.also ?? [])].map(({ key, value }) => `${key}=${value}`).join(',')}]`
				case 'member':
					return `[=${step.value}]`
			}
		})
		.join('')
}
