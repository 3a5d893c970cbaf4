import { arrangeAs, encodeSecret } from './as-defined.ts'
import { calloutOf } from './callouts.ts'
import { diffValues, type FieldChange, formatPath } from './diff-values.ts'
import { isSecret, type ManifestObject } from './resources.ts'
import { type PathStep, untyped, type ValueTypes } from './value-types.ts'

/** What makes an object the same object: the version of its API is no part of it. */
export interface ResourceIdentity {
	readonly group: string
	readonly kind: string
	readonly namespace?: string | undefined
	readonly name: string
}

export type ResourceDiff =
	| {
			readonly change: 'added' | 'removed'
			readonly identity: ResourceIdentity
			readonly object: ManifestObject
	  }
	| {
			readonly change: 'changed'
			readonly identity: ResourceIdentity
			/** Values of a `Secret` are masked. */
			readonly fields: readonly FieldChange[]
			/** Both whole; values of a `Secret` are masked. */
			readonly before: ManifestObject
			readonly after: ManifestObject
	  }

/** One line of a difference as text; `output/` gives it its colour. */
export interface DiffLine {
	readonly kind: 'added' | 'removed' | 'changed' | 'reordered'
	/** 0 for a resource, 1 for a field of it. */
	readonly depth: 0 | 1
	readonly text: string
	/** An image, or a number of replicas: what people look for first. */
	readonly isCalledOut?: boolean | undefined
}

export interface DiffResourcesOptions {
	/** What is known of the types of an object's values; nothing. */
	readonly typesOf?: ((object: ManifestObject) => ValueTypes) | undefined
}

export function identityOf(object: ManifestObject): ResourceIdentity {
	const slash = object.apiVersion.indexOf('/')
	const { name, generateName, namespace } = object.metadata
	return {
		group: slash < 0 ? '' : object.apiVersion.slice(0, slash),
		kind: object.kind,
		...(namespace !== undefined && namespace !== '' && { namespace }),
		name: name === '' ? `${generateName ?? ''}*` : name,
	}
}

/** `Deployment apps web/frontend`-like text that is unique per identity, and sorts by kind, namespace, name. */
function keyOf(identity: ResourceIdentity): string {
	return [identity.kind, identity.group, identity.namespace ?? '', identity.name].join('\u0000')
}

/**
 * What changes between two sets of objects, by resource and field: which file an
 * object stands in, its order and its formatting are no difference. Where a set has an
 * object twice, the last one counts, as when it is applied. Sorted by kind, group,
 * namespace and name. Values of Secrets are masked in every part of the answer.
 */
export function diffResources(
	before: readonly ManifestObject[],
	after: readonly ManifestObject[],
	{ typesOf }: DiffResourcesOptions = {},
): readonly ResourceDiff[] {
	const olds = new Map(before.map((object) => [keyOf(identityOf(object)), object]))
	const nows = new Map(after.map((object) => [keyOf(identityOf(object)), object]))
	const diffs: ResourceDiff[] = []
	for (const key of [...new Set([...olds.keys(), ...nows.keys()])].sort()) {
		const old = olds.get(key)
		const now = nows.get(key)
		if (old === undefined && now !== undefined) {
			diffs.push({ change: 'added', identity: identityOf(now), object: maskSecret(now) })
		} else if (old !== undefined && now === undefined) {
			diffs.push({ change: 'removed', identity: identityOf(old), object: maskSecret(old) })
		} else if (old !== undefined && now !== undefined) {
			const types = typesOf?.(now) ?? untyped
			const [left, right] = alikeSecrets(old, now)
			const fields = diffValues(left, right, types)
			if (fields.length === 0) continue
			const masked = isSecret(old) || isSecret(now) ? fields.map(maskChange) : fields
			diffs.push({
				change: 'changed',
				identity: identityOf(now),
				fields: masked.toSorted((a, b) => rank(a) - rank(b)),
				...maskPair(left, arrangeAs(right, left, types)),
			})
		}
	}
	return diffs
}

/** Plain text in one Secret and the same in base64 in the other is the same to the API server. */
function alikeSecrets(
	before: ManifestObject,
	after: ManifestObject,
): readonly [before: ManifestObject, after: ManifestObject] {
	const isAlike = 'stringData' in before === 'stringData' in after
	return isAlike ? [before, after] : [encodeSecret(before), encodeSecret(after)]
}

/** Images and replicas come first. */
function rank(change: FieldChange): number {
	return calloutOf(change) === undefined ? 1 : 0
}

