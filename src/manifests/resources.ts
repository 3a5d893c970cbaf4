import type { ParsedDocument } from './parse-manifests.ts'

/**
 * A Kubernetes object as a manifest has it: `name` may be absent where there is a
 * `generateName`. One with a name fits `KubeObject` of `cluster/`.
 */
export interface ManifestObject {
	readonly apiVersion: string
	readonly kind: string
	readonly metadata: {
		readonly name: string
		readonly generateName?: string | undefined
		readonly namespace?: string | undefined
		readonly labels?: Readonly<Record<string, string>> | undefined
		readonly annotations?: Readonly<Record<string, string>> | undefined
	}
	readonly [field: string]: unknown
}

/** An object, and where it is written. */
export interface Resource {
	readonly object: ManifestObject
	readonly path: string
	/** Line of the document, from 1. */
	readonly line: number
	/** Position in the `items` of a `List`. */
	readonly item?: number | undefined
}

/** Why a document (or an item of a list) is no Kubernetes object. */
export type NotAResourceReason =
	| 'not-a-map'
	| 'no-apiVersion'
	| 'no-kind'
	| 'no-metadata'
	| 'no-name'
	| 'bad-metadata'

export interface NotAResource {
	readonly path: string
	readonly line: number
	readonly item?: number | undefined
	readonly reason: NotAResourceReason
	/** As much as is known of it. */
	readonly apiVersion?: string | undefined
	readonly kind?: string | undefined
}

export interface Resources {
	readonly resources: readonly Resource[]
	readonly others: readonly NotAResource[]
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * The Kubernetes objects among documents, in their order; a `List` (any kind that ends
 * in `List` and has `items`) counts as its items, which take its group and kind where
 * they have none, as Kubernetes' typed lists do. An object with `generateName` only has
 * the name `''`.
 */
export function toResources(documents: readonly ParsedDocument[]): Resources {
	const resources: Resource[] = []
	const others: NotAResource[] = []
	for (const document of documents) {
		const where = { path: document.path, line: document.line }
		const list = itemsOf(document.value)
		const values = list ?? [document.value]
		for (const [index, value] of values.entries()) {
			const at = list === undefined ? where : { ...where, item: index }
			const object = toObject(value)
			if (typeof object === 'string') others.push({ ...at, reason: object, ...known(value) })
			else resources.push({ ...at, object })
		}
	}
	return { resources, others }
}

function known(value: unknown): Pick<NotAResource, 'apiVersion' | 'kind'> {
	if (!isFields(value)) return {}
	return { apiVersion: text(value['apiVersion']), kind: text(value['kind']) }
}

function itemsOf(value: unknown): readonly unknown[] | undefined {
	if (!isFields(value)) return undefined
	const kind = text(value['kind'])
	const apiVersion = text(value['apiVersion'])
	const items = value['items']
	if (kind === undefined || apiVersion === undefined || !kind.endsWith('List') || !Array.isArray(items)) {
		return undefined
	}
	if (kind === 'List') return items
	const typed = { apiVersion, kind: kind.slice(0, -'List'.length) }
	return items.map((item: unknown) => (isFields(item) ? { ...typed, ...item } : item))
}

function toObject(value: unknown): ManifestObject | NotAResourceReason {
	if (!isFields(value)) return 'not-a-map'
	const apiVersion = text(value['apiVersion'])
	const kind = text(value['kind'])
	const metadata = value['metadata']
	if (apiVersion === undefined) return 'no-apiVersion'
	if (kind === undefined) return 'no-kind'
	if (metadata === undefined || metadata === null) return 'no-metadata'
	if (!isFields(metadata)) return 'bad-metadata'
	const { name, generateName, namespace, labels, annotations } = metadata
	const wellFormed =
		[name, generateName, namespace].every(
			(each) => each === undefined || each === null || typeof each === 'string',
		) && [labels, annotations].every((each) => each === undefined || each === null || isStrings(each))
	if (!wellFormed) return 'bad-metadata'
	if (text(name) === undefined && text(generateName) === undefined) return 'no-name'
	return { ...value, apiVersion, kind, metadata: { ...withoutNulls(metadata), name: text(name) ?? '' } }
}

function withoutNulls(fields: Fields): Fields {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

function isStrings(value: unknown): boolean {
	return isFields(value) && Object.values(value).every((each) => typeof each === 'string')
}

/**
 * The `Secret`s whose data anybody who can pull the artifact can read: base64 is not
 * encryption. Sealed and external secrets are other kinds.
 */
export function plainSecrets(resources: readonly Resource[]): readonly Resource[] {
	return resources.filter(
		({ object }) => isSecret(object) && ['data', 'stringData'].some((field) => hasEntries(object[field])),
	)
}

export function isSecret(object: { readonly apiVersion: string; readonly kind: string }): boolean {
	return object.apiVersion === 'v1' && object.kind === 'Secret'
}

function hasEntries(value: unknown): boolean {
	return isFields(value) && Object.values(value).some((each) => each !== null && each !== '')
}
