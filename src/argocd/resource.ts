/** What an object that Argo CD would deploy is called, and where it stands. */
export interface ResourceIdentity {
	/** Empty for the core group. */
	readonly group: string
	readonly version: string
	readonly kind: string
	/** As written; Argo CD puts namespaced objects without one into the destination's. */
	readonly namespace?: string | undefined
	/** Empty where the manifest has none. */
	readonly name: string
	/** Path inside the artifact; absent for a rendered object that does not say. */
	readonly file?: string | undefined
	/** First line of the document, from 1. */
	readonly line?: number | undefined
}

/** An object that Argo CD would deploy. */
export interface DeployedResource extends ResourceIdentity {
	readonly object: Readonly<Record<string, unknown>>
}

export type PlainObject = Readonly<Record<string, unknown>>

export function isPlainObject(value: unknown): value is PlainObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Where an object stands. */
export interface Origin {
	readonly file?: string | undefined
	readonly line?: number | undefined
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The resources in a document: itself, or the items of a list. @see argo-cd reposerver/repository/repository.go GenerateManifests */
export function resourcesOf(object: PlainObject, origin: Origin = {}): readonly DeployedResource[] {
	const { items } = object
	if (Array.isArray(items))
		return items.filter((item) => isPlainObject(item)).map((item) => resourceOf(item, origin))
	if (items === null && !('spec' in object) && !('status' in object)) return []
	return [resourceOf(object, origin)]
}

function resourceOf(object: PlainObject, origin: Origin): DeployedResource {
	const apiVersion = text(object['apiVersion'])
	const slash = apiVersion.indexOf('/')
	const metadata = isPlainObject(object['metadata']) ? object['metadata'] : {}
	const namespace = text(metadata['namespace'])
	return {
		group: slash < 0 ? '' : apiVersion.slice(0, slash),
		version: apiVersion.slice(slash + 1),
		kind: text(object['kind']),
		...(namespace !== '' && { namespace }),
		name: text(metadata['name']),
		...origin,
		object,
	}
}

/** Annotations of an object that are strings. */
export function annotationsOf({ object }: DeployedResource): Readonly<Record<string, string>> {
	const metadata = isPlainObject(object['metadata']) ? object['metadata'] : {}
	const annotations = isPlainObject(metadata['annotations']) ? metadata['annotations'] : {}
	return Object.fromEntries(
		Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
	)
}

/** Argo CD's ResourceKey: `group/Kind/namespace/name`. */
export function resourceKey({ group, kind, namespace = '', name }: ResourceIdentity): string {
	return `${group}/${kind}/${namespace}/${name}`
}
