import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isArray, isObject, type JsonValue } from '../../../schema/index.ts'
import { applyJsonPatch, JsonPatchError } from './json-patch.ts'

const cases: readonly (readonly [string, JsonValue, readonly JsonValue[], JsonValue])[] = [
	['adds a member', { foo: 1 }, [{ op: 'add', path: '/baz', value: 2 }], { foo: 1, baz: 2 }],
	['adds an item', { foo: [1, 3] }, [{ op: 'add', path: '/foo/1', value: 2 }], { foo: [1, 2, 3] }],
	['adds at the end', { foo: [1] }, [{ op: 'add', path: '/foo/-', value: [2] }], { foo: [1, [2]] }],
	['removes a member', { baz: 1, foo: 2 }, [{ op: 'remove', path: '/baz' }], { foo: 2 }],
	['removes an item', { foo: [1, 2, 3] }, [{ op: 'remove', path: '/foo/1' }], { foo: [1, 3] }],
	['replaces a value', { a: 1 }, [{ op: 'replace', path: '/a', value: null }], { a: null }],
	['replaces the document', { a: 1 }, [{ op: 'replace', path: '', value: 2 }], 2],
	[
		'moves a value',
		{ a: { b: 1 }, c: {} },
		[{ op: 'move', from: '/a/b', path: '/c/d' }],
		{ a: {}, c: { d: 1 } },
	],
	['moves an item', { a: [1, 2, 3] }, [{ op: 'move', from: '/a/0', path: '/a/2' }], { a: [2, 3, 1] }],
	['moves onto itself', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
	['copies a value', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
	[
		'tests without regard to key order',
		{ a: { x: 1, y: 2 } },
		[{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
		{ a: { x: 1, y: 2 } },
	],
	[
		'reads ~1 and ~0, in that order',
		{ 'a/b': 1, '~1': 2 },
		[
			{ op: 'remove', path: '/a~1b' },
			{ op: 'test', path: '/~01', value: 2 },
		],
		{ '~1': 2 },
	],
	[
		'ignores members it does not know',
		{ a: 1 },
		[{ op: 'add', path: '/b', value: 2, xyz: 3 }],
		{ a: 1, b: 2 },
	],
	['adds over an existing member', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
	['takes the empty key', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
]

const faults: readonly (readonly [string, JsonValue, JsonValue, string, number | undefined])[] = [
	['no list', {}, { op: 'add' }, 'malformed', undefined],
	['an unknown operation', {}, [{ op: 'insert', path: '/a', value: 1 }], 'malformed', 0],
	['no value', {}, [{ op: 'add', path: '/a' }], 'malformed', 0],
	['no from', {}, [{ op: 'move', path: '/a' }], 'malformed', 0],
	['a path that is no pointer', {}, [{ op: 'remove', path: 'a' }], 'malformed', 0],
	['a bad escape', {}, [{ op: 'remove', path: '/a~2' }], 'malformed', 0],
	['an absent parent', { a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }], 'path', 0],
	['an absent member to remove', {}, [{ op: 'remove', path: '/a' }], 'path', 0],
	['an absent member to replace', {}, [{ op: 'replace', path: '/a', value: 1 }], 'path', 0],
	['an index too high', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], 'path', 0],
	['an index with a leading zero', { a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], 'path', 0],
	['"-" of no addition', { a: [1] }, [{ op: 'remove', path: '/a/-' }], 'path', 0],
	['a move into itself', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b' }], 'path', 0],
	[
		'a test that fails',
		{ a: 1 },
		[
			{ op: 'test', path: '/a', value: 1 },
			{ op: 'test', path: '/a', value: '1' },
		],
		'test',
		1,
	],
	['an inherited member', {}, [{ op: 'test', path: '/constructor', value: 1 }], 'path', 0],
]

const json = fc.jsonValue({ maxDepth: 4, depthSize: 'small' }) as fc.Arbitrary<JsonValue>

describe('applyJsonPatch', () => {
	it.each(cases)('%s', (_, document, patch, expected) => {
		const before = structuredClone(document)
		expect(applyJsonPatch(document, patch)).toEqual(expected)
		expect(document).toEqual(before)
	})

	it.each(faults)('refuses %s', (_, document, patch, fault, index) => {
		const error = errorOf(() => applyJsonPatch(document, patch))
		expect(error).toBeInstanceOf(JsonPatchError)
		expect(error).toMatchObject({ code: 'OBJECT_INVALID', fault, index })
	})

	it('bounds what copies may add', () => {
		const patch: JsonValue[] = [{ op: 'add', path: '/a', value: 'x'.repeat(1000) }]
		for (let index = 0; index < 30; index++) patch.push({ op: 'copy', from: '', path: `/c${index}` })
		expect(() => applyJsonPatch({}, patch)).toThrow(/copies more than/)
	})

	it('treats __proto__ as a key like any other', () => {
		const patched = applyJsonPatch(JSON.parse('{"a":{}}') as JsonValue, [
			{ op: 'add', path: '/__proto__', value: { polluted: true } },
			{ op: 'add', path: '/a/constructor', value: 1 },
		])
		expect(JSON.stringify(patched)).toBe('{"a":{"constructor":1},"__proto__":{"polluted":true}}')
		expect(Object.getPrototypeOf(patched)).toBe(Object.prototype)
		expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
	})

	it('brings any document to any other by the operations between them', () => {
		fc.assert(
			fc.property(json, json, (from, to) => {
				expect(JSON.parse(JSON.stringify(applyJsonPatch(from, difference(from, to, ''))))).toEqual(
					JSON.parse(JSON.stringify(to)),
				)
			}),
		)
	})
})

function errorOf(act: () => unknown): unknown {
	try {
		return act()
	} catch (error) {
		return error
	}
}

/** A patch from one document to another, member by member. */
function difference(from: JsonValue, to: JsonValue, path: string): JsonValue[] {
	if (isObject(from) && isObject(to)) {
		const patch: JsonValue[] = []
		for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
			const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
			const [mine, theirs] = [
				Object.getOwnPropertyDescriptor(from, key),
				Object.getOwnPropertyDescriptor(to, key),
			]
			if (theirs === undefined) patch.push({ op: 'remove', path: at })
			else if (mine === undefined) patch.push({ op: 'add', path: at, value: theirs.value as JsonValue })
			else patch.push(...difference(mine.value as JsonValue, theirs.value as JsonValue, at))
		}
		return patch
	}
	if (isArray(from) && isArray(to)) {
		const patch = from.slice(to.length).map((): JsonValue => ({ op: 'remove', path: `${path}/${to.length}` }))
		for (const [index, item] of to.entries()) {
			const mine = from[index]
			if (mine === undefined) patch.push({ op: 'add', path: `${path}/-`, value: item })
			else patch.push(...difference(mine, item, `${path}/${index}`))
		}
		return patch
	}
	return [{ op: 'replace', path, value: to }]
}
