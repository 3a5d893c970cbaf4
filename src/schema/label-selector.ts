import { listAt, textAt, textsAt } from './fields.ts'

export type Labels = Readonly<Record<string, string>>

/** Whether the selector in an object (`matchLabels` and `matchExpressions`) takes these labels; an empty one takes all. */
export function selectorMatches(selector: unknown, labels: Labels): boolean {
	const equal = Object.entries(textsAt(selector, 'matchLabels')).every(
		([key, value]) => labels[key] === value,
	)
	return (
		equal && listAt(selector, 'matchExpressions').every((expression) => expressionMatches(expression, labels))
	)
}

function expressionMatches(expression: unknown, labels: Labels): boolean {
	const key = textAt(expression, 'key') ?? ''
	const values = listAt(expression, 'values')
	switch (textAt(expression, 'operator')) {
		case 'In':
			return has(labels, key) && values.includes(labels[key])
		case 'NotIn':
			return !has(labels, key) || !values.includes(labels[key])
		case 'Exists':
			return has(labels, key)
		case 'DoesNotExist':
			return !has(labels, key)
		case undefined:
		default:
			return false
	}
}

function has(labels: Labels, key: string): boolean {
	return Object.hasOwn(labels, key)
}
