import { type FieldPath, isFields } from '../schema/index.ts'

/** `spec.template.spec.containers[0].image`; a key that is no plain word is quoted: `data["a.b"]`. */
export function formatField(path: FieldPath): string {
	return path
		.map((step, index) => {
			if (typeof step === 'number') return `[${step}]`
			if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `[${JSON.stringify(step)}]`
			return index === 0 ? step : `.${step}`
		})
		.join('')
}

/**
 * Where a field stands that the API server names, `spec.containers[0].name`, `data[a.b]` or
 * `.spec.containers[name="web"]`: as far as the object has it, since keys may hold dots.
 */
export function pathOfField(object: unknown, field: string): FieldPath {
	const path: (string | number)[] = []
	let value = object
	let rest = field === '<nil>' ? '' : field
	while (rest !== '') {
		const step = nextStep(value, rest)
		if (step === undefined) break
		path.push(step.key)
		value = step.value
		rest = step.rest
	}
	return path
}

/** The item that `name="web"` or `containerPort=80,protocol="TCP"` names; what it leaves out is a default. */
function indexOfItem(list: readonly unknown[], keys: string): number {
	const pairs = [...keys.matchAll(/([^=,]+)=(?:"([^"]*)"|([^,]*))/g)]
	return list.findIndex((item) =>
		pairs.every(([, key = '', text, bare]) => {
			const value = isFields(item) ? item[key] : undefined
			return value === undefined
				? key !== pairs[0]?.[1]
				: JSON.stringify(value) === (text === undefined ? bare : JSON.stringify(text))
		}),
	)
}

function nextStep(
	value: unknown,
	rest: string,
): { readonly key: string | number; readonly value: unknown; readonly rest: string } | undefined {
	if (Array.isArray(value)) {
		const [written, inside] = /^\[([^\]]*)\]/.exec(rest) ?? []
		if (written === undefined || inside === undefined) return undefined
		const key = /^\d+$/.test(inside) ? Number(inside) : indexOfItem(value, inside)
		return key < 0 ? undefined : { key, value: value[key], rest: rest.slice(written.length) }
	}
	if (!isFields(value)) return undefined
	const text = rest.replace(/^\./, '')
	const keys = Object.keys(value).sort((left, right) => right.length - left.length)
	for (const key of keys) {
		for (const written of [key, `[${key}]`, `[${JSON.stringify(key)}]`]) {
			const after = text.slice(written.length)
			if (text.startsWith(written) && /^(?:$|[.[])/.test(after))
				return { key, value: value[key], rest: after }
		}
	}
	return undefined
}
