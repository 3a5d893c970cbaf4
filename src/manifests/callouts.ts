import type { FieldChange } from './diff-values.ts'

/** A change that people look for first. */
export type Callout =
	| {
			readonly what: 'image'
			/** Name of the container. */
			readonly container: string
			/** Absent where the container is new. */
			readonly before?: string | undefined
			/** Absent where the container is gone. */
			readonly after?: string | undefined
	  }
	| { readonly what: 'replicas'; readonly before?: number | undefined; readonly after?: number | undefined }

const CONTAINERS: ReadonlySet<string> = new Set(['containers', 'initContainers', 'ephemeralContainers'])

/** What a change of a field is to people: another image, another number of replicas, or nothing of that kind. */
export function calloutOf(change: FieldChange): Callout | undefined {
	const { path } = change
	const before = 'before' in change ? change.before : undefined
	const after = 'after' in change ? change.after : undefined
	const [first, second] = path
	if (path.length === 2 && first?.kind === 'field' && first.name === 'spec' && second?.kind === 'field') {
		if (second.name !== 'replicas' || change.kind === 'reordered') return undefined
		return { what: 'replicas', ...(isNumber(before) && { before }), ...(isNumber(after) && { after }) }
	}
	const at = path.findIndex((step) => step.kind === 'field' && CONTAINERS.has(step.name))
	const item = path[at + 1]
	if (at < 0 || item?.kind !== 'item' || item.key !== 'name') return undefined
	const field = path[at + 2]
	const isWhole = path.length === at + 2
	if (!isWhole && !(path.length === at + 3 && field?.kind === 'field' && field.name === 'image'))
		return undefined
	const [old, now] = isWhole ? [imageOf(before), imageOf(after)] : [before, after]
	return {
		what: 'image',
		container: item.value,
		...(typeof old === 'string' && { before: old }),
		...(typeof now === 'string' && { after: now }),
	}
}

function isNumber(value: unknown): value is number {
	return typeof value === 'number'
}

function imageOf(container: unknown): unknown {
	return typeof container === 'object' && container !== null ? Reflect.get(container, 'image') : undefined
}
