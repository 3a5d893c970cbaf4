/** One step of a field path: a key of a map, a place in a list, or the item of a list with that key. */
export type PathStep =
	| { readonly kind: 'field'; readonly name: string }
	| { readonly kind: 'index'; readonly index: number }
	| { readonly kind: 'item'; readonly key: string; readonly value: string }

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

/** Fields that tell the items of a list apart, as Kubernetes' own list-map keys do; the first that fits is taken. */
const ITEM_KEYS: readonly string[] = [
	'name',
	'mountPath',
	'containerPort',
	'port',
	'key',
	'ip',
	'type',
	'topologyKey',
	'path',
	'host',
	'id',
]

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** All differences of two JSON values, in the order of their paths. */
export function diffValues(before: unknown, after: unknown, path: readonly PathStep[] = []): FieldChange[] {
	if (before === after) return []
	if (before === undefined) return [{ kind: 'added', path, after }]
	if (after === undefined) return [{ kind: 'removed', path, before }]
	if (isFields(before) && isFields(after)) return diffMaps({ before, after, path })
	if (Array.isArray(before) && Array.isArray(after)) return diffLists({ before, after, path })
	return [{ kind: 'changed', path, before, after }]
}

interface Pair<T> {
	readonly before: T
	readonly after: T
	readonly path: readonly PathStep[]
}

function own(fields: Fields, name: string): unknown {
	return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function diffMaps({ before, after, path }: Pair<Fields>): FieldChange[] {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
	return names.flatMap((name) =>
		diffValues(own(before, name), own(after, name), [...path, { kind: 'field', name }]),
	)
}

function diffLists({ before, after, path }: Pair<readonly unknown[]>): FieldChange[] {
	const key = ITEM_KEYS.find((each) => isKeyOf(each, before) && isKeyOf(each, after))
	if (key !== undefined) return diffKeyed({ before, after, path }, key)
	const changes: FieldChange[] = []
	for (let index = 0; index < Math.max(before.length, after.length); index++) {
		changes.push(...diffValues(before[index], after[index], [...path, { kind: 'index', index }]))
	}
	return changes
}

/** Whether every item has the field, as text or number, and no two the same. */
function isKeyOf(key: string, list: readonly unknown[]): boolean {
	const seen = new Set<string>()
	for (const item of list) {
		const value = isFields(item) ? own(item, key) : undefined
		if (typeof value !== 'string' && typeof value !== 'number') return false
		seen.add(String(value))
	}
	return seen.size === list.length
}

function byKey(list: readonly unknown[], key: string): ReadonlyMap<string, unknown> {
	return new Map(list.map((item) => [isFields(item) ? String(own(item, key)) : '', item]))
}

function diffKeyed({ before, after, path }: Pair<readonly unknown[]>, key: string): FieldChange[] {
	const left = byKey(before, key)
	const right = byKey(after, key)
	const changes: FieldChange[] = []
	for (const value of new Set([...left.keys(), ...right.keys()])) {
		changes.push(...diffValues(left.get(value), right.get(value), [...path, { kind: 'item', key, value }]))
	}
	const kept = [...left.keys()].filter((value) => right.has(value))
	const keptAfter = [...right.keys()].filter((value) => left.has(value))
	if (kept.some((value, index) => value !== keptAfter[index])) changes.unshift({ kind: 'reordered', path })
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
					return `[${step.key}=${step.value}]`
			}
		})
		.join('')
}
