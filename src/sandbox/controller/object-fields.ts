/** A JSON object whose fields are not known. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of field names, `undefined` where the path ends early. */
export function valueAt(object: unknown, ...path: readonly string[]): unknown {
	let value = object
	for (const name of path) {
		if (!isFields(value)) return undefined
		value = value[name]
	}
	return value
}

export function textAt(object: unknown, ...path: readonly string[]): string {
	const value = valueAt(object, ...path)
	return typeof value === 'string' ? value : ''
}

/** A number, or `undefined`: where Go's zero value is meant, write `?? 0`. */
export function numberAt(object: unknown, ...path: readonly string[]): number | undefined {
	const value = valueAt(object, ...path)
	return typeof value === 'number' ? value : undefined
}

export function listAt(object: unknown, ...path: readonly string[]): readonly unknown[] {
	const value = valueAt(object, ...path)
	return Array.isArray(value) ? value : []
}

export function fieldsAt(object: unknown, ...path: readonly string[]): Fields {
	const value = valueAt(object, ...path)
	return isFields(value) ? value : {}
}

/** API group of an `apiVersion`; the core group is the empty text. */
export function groupOf(apiVersion: string): string {
	const slash = apiVersion.indexOf('/')
	return slash < 0 ? '' : apiVersion.slice(0, slash)
}

export function versionOf(apiVersion: string): string {
	return apiVersion.slice(apiVersion.indexOf('/') + 1)
}

/** Whether two JSON values are the same, whatever the order of their fields. */
export function sameJson(left: unknown, right: unknown): boolean {
	if (left === right) return true
	if (Array.isArray(left) || Array.isArray(right)) {
		if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
		return left.every((each, index) => sameJson(each, right[index]))
	}
	if (!isFields(left) || !isFields(right)) return false
	const keys = Object.keys(left).filter((key) => left[key] !== undefined)
	const others = Object.keys(right).filter((key) => right[key] !== undefined)
	return keys.length === others.length && keys.every((key) => sameJson(left[key], right[key]))
}
