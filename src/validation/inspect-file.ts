import type { DocumentRemark } from '../manifests/index.ts'
import { type Fields, isFields, textAt } from '../schema/index.ts'
import { inspectBuiltIn, type ObjectType } from './inspect-object.ts'
import type { ReleaseRange } from './kubernetes-version.ts'
import type { ObjectFault, ObjectPlace } from './object-fault.ts'
import { type Brought, broughtBy, type Use, usesOf } from './references.ts'
import { ValidationRules } from './rules.ts'

/** An object whose schema may stand anywhere. */
export interface CustomObject {
	readonly object: Fields
	readonly type: ObjectType
	readonly place: ObjectPlace
}

/** What is known of a file by itself: plain values, which one thread can send to another. */
export interface FileInspection {
	readonly faults: readonly ObjectFault[]
	readonly uses: readonly Use[]
	readonly brought: readonly Brought[]
	readonly customs: readonly CustomObject[]
	/** CustomResourceDefinitions. */
	readonly definitions: readonly Fields[]
	/** Names of Namespaces. */
	readonly namespaces: readonly string[]
}

/** A document as it was parsed. */
export interface InspectedDocument {
	readonly value: unknown
	readonly line?: number | undefined
	readonly remarks?: readonly DocumentRemark[] | undefined
}

export interface InspectFileOptions {
	/** Absent for what was rendered. */
	readonly file?: string | undefined
	readonly releases: ReleaseRange
}

/** What an API server would say of the objects of one file, each for itself. */
export function inspectFile(
	documents: readonly InspectedDocument[],
	options: InspectFileOptions,
): FileInspection {
	const found = {
		faults: [] as ObjectFault[],
		uses: [] as Use[],
		brought: [] as Brought[],
		customs: [] as CustomObject[],
		definitions: [] as Fields[],
		namespaces: [] as string[],
	}
	for (const { value, line, remarks = [] } of documents) {
		if (!isFields(value)) continue
		const origin = { file: options.file, line }
		for (const { line: at, column } of remarks) {
			found.faults.push({
				rule: ValidationRules.repeatedKey,
				message: 'a key stands in its map twice',
				place: { ...origin, object: nameOf(value) },
				path: [],
				position: { line: at, column },
			})
		}
		const { items } = value
		if (!Array.isArray(items)) inspect(value, origin, { ...options, found })
		else {
			for (const [item, each] of items.entries())
				if (isFields(each)) inspect(each, { ...origin, item }, { ...options, found })
		}
	}
	return found
}

interface Found {
	readonly faults: ObjectFault[]
	readonly uses: Use[]
	readonly brought: Brought[]
	readonly customs: CustomObject[]
	readonly definitions: Fields[]
	readonly namespaces: string[]
}

function inspect(
	object: Fields,
	origin: Omit<ObjectPlace, 'object'>,
	{ releases, found }: InspectFileOptions & { readonly found: Found },
): void {
	const type = typeOf(object)
	// Rules of the acceptance table speak of these.
	if (type === undefined) return
	const place: ObjectPlace = { ...origin, object: nameOf(object) }
	const namespace = textAt(object, 'metadata', 'namespace')
	const identity = { ...type, place, ...(namespace !== undefined && namespace !== '' && { namespace }) }
	const faults = inspectBuiltIn(object, { type, place, releases })
	if (faults === undefined) found.customs.push({ object, type, place })
	else for (const fault of faults) found.faults.push(fault)
	for (const use of usesOf(object, identity)) found.uses.push(use)
	for (const each of broughtBy(object, identity)) found.brought.push(each)
	if (type.group === 'apiextensions.k8s.io' && type.kind === 'CustomResourceDefinition')
		found.definitions.push(object)
	if (type.group === '' && type.kind === 'Namespace')
		found.namespaces.push(textAt(object, 'metadata', 'name') ?? '')
}

export function typeOf(object: Fields): ObjectType | undefined {
	const apiVersion = textAt(object, 'apiVersion') ?? ''
	const kind = textAt(object, 'kind') ?? ''
	if (apiVersion === '' || kind === '') return undefined
	const slash = apiVersion.indexOf('/')
	return { apiVersion, kind, group: slash < 0 ? '' : apiVersion.slice(0, slash) }
}

/** `Deployment shop/web`. */
export function nameOf(object: Fields): string {
	const namespace = textAt(object, 'metadata', 'namespace') ?? ''
	const name = textAt(object, 'metadata', 'name') ?? textAt(object, 'metadata', 'generateName') ?? ''
	return `${textAt(object, 'kind') ?? ''} ${namespace === '' ? '' : `${namespace}/`}${name}`.trim()
}
