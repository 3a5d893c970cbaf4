/** A JSON object whose shape is not known: what a user wrote. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object itself, or an empty one for anything else. */
export function fieldsOf(value: unknown): Fields {
	return isFields(value) ? value : {}
}

/** What stands at a path of keys, `undefined` where it breaks off. */
export function at(value: unknown, ...path: readonly string[]): unknown {
	let current = value
	for (const key of path) {
		if (!isFields(current) || !Object.hasOwn(current, key)) return undefined
		current = current[key]
	}
	return current
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
	const found = at(value, ...path)
	return typeof found === 'string' ? found : undefined
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
	const found = at(value, ...path)
	return typeof found === 'number' ? found : undefined
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
	const found = at(value, ...path)
	return Array.isArray(found) ? found : []
}

export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
	return fieldsOf(at(value, ...path))
}

/** The texts of a map such as labels; other values are left out. */
export function textsAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
	const texts: Record<string, string> = {}
	for (const [key, text] of Object.entries(fieldsAt(value, ...path))) {
		if (typeof text === 'string') texts[key] = text
	}
	return texts
}
