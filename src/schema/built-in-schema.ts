import { InternalError } from '../errors/index.ts'
import type { JsonValue } from './json.ts'
import { KUBERNETES_SCHEMA } from './kubernetes-schema.ts'
import {
	UNTYPED,
	type Field,
	type ListSchema,
	type MapSchema,
	type ScalarType,
	type TypeSchema,
} from './type-schema.ts'

/** One entry of the generated table; numbers are indexes into it. */
interface TableNode {
	/** s, i, n, b: scalars; x: int-or-string; q: quantity; u: untyped; l: list; m: map */
	readonly t?: string
	readonly o?: string
	/** The values of an enumeration. */
	readonly v?: readonly string[]
	readonly a?: 1
	/** Type of the items of a list, or of the values of a map. */
	readonly e?: number
	readonly l?: ListSchema['listType']
	/** List-map keys of a list; merge key of a field. */
	readonly k?: readonly string[] | string
	readonly r?: readonly string[]
	readonly f?: Readonly<Record<string, number | readonly [number, number]>>
	readonly d?: JsonValue
	readonly p?: string
}

interface Table {
	/** Of Kubernetes, `1.37.2`. */
	readonly version: string
	readonly nodes: readonly TableNode[]
	readonly kinds: Readonly<Record<string, Readonly<Record<string, number>>>>
	readonly meta: number
}

const SCALARS: Readonly<Record<string, ScalarType>> = {
	s: 'string',
	i: 'integer',
	n: 'number',
	b: 'boolean',
	x: 'int-or-string',
	q: 'quantity',
}

let parsed: Table | undefined
const decoded = new Map<number, TypeSchema>()

function table(): Table {
	// the one trusted document here: generated, and part of the program
	parsed ??= JSON.parse(KUBERNETES_SCHEMA) as Table
	return parsed
}

function nodeAt(index: number): TableNode {
	const node = table().nodes[index]
	if (node === undefined) throw new InternalError(`the schema table has no entry ${index}`)
	return node
}

/** Types refer to each other in circles, so that what a type refers to is decoded when asked for. */
function decode(index: number): TypeSchema {
	const known = decoded.get(index)
	if (known !== undefined) return known
	const schema = decodeNode(nodeAt(index))
	decoded.set(index, schema)
	return schema
}

function decodeNode(node: TableNode): TypeSchema {
	const { t, e } = node
	if (t === 'l') {
		return {
			kind: 'list',
			listType: node.l ?? 'atomic',
			keys: Array.isArray(node.k) ? node.k : [],
			get items() {
				return e === undefined ? UNTYPED : decode(e)
			},
		}
	}
	if (t === 'm') {
		return {
			kind: 'map',
			mapType: node.a === 1 ? 'atomic' : 'granular',
			fields: new Map(Object.entries(node.f ?? {}).map(([name, of]) => [name, decodeField(of)])),
			required: node.r ?? [],
			get values() {
				return e === undefined ? undefined : decode(e)
			},
		}
	}
	const type = t === undefined ? undefined : SCALARS[t]
	return type === undefined ? UNTYPED : { kind: 'scalar', type, format: node.o, values: node.v }
}

function decodeField(of: number | readonly [number, number]): Field {
	const [index, extraIndex] = typeof of === 'number' ? [of] : of
	const extra: TableNode = extraIndex === undefined ? {} : nodeAt(extraIndex)
	return {
		get schema() {
			const schema = decode(index)
			return extra.a === 1 && schema.kind === 'map' ? atomic(schema) : schema
		},
		default: extra.d,
		patchStrategies: extra.p?.split(',') ?? [],
		patchMergeKey: typeof extra.k === 'string' ? extra.k : undefined,
	}
}

function atomic(schema: MapSchema): MapSchema {
	return { ...schema, mapType: 'atomic' }
}

/**
 * The type of a kind that is part of Kubernetes, `undefined` for any other. The table is parsed
 * at the first call.
 */
export function builtInSchema(apiVersion: string, kind: string): TypeSchema | undefined {
	const { kinds } = table()
	const ofVersion = Object.hasOwn(kinds, apiVersion) ? kinds[apiVersion] : undefined
	const index = ofVersion !== undefined && Object.hasOwn(ofVersion, kind) ? ofVersion[kind] : undefined
	return index === undefined ? undefined : decode(index)
}

/** Version of Kubernetes that the built-in types are of, `1.37.2`. */
export function builtInVersion(): string {
	return table().version
}

/** The kinds of an apiVersion that is part of Kubernetes; `undefined` for any other. */
export function builtInKinds(apiVersion: string): readonly string[] | undefined {
	const { kinds } = table()
	const ofVersion = Object.hasOwn(kinds, apiVersion) ? kinds[apiVersion] : undefined
	return ofVersion && Object.keys(ofVersion)
}

/** The apiVersions that are part of Kubernetes and serve a kind. */
export function builtInVersionsOf(kind: string): readonly string[] {
	return Object.entries(table().kinds).flatMap(([apiVersion, kinds]) =>
		Object.hasOwn(kinds, kind) ? [apiVersion] : [],
	)
}

/** Whether Kubernetes itself has this group; the empty one is core. */
export function isBuiltInGroup(group: string): boolean {
	return Object.keys(table().kinds).some((apiVersion) =>
		group === '' ? !apiVersion.includes('/') : apiVersion.startsWith(`${group}/`),
	)
}

/**
 * The type of a kind. Of a kind that is not part of Kubernetes only the metadata is known: the
 * rest is untyped (maps granular, lists atomic).
 */
export function schemaOf(apiVersion: string, kind: string): TypeSchema {
	return builtInSchema(apiVersion, kind) ?? withObjectFields({ values: UNTYPED })
}

/** A whole object: `apiVersion`, `kind` and `metadata` beside fields of its own. */
export function withObjectFields(own: {
	readonly fields?: ReadonlyMap<string, Field>
	readonly required?: readonly string[]
	readonly values?: TypeSchema | undefined
}): MapSchema {
	const text: Field = { schema: { kind: 'scalar', type: 'string' }, patchStrategies: [] }
	return {
		kind: 'map',
		mapType: 'granular',
		fields: new Map([
			...(own.fields ?? []),
			['apiVersion', text],
			['kind', text],
			['metadata', { schema: decode(table().meta), patchStrategies: [] }],
		]),
		required: own.required ?? [],
		values: own.values,
	}
}
