import { isSecret, type ManifestObject } from './resources.ts'
import { keysOfItems, type PathStep, type ValueTypes } from './value-types.ts'

type Fields = Readonly<Record<string, unknown>>

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Annotations that are written by who deploys, not by the manifest. */
const FOREIGN_ANNOTATIONS: ReadonlySet<string> = new Set([
	LAST_APPLIED,
	'argocd.argoproj.io/tracking-id',
	'deployment.kubernetes.io/revision',
])
/** Of the metadata, all else is written by the server. */
const OWN_METADATA: ReadonlySet<string> = new Set([
	'name',
	'namespace',
	'labels',
	'annotations',
	'finalizers',
	'ownerReferences',
])
/** Who deploys for Argo CD, in `managedFields`. */
const MANAGER = 'argocd-controller'

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object without its status, and without the metadata and annotations that the server and Argo CD write. */
export function withoutServerFields(object: ManifestObject): ManifestObject {
	const { status: _, metadata, ...fields } = object
	const kept = Object.entries(metadata).filter(([name]) => OWN_METADATA.has(name))
	const annotations = Object.entries(metadata.annotations ?? {}).filter(
		([name]) => !FOREIGN_ANNOTATIONS.has(name),
	)
	const { annotations: __, ...others } = Object.fromEntries(kept)
	return {
		...fields,
		apiVersion: object.apiVersion,
		kind: object.kind,
		metadata: {
			...others,
			name: metadata.name,
			...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
		},
	}
}

/**
 * A live object and what a manifest wants of it, both as far as the manifest defines it: what the server has filled
 * in, and what others have set, is in neither. What was deployed and is no longer in the manifest stays in the live one.
 * @see argo-cd gitops-engine/pkg/diff ThreeWayDiff
 */
export function asDefined(
	live: ManifestObject,
	wanted: ManifestObject,
	types: ValueTypes,
): { readonly live: ManifestObject; readonly wanted: ManifestObject } {
	const present = withoutServerFields(live)
	const asked = encodeSecret(withoutServerFields(wanted))
	const deployed = deployedOf(live)
	const kept = project({ live: present, wanted: asked, deployed, path: [], types })
	const needed = withoutUnset(asked, present, { path: [], types })
	return { live: isObject(kept) ? kept : present, wanted: isObject(needed) ? needed : asked }
}

function isObject(value: unknown): value is ManifestObject {
	if (!isFields(value) || !isFields(value['metadata'])) return false
	return [value['apiVersion'], value['kind'], value['metadata']['name']].every(
		(each) => typeof each === 'string',
	)
}

/** What Argo CD has deployed of an object. */
type Deployed =
	/** By the annotation of client-side apply. */
	| { readonly kind: 'value'; readonly value: unknown }
	/** By `fieldsV1` of server-side apply. */
	| { readonly kind: 'owned'; readonly fields: Fields }
	| undefined