const MASK = '***'
const OTHER_MASK = '*** (another)'
const SECRET_FIELDS: ReadonlySet<string> = new Set(['data', 'stringData'])
/** kubectl keeps the whole object, values and all, in this annotation. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

function mask(value: unknown): unknown {
	if (isMap(value)) {
		return Object.fromEntries(Object.keys(value).map((key) => [key, MASK]))
	}
	return MASK
}

function maskAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	return Object.hasOwn(annotations, LAST_APPLIED) ? { ...annotations, [LAST_APPLIED]: MASK } : annotations
}

/** The object with every value of `data` and `stringData` replaced, when it is a Secret. */
export function maskSecret(object: ManifestObject): ManifestObject {
	if (!isSecret(object)) return object
	const { annotations } = object.metadata
	return {
		...object,
		...(annotations && { metadata: { ...object.metadata, annotations: maskAnnotations(annotations) } }),
		...Object.fromEntries(
			[...SECRET_FIELDS].filter((field) => field in object).map((field) => [field, mask(object[field])]),
		),
	}
}

/** Both objects; where a value of a Secret is another in `after`, its mask is another too. */
function maskPair(
	before: ManifestObject,
	after: ManifestObject,
): { readonly before: ManifestObject; readonly after: ManifestObject } {
	const masked = maskSecret(after)
	if (!isSecret(after)) return { before: maskSecret(before), after: masked }
	const marked = [...SECRET_FIELDS].flatMap((field) => {
		const [old, now] = [before[field], after[field]]
		if (!isMap(now) || !isMap(old)) return []
		const values = Object.keys(now).map((key) => [
			key,
			key in old && old[key] !== now[key] ? OTHER_MASK : MASK,
		])
		return [[field, Object.fromEntries(values)]]
	})
	return { before: maskSecret(before), after: { ...masked, ...Object.fromEntries(marked) } }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSecretPath(path: readonly PathStep[]): boolean {
	const [first] = path
	if (first?.kind !== 'field') return false
	return (
		SECRET_FIELDS.has(first.name) ||
		(first.name === 'metadata' && path.some((step) => step.kind === 'field' && step.name === LAST_APPLIED))
	)
}

function maskChange(change: FieldChange): FieldChange {
	if (!isSecretPath(change.path)) return withoutLastApplied(change)
	switch (change.kind) {
		case 'added':
			return { ...change, after: mask(change.after) }
		case 'removed':
			return { ...change, before: mask(change.before) }
		case 'changed':
			return { ...change, before: mask(change.before), after: mask(change.after) }
		case 'reordered':
			return change
	}
}

/** Annotations that came or went as a whole carry the last-applied one within. */
function withoutLastApplied(change: FieldChange): FieldChange {
	const [first] = change.path
	if (first?.kind !== 'field' || first.name !== 'metadata' || change.path.length > 2) return change
	const clean = (value: unknown): unknown =>
		JSON.parse(JSON.stringify(value ?? null, (key, each: unknown) => (key === LAST_APPLIED ? MASK : each)))
	switch (change.kind) {
		case 'added':
			return { ...change, after: clean(change.after) }
		case 'removed':
			return { ...change, before: clean(change.before) }
		case 'changed':
			return { ...change, before: clean(change.before), after: clean(change.after) }
		case 'reordered':
			return change
	}
}

const MAX_SHOWN = 200

function show(value: unknown): string {
	const text = JSON.stringify(value) ?? 'null'
	return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`
}

export function formatIdentity(identity: ResourceIdentity): string {
	const kind = identity.group === '' ? identity.kind : `${identity.kind}.${identity.group}`
	return identity.namespace === undefined
		? `${kind} ${identity.name}`
		: `${kind} ${identity.namespace}/${identity.name}`
}

/** A difference as lines of text without markers or colours: a line per resource, then one per field. */
export function formatDiff(diffs: readonly ResourceDiff[]): readonly DiffLine[] {
	return diffs.flatMap((diff): DiffLine[] => {
		const head: DiffLine = { kind: diff.change, depth: 0, text: formatIdentity(diff.identity) }
		return diff.change === 'changed' ? [head, ...diff.fields.map(fieldLine)] : [head]
	})
}

function fieldLine(change: FieldChange): DiffLine {
	const line = { kind: change.kind, depth: 1, text: `${formatPath(change.path)}: ${textOf(change)}` } as const
	return calloutOf(change) === undefined ? line : { ...line, isCalledOut: true }
}

function textOf(change: FieldChange): string {
	switch (change.kind) {
		case 'added':
			return show(change.after)
		case 'removed':
			return show(change.before)
		case 'changed':
			return `${show(change.before)} → ${show(change.after)}`
		case 'reordered':
			return 'in another order'
	}
}
