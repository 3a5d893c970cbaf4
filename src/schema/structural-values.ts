import { createContext, Script } from 'node:vm'
import { at, type Fields, isFields, listAt, numberAt, textAt } from './fields.ts'
import { jsonEqual, type JsonValue } from './json.ts'

/** What is wrong with a value, in the words of the API server; the place is the caller's. */
export interface ValueFault {
	readonly reason: string
	readonly message: string
}

const invalid = (value: unknown, why: string): ValueFault => ({
	reason: 'FieldValueInvalid',
	message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
})

/** Enumerations, bounds, patterns and formats of a value whose type is right. */
export function valueFaults(value: unknown, schema: Fields): readonly ValueFault[] {
	return [...enumFaults(value, schema), ...boundFaults(value, schema)]
}

function enumFaults(value: unknown, schema: Fields): readonly ValueFault[] {
	const allowed = listAt(schema, 'enum')
	// A value that came from YAML or JSON, and one of a schema that did.
	if (allowed.length === 0 || allowed.some((each) => jsonEqual(each as JsonValue, value as JsonValue)))
		return []
	const supported = allowed.map((each) => JSON.stringify(each)).join(', ')
	const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`
	return [{ reason: 'FieldValueNotSupported', message }]
}

function boundFaults(value: unknown, schema: Fields): readonly ValueFault[] {
	if (typeof value === 'string') return textFaults(value, schema)
	if (typeof value === 'number') return numberFaults(value, schema)
	if (Array.isArray(value)) return listFaults(value, schema)
	return isFields(value) ? mapFaults(value, schema) : []
}

/** Characters, as Go counts them. */
const lengthOf = (text: string): number => Array.from(text).length

function textFaults(value: string, schema: Fields): readonly ValueFault[] {
	const faults: ValueFault[] = []
	const maximum = numberAt(schema, 'maxLength')
	if (maximum !== undefined && lengthOf(value) > maximum) {
		faults.push({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${maximum} bytes` })
	}
	const minimum = numberAt(schema, 'minLength')
	if (minimum !== undefined && lengthOf(value) < minimum)
		faults.push(invalid(value, `should be at least ${minimum} chars long`))
	const pattern = textAt(schema, 'pattern')
	if (pattern !== undefined && !matches(pattern, value))
		faults.push(invalid(value, `should match '${pattern}'`))
	const format = textAt(schema, 'format') ?? ''
	if (Object.hasOwn(FORMATS, format) && FORMATS[format]?.test(value) === false)
		faults.push(invalid(value, `must be of type ${format}`))
	return faults
}

/** Of the formats that the API server knows, those whose shape says all. */
const FORMATS: Readonly<Record<string, RegExp>> = {
	date: /^\d{4}-\d\d-\d\d$/,
	'date-time': /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?$/,
	uuid: /^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/,
}

/** Milliseconds that a pattern may take: it may be made to take for ever. */
const MAX_PATTERN_MS = 100
/** Patterns that may take so long, before none is tried any more. */
const MAX_SLOW_PATTERNS = 10

const context = createContext(Object.create(null))
const test = new Script('pattern.test(text)')
const compiled = new Map<string, RegExp | undefined>()
let slowPatterns = 0

/**
 * Whether Go's pattern is found in a text; true where it cannot be told, because JavaScript
 * does not know the pattern or does not come to an end with it.
 */
function matches(pattern: string, text: string): boolean {
	if (!compiled.has(pattern)) compiled.set(pattern, compile(pattern))
	const expression = compiled.get(pattern)
	if (expression === undefined || slowPatterns >= MAX_SLOW_PATTERNS) return true
	context['pattern'] = expression
	context['text'] = text
	try {
		return test.runInContext(context, { timeout: MAX_PATTERN_MS }) === true
	} catch {
		// What did not end with one text is not tried with the next: there may be thousands.
		compiled.set(pattern, undefined)
		slowPatterns++
		return true
	}
}

function compile(pattern: string): RegExp | undefined {
	const [, flags = '', rest = pattern] = /^\(\?([is]+)\)(.*)$/s.exec(pattern) ?? []
	// Go's own words, which mean something else in JavaScript or nothing.
	if (/\(\?[a-zA-Z-]+[:)]|\(\?P<|\\[AzZQECpP]|\[\[:/.test(rest)) return undefined
	try {
		return new RegExp(rest, `u${[...new Set(flags)].join('')}`)
	} catch {
		try {
			return new RegExp(rest, [...new Set(flags)].join(''))
		} catch {
			return undefined
		}
	}
}

function numberFaults(value: number, schema: Fields): readonly ValueFault[] {
	const faults: ValueFault[] = []
	const minimum = numberAt(schema, 'minimum')
	const maximum = numberAt(schema, 'maximum')
	const above = at(schema, 'exclusiveMinimum') === true
	const below = at(schema, 'exclusiveMaximum') === true
	if (minimum !== undefined && (value < minimum || (above && value === minimum)))
		faults.push(invalid(value, `should be greater than ${above ? '' : 'or equal to '}${minimum}`))
	if (maximum !== undefined && (value > maximum || (below && value === maximum)))
		faults.push(invalid(value, `should be less than ${below ? '' : 'or equal to '}${maximum}`))
	const factor = numberAt(schema, 'multipleOf')
	if (factor !== undefined && factor > 0 && !isMultiple(value, factor))
		faults.push(invalid(value, `should be a multiple of ${factor}`))
	return faults
}

const isMultiple = (value: number, factor: number): boolean => {
	const quotient = value / factor
	return Math.abs(quotient - Math.round(quotient)) < 1e-9
}

function listFaults(value: readonly unknown[], schema: Fields): readonly ValueFault[] {
	const faults: ValueFault[] = []
	const maximum = numberAt(schema, 'maxItems')
	if (maximum !== undefined && value.length > maximum) {
		const message = `Too many: ${value.length}: must have at most ${maximum} items`
		faults.push({ reason: 'FieldValueTooMany', message })
	}
	const minimum = numberAt(schema, 'minItems')
	if (minimum !== undefined && value.length < minimum)
		faults.push(invalid(value.length, `should have at least ${minimum} items`))
	return faults
}

function mapFaults(value: Fields, schema: Fields): readonly ValueFault[] {
	const faults: ValueFault[] = []
	const count = Object.keys(value).length
	const maximum = numberAt(schema, 'maxProperties')
	if (maximum !== undefined && count > maximum) {
		const message = `Too many: ${count}: must have at most ${maximum} items`
		faults.push({ reason: 'FieldValueTooMany', message })
	}
	const minimum = numberAt(schema, 'minProperties')
	if (minimum !== undefined && count < minimum)
		faults.push(invalid(count, `should have at least ${minimum} properties`))
	return faults
}