function deployedOf({ metadata }: ManifestObject): Deployed {
	const text = metadata.annotations?.[LAST_APPLIED]
	if (text !== undefined) {
		const value = parse(text)
		if (value !== undefined) return { kind: 'value', value }
	}
	const managedFields: unknown = Reflect.get(metadata, 'managedFields')
	const entry: unknown = Array.isArray(managedFields)
		? managedFields.find(
				(each) => isFields(each) && each['manager'] === MANAGER && each['operation'] === 'Apply',
			)
		: undefined
	const fields = isFields(entry) ? entry['fieldsV1'] : undefined
	return isFields(fields) ? { kind: 'owned', fields } : undefined
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

function deployedField(deployed: Deployed, name: string): Deployed {
	if (deployed === undefined) return undefined
	const [holder, key] = deployed.kind === 'value' ? [deployed.value, name] : [deployed.fields, `f:${name}`]
	if (!isFields(holder) || !Object.hasOwn(holder, key)) return undefined
	const value = holder[key]
	if (deployed.kind === 'value') return { kind: 'value', value }
	return { kind: 'owned', fields: isFields(value) ? value : {} }
}

/** What was deployed of an item of a list whose items are told apart by `textOf`. */
function deployedItem(deployed: Deployed, item: unknown, textOf: (item: unknown) => string): Deployed {
	if (deployed === undefined) return undefined
	if (deployed.kind === 'value') {
		const list: readonly unknown[] = Array.isArray(deployed.value) ? deployed.value : []
		const value = list.find((each) => textOf(each) === textOf(item))
		return value === undefined ? undefined : { kind: 'value', value }
	}
	for (const [element, fields] of Object.entries(deployed.fields)) {
		const isIt = element.startsWith('k:')
			? isFields(item) && holds(item, parse(element.slice(2)))
			: element.startsWith('v:') && parse(element.slice(2)) === item
		if (isIt) return { kind: 'owned', fields: isFields(fields) ? fields : {} }
	}
	return undefined
}

function holds(item: Fields, keys: unknown): boolean {
	return isFields(keys) && Object.entries(keys).every(([key, value]) => item[key] === value)
}

interface Place {
	readonly path: readonly PathStep[]
	readonly types: ValueTypes
}

interface Projected extends Place {
	readonly live: unknown
	/** `undefined`: the manifest does not say. */
	readonly wanted: unknown
	readonly deployed: Deployed
}

/** What of a live value is the manifest's business. */
function project({ live, wanted, deployed, path, types }: Projected): unknown {
	if (isFields(live) && (isFields(wanted) || wanted === undefined)) {
		const kept = Object.entries(live).flatMap(([name, value]): readonly [string, unknown][] => {
			const asked = wanted?.[name]
			const before = deployedField(deployed, name)
			if (asked === undefined && before === undefined) return []
			const step: PathStep = { kind: 'field', name }
			return [[name, project({ live: value, wanted: asked, deployed: before, path: [...path, step], types })]]
		})
		// What was deployed as a whole, and has no fields of its own that were.
		return kept.length === 0 && wanted === undefined ? live : Object.fromEntries(kept)
	}
	if (!Array.isArray(live) || !(Array.isArray(wanted) || wanted === undefined)) return live
	const list: readonly unknown[] = live
	const asked: readonly unknown[] = wanted ?? []
	const identity = types.listAt(path)
	const keys = keysOfItems([list, asked], identity)
	if (keys === undefined) {
		return list.map((value, index) => {
			const step: PathStep = { kind: 'index', index }
			const item = asked[index]
			if (item === undefined) return value
			return project({ live: value, wanted: item, deployed: undefined, path: [...path, step], types })
		})
	}
	return list.flatMap((value): readonly unknown[] => {
		const item = asked.find((each) => keys.textOf(each) === keys.textOf(value))
		const before = deployedItem(deployed, value, (each) => keys.textOf(each))
		// Without a type the list is one value, which is the manifest's as a whole.
		if (item === undefined && before === undefined && identity !== undefined) return []
		if (item === undefined) return [value]
		const at = [...path, keys.stepOf(value)]
		return [project({ live: value, wanted: item, deployed: before, path: at, types })]
	})
}

/** What is wanted, without what asks for nothing: `null`, and an empty value that the server keeps as none. */
function withoutUnset(wanted: unknown, live: unknown, { path, types }: Place): unknown {
	if (isFields(wanted)) {
		return Object.fromEntries(
			Object.entries(wanted).flatMap(([name, value]): readonly [string, unknown][] => {
				const present = isFields(live) ? live[name] : undefined
				if (value === null || value === undefined || (present === undefined && isEmpty(value))) return []
				const at = [...path, { kind: 'field', name } as const]
				return [[name, withoutUnset(value, present, { path: at, types })]]
			}),
		)
	}
	if (!Array.isArray(wanted)) return wanted
	const asked: readonly unknown[] = wanted
	const list: readonly unknown[] = Array.isArray(live) ? live : []
	const keys = keysOfItems([asked, list], types.listAt(path))
	return asked.map((value, index) => {
		const present = keys ? list.find((each) => keys.textOf(each) === keys.textOf(value)) : list[index]
		const step = keys ? keys.stepOf(value) : ({ kind: 'index', index } as const)
		return withoutUnset(value, present, { path: [...path, step], types })
	})
}

function isEmpty(value: unknown): boolean {
	if (Array.isArray(value)) return value.length === 0
	if (isFields(value)) return Object.values(value).every((each) => each === null || isEmpty(each))
	return value === '' || value === false || value === 0
}

/** A Secret as the server keeps it: its plain text encoded. */
export function encodeSecret(object: ManifestObject): ManifestObject {
	const { stringData, ...rest } = object
	if (!isSecret(object) || !isFields(stringData)) return object
	const encoded = Object.entries(stringData).map(([key, value]) => [
		key,
		Buffer.from(String(value)).toString('base64'),
	])
	const data = { ...(isFields(object['data']) ? object['data'] : {}), ...Object.fromEntries(encoded) }
	return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata, data }
}

/** An object with its fields, and the items of lists whose order means nothing, in the order that they have in another. */
export function arrangeAs(object: ManifestObject, like: ManifestObject, types: ValueTypes): ManifestObject {
	const arranged = arrange(object, like, { path: [], types })
	return isObject(arranged) ? arranged : object
}

function arrange(value: unknown, like: unknown, { path, types }: Place): unknown {
	const below = (step: PathStep): Place => ({ path: [...path, step], types })
	if (isFields(value)) {
		const model = isFields(like) ? like : {}
		const names = [
			...Object.keys(model).filter((name) => Object.hasOwn(value, name)),
			...Object.keys(value).filter((name) => !Object.hasOwn(model, name)),
		]
		return Object.fromEntries(
			names.map((name) => [name, arrange(value[name], model[name], below({ kind: 'field', name }))]),
		)
	}
	if (!Array.isArray(value)) return value
	const items: readonly unknown[] = value
	const models: readonly unknown[] = Array.isArray(like) ? like : []
	const keys = keysOfItems([items, models], types.listAt(path))
	if (keys === undefined)
		return items.map((item, index) => arrange(item, models[index], below({ kind: 'index', index })))
	const order = new Map(models.map((model, index) => [keys.textOf(model), index]))
	const placeOf = (item: unknown): number => order.get(keys.textOf(item)) ?? models.length
	const arranged = keys.isOrdered ? items : items.toSorted((a, b) => placeOf(a) - placeOf(b))
	return arranged.map((item) => arrange(item, models[placeOf(item)], below(keys.stepOf(item))))
}
