import { isFields, textAt } from './fields.ts'

type Step =
	| { readonly kind: 'key'; readonly key: string }
	| { readonly kind: 'index'; readonly index: number }
	| { readonly kind: 'all' }
	| { readonly kind: 'filter'; readonly path: readonly string[]; readonly value: string }

const STEP =
	/\.((?:[^.[\]\\]|\\.)+)|\['([^']+)'\]|\[(-?\d+)\]|\[(\*)\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]/gy

/**
 * The value at a JSONPath of a printer column: keys, indexes, `[*]` and filters by
 * equality. Of several values they are joined as kubectl does.
 */
export function jsonPathValue(root: unknown, path: string): unknown {
	let values: readonly unknown[] = [root]
	for (const step of parse(path)) values = values.flatMap((value) => take(value, step))
	return values.length > 1
		? values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')
		: values[0]
}

function parse(path: string): readonly Step[] {
	const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`
	return [...text.matchAll(STEP)].map(([, dotted, quoted, index, all, filterPath, filterValue]): Step => {
		if (index !== undefined) return { kind: 'index', index: Number(index) }
		if (all !== undefined) return { kind: 'all' }
		if (filterPath !== undefined)
			return { kind: 'filter', path: filterPath.split('.'), value: filterValue ?? '' }
		return { kind: 'key', key: quoted ?? (dotted ?? '').replace(/\\(.)/g, '$1') }
	})
}

function take(value: unknown, step: Step): readonly unknown[] {
	switch (step.kind) {
		case 'key':
			return isFields(value) && Object.hasOwn(value, step.key) ? [value[step.key]] : []
		case 'index':
			return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : []
		case 'all':
			return Array.isArray(value) ? value : isFields(value) ? Object.values(value) : []
		case 'filter':
			return Array.isArray(value) ? value.filter((item) => textAt(item, ...step.path) === step.value) : []
	}
}
