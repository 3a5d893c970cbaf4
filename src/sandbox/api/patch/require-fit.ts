import { UserError } from '../../../errors/index.ts'
import {
	isArray,
	isObject,
	property,
	type JsonObject,
	type JsonValue,
	schemaAt,
	type ListSchema,
	type TypeSchema,
} from '../../../schema/index.ts'
import { fieldElement, formatPath, requireItemElement } from './path-element.ts'

/**
 * Refuses an object that is to be applied but does not fit its type: a field that the type does
 * not have, a list where a map should be, an item twice or without its keys.
 * @throws UserError `OBJECT_INVALID` with the path
 */
export function requireFit(object: JsonObject, schema: TypeSchema): void {
	fit(object, schema, [])
}

function fit(value: JsonValue, schema: TypeSchema, path: readonly string[]): void {
	if (value === null || schema.kind === 'untyped') return
	if (schema.kind === 'map') {
		if (!isObject(value)) throw misfit(path, `expected map, got ${describe(value)}`)
		for (const key of Object.keys(value)) {
			const at = [...path, fieldElement(key)]
			const field = schemaAt(schema, key)
			if (field === undefined) throw misfit(at, 'field not declared in schema')
			fit(property(value, key) ?? null, field, at)
		}
	} else if (schema.kind === 'list') {
		if (!isArray(value)) throw misfit(path, `expected list, got ${describe(value)}`)
		fitItems(value, schema, path)
	} else if (isObject(value) || isArray(value)) {
		throw misfit(path, `expected ${schema.type}, got ${describe(value)}`)
	} else if (!scalarFits(value, schema.type)) {
		throw misfit(path, `expected ${schema.type}, got ${describe(value)}`)
	}
}

function scalarFits(value: string | number | boolean, type: string): boolean {
	switch (type) {
		case 'string':
			return typeof value === 'string'
		case 'boolean':
			return typeof value === 'boolean'
		case 'integer':
		case 'number':
			return typeof value === 'number'
		default:
			return typeof value !== 'boolean'
	}
}

function fitItems(items: readonly JsonValue[], list: ListSchema, path: readonly string[]): void {
	const seen = new Set<string>()
	for (const [index, item] of items.entries()) {
		if (list.listType === 'atomic') {
			fit(item, list.items, [...path, `i:${index}`])
			continue
		}
		const element = requireItemElement(list, item, path)
		if (seen.has(element)) throw misfit(path, `duplicate entries for key ${formatPath([element])}`)
		seen.add(element)
		fit(item, list.items, [...path, element])
	}
}

function describe(value: JsonValue): string {
	if (isArray(value)) return 'list'
	return isObject(value) ? 'map' : JSON.stringify(value)
}

function misfit(path: readonly string[], message: string): UserError {
	return new UserError(
		'OBJECT_INVALID',
		`failed to create typed patch object: ${formatPath(path)}: ${message}`,
		{
			hint: 'Compare the field with `kubectl explain`.',
		},
	)
}
