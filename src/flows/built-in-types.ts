import type { ListIdentity, ManifestObject, PathStep, ValueTypes } from '../manifests/index.ts'
import {
	builtInSchema,
	defaultKeyValues,
	type Field,
	type ListSchema,
	schemaAt,
	type TypeSchema,
} from '../schema/index.ts'
import { isSameQuantity } from './quantity.ts'

/** What Kubernetes knows of the values of an object; nothing of kinds that are not its own, but of their metadata. */
export function builtInTypes({ apiVersion, kind }: ManifestObject): ValueTypes {
	const schema = builtInSchema(apiVersion, kind)
	return {
		listAt: (path) => (schema === undefined ? undefined : listAt(schema, path)),
		isSame(path, before, after) {
			// The decoder of the API server makes no difference between the two.
			if ((before ?? undefined) === (after ?? undefined)) return schema !== undefined
			const type = schema && at(schema, path)?.schema
			return type?.kind === 'scalar' && type.type === 'quantity' && isSameQuantity(before, after)
		},
	}
}

interface Place {
	readonly schema: TypeSchema
	/** The field that it is the value of. */
	readonly field?: { readonly name: string; readonly type: Field | undefined } | undefined
}

function at(schema: TypeSchema, path: readonly PathStep[]): Place | undefined {
	return path.reduce<Place | undefined>((place, step) => place && below(place.schema, step), { schema })
}

function below(schema: TypeSchema, step: PathStep): Place | undefined {
	if (step.kind !== 'field') return schema.kind === 'list' ? { schema: schema.items } : undefined
	const next = schemaAt(schema, step.name)
	const type = schema.kind === 'map' ? schema.fields.get(step.name) : undefined
	return next && { schema: next, field: { name: step.name, type } }
}

/** Containers that run one after the other, and variables of which one refers to another. */
function isOrderedList(name: string | undefined): (items: readonly unknown[]) => boolean {
	if (name === 'initContainers') return () => true
	if (name === 'env') return (items) => items.some((item) => JSON.stringify(item).includes('$('))
	return () => false
}

function listAt(schema: TypeSchema, path: readonly PathStep[]): ListIdentity | undefined {
	const place = at(schema, path)
	if (place?.schema.kind !== 'list') return undefined
	const { schema: list, field } = place
	const isOrdered = isOrderedList(field?.name)
	if (list.listType === 'map') {
		return { kind: 'map', keys: mainFirst(list, field?.type), defaults: defaultKeyValues(list), isOrdered }
	}
	const key = field?.type?.patchMergeKey
	if (key !== undefined) return { kind: 'map', keys: [key], defaults: new Map(), isOrdered }
	const isMerged = field?.type?.patchStrategies.includes('merge') === true
	return list.listType === 'set' || (isMerged && list.items.kind === 'scalar') ? { kind: 'set' } : undefined
}

/** The keys, the one first by which a strategic merge tells the items apart: `port` before `protocol`. */
function mainFirst({ keys }: ListSchema, field: Field | undefined): readonly string[] {
	const main = field?.patchMergeKey
	return main !== undefined && keys.includes(main) ? [main, ...keys.filter((key) => key !== main)] : keys
}
