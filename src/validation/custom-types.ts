import { at, type Fields, isFields, listAt, textAt } from '../schema/index.ts'

/** A version of a kind that a CustomResourceDefinition brings. */
export interface CustomVersion {
	/** Absent where it keeps whatever it is given. */
	readonly schema: Fields | undefined
	readonly served: boolean
	/** Whether the schema has rules in CEL. */
	readonly hasRules: boolean
}

/** What CustomResourceDefinitions bring: versions by group and kind. */
export type CustomTypes = ReadonlyMap<string, ReadonlyMap<string, CustomVersion>>

/** Reads definitions of `apiextensions.k8s.io/v1`; of two for one kind the first counts. */
export function customTypes(definitions: readonly Fields[]): CustomTypes {
	const types = new Map<string, ReadonlyMap<string, CustomVersion>>()
	for (const definition of definitions) {
		const key = typeKey({
			group: textAt(definition, 'spec', 'group') ?? '',
			kind: textAt(definition, 'spec', 'names', 'kind') ?? '',
		})
		if (types.has(key)) continue
		types.set(
			key,
			new Map(
				listAt(definition, 'spec', 'versions').map((version) => {
					const schema = at(version, 'schema', 'openAPIV3Schema')
					const known: CustomVersion = {
						schema: isFields(schema) ? schema : undefined,
						served: at(version, 'served') !== false,
						hasRules: hasRules(schema),
					}
					return [textAt(version, 'name') ?? '', known]
				}),
			),
		)
	}
	return types
}

export function typeKey({ group, kind }: { readonly group: string; readonly kind: string }): string {
	return `${group}/${kind}`
}

function hasRules(schema: unknown): boolean {
	if (Array.isArray(schema)) return schema.some((each) => hasRules(each))
	if (!isFields(schema)) return false
	return (
		Array.isArray(schema['x-kubernetes-validations']) || Object.values(schema).some((each) => hasRules(each))
	)
}
