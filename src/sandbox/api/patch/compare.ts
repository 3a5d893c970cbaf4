import {
	isArray,
	isObject,
	jsonEqual,
	property,
	type JsonObject,
	schemaAt,
	UNTYPED,
	type ListSchema,
	type TypeSchema,
} from '../../../schema/index.ts'
import { FieldSetBuilder, type FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { itemsByElement, sharedShape, type Pair } from './shape.ts'

/** What changed between two states of an object. */
export interface Comparison {
	readonly added: FieldSet
	readonly modified: FieldSet
	readonly removed: FieldSet
}

export function compare(before: JsonObject, after: JsonObject, schema: TypeSchema): Comparison {
	const builders = {
		added: new FieldSetBuilder(),
		modified: new FieldSetBuilder(),
		removed: new FieldSetBuilder(),
	}
	compareAt({ before, after }, { schema, path: [], ...builders })
	return {
		added: builders.added.finish(),
		modified: builders.modified.finish(),
		removed: builders.removed.finish(),
	}
}

interface CompareVisit {
	readonly schema: TypeSchema
	readonly path: readonly string[]
	readonly added: FieldSetBuilder
	readonly modified: FieldSetBuilder
	readonly removed: FieldSetBuilder
}

function compareAt(pair: Pair, visit: CompareVisit): void {
	const { before, after } = pair
	const { path, schema } = visit
	const shape = sharedShape(pair, schema)
	if (shape.kind === 'leaf') {
		if (before !== undefined && after !== undefined && !jsonEqual(before, after)) visit.modified.insert(path)
	} else if (shape.kind === 'map') {
		compareMaps(pair, visit)
	} else {
		compareLists(pair, { ...visit, list: shape.list })
	}
	if (before === undefined) visit.added.insert(path)
	else if (after === undefined) visit.removed.insert(path)
}

function compareMaps({ before, after }: Pair, visit: CompareVisit): void {
	const left = isObject(before) ? before : {}
	const right = isObject(after) ? after : {}
	for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
		compareAt(
			{ before: property(left, key), after: property(right, key) },
			{ ...visit, schema: schemaAt(visit.schema, key) ?? UNTYPED, path: [...visit.path, fieldElement(key)] },
		)
	}
}

function compareLists({ before, after }: Pair, visit: CompareVisit & { readonly list: ListSchema }): void {
	const left = itemsByElement(visit.list, isArray(before) ? before : [])
	const right = itemsByElement(visit.list, isArray(after) ? after : [])
	for (const element of new Set([...left.keys(), ...right.keys()])) {
		const [mine, theirs] = [left.get(element) ?? [], right.get(element) ?? []]
		const path = [...visit.path, element]
		if (mine.length <= 1 && theirs.length <= 1) {
			compareAt({ before: mine[0], after: theirs[0] }, { ...visit, schema: visit.list.items, path })
		} else if (!jsonEqual(mine, theirs)) {
			if (mine.length < 2) visit.added.insert(path)
			else if (theirs.length < 2) visit.removed.insert(path)
			else visit.modified.insert(path)
		}
	}
}
