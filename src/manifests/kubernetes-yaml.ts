import {
	defineMappingTag,
	defineScalarTag,
	defineSequenceTag,
	NOT_RESOLVED,
	Schema,
	strTag,
	type TagDefinition,
} from 'js-yaml'

/**
 * Most keys that merge keys (`<<`) of one file may copy. Without a bound a small
 * file can ask for billions of copies.
 */
const MAX_MERGED_KEYS = 100_000

const DIGITS = '0123456789'.split('')
const TRUE = new Set(['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'])
const FALSE = new Set(['false', 'False', 'FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'])
const NULL = new Set(['', '~', 'null', 'Null', 'NULL'])
const INFINITE: ReadonlyMap<string, number> = new Map([
	...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((text) => [text, Infinity] as const),
	...['-.inf', '-.Inf', '-.INF'].map((text) => [text, -Infinity] as const),
	...['.nan', '.NaN', '.NAN'].map((text) => [text, NaN] as const),
])

/** Never chosen for writing: lading does not re-serialise what it read. */
const never = (): boolean => false

/** An integer as Go's `strconv.ParseInt(text, 0, 64)` reads it, after underscores were taken out. */
function parseInteger(source: string): number | undefined {
	const text = source.replaceAll('_', '')
	const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text)
	if (!match) return undefined
	const [, sign, hex, binary, octal, decimal = ''] = match
	const digits =
		hex !== undefined
			? `0x${hex}`
			: binary !== undefined
				? `0b${binary}`
				: octal !== undefined
					? `0o${octal}`
					: decimal
	const magnitude = Number(digits)
	// Beyond 64 bits only decimals are numbers (floats) to Kubernetes.
	if (decimal === '' && magnitude >= 2 ** 64 && BigInt(digits) >= 1n << 64n) return undefined
	return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

function parseFloating(source: string): number | undefined {
	const text = source.replaceAll('_', '')
	if (!/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) return undefined
	const value = Number.parseFloat(text)
	return Number.isFinite(value) ? value : undefined
}

/** Kubernetes takes `_` only in what starts like a number: `.5_0` is a string to it. */
function parseNumber(source: string): number | undefined {
	const special = INFINITE.get(source)
	if (special !== undefined) return special
	if (source.startsWith('.') && source.includes('_')) return undefined
	return parseInteger(source) ?? parseFloating(source)
}

const nullTag = defineScalarTag<null>('tag:yaml.org,2002:null', {
	implicit: true,
	implicitFirstChars: ['', '~', 'n', 'N'],
	resolve: (source) => (NULL.has(source) ? null : NOT_RESOLVED),
	identify: never,
})

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
	implicit: true,
	implicitFirstChars: 'yYnNtTfFoO'.split(''),
	resolve: (source) => (TRUE.has(source) ? true : FALSE.has(source) ? false : NOT_RESOLVED),
	identify: never,
})

const numberTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
	implicit: true,
	implicitFirstChars: ['-', '+', '.', ...DIGITS],
	resolve: (source) => parseNumber(source) ?? NOT_RESOLVED,
	identify: never,
})

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
	resolve: (source) => parseInteger(source) ?? NOT_RESOLVED,
	identify: never,
})

/** JSON has no dates: a date is the text it was written as. */
const timestampTag = defineScalarTag<string>('tag:yaml.org,2002:timestamp', {
	resolve: (source) => source,
	identify: never,
})

const binaryTag = defineScalarTag<string>('tag:yaml.org,2002:binary', {
	resolve: (source) => {
		const text = source.replaceAll(/\s/g, '')
		if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return NOT_RESOLVED
		return Buffer.from(text, 'base64').toString('utf8')
	},
	identify: never,
})

const localScalarTag = defineScalarTag<string>('!', {
	matchByTagPrefix: true,
	resolve: (source) => source,
	identify: never,
})

/** What the plain scalar `<<` reads as, until it is seen to be a key or a value. */
const MERGE = Symbol('<<')
const mergeKeyTag = defineScalarTag<symbol>('tag:yaml.org,2002:merge', {
	implicit: true,
	implicitFirstChars: ['<'],
	resolve: (source) => (source === '<<' ? MERGE : NOT_RESOLVED),
	identify: never,
})

type Mapping = Record<string, unknown>

function setKey(mapping: Mapping, key: string, value: unknown): void {
	if (key === '__proto__') {
		Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true })
	} else mapping[key] = value
}

/** The scalar `<<` as a value, and the numbers JSON cannot hold. */
function asValue(value: unknown): unknown {
	return value === MERGE ? '<<' : value
}

function unfit(value: unknown): string {
	return typeof value === 'number' && !Number.isFinite(value)
		? `${Number.isNaN(value) ? '.nan' : '.inf'} cannot be written as JSON: quote it if it is text`
		: ''
}

const isMapping = (value: unknown): value is Mapping =>
	typeof value === 'object' && value !== null && !Array.isArray(value)

interface Budget {
	keys: number
}

/** Kubernetes' parser merges in place: keys merged later win over keys written earlier, in a list the first map wins. */
function merge(mapping: Mapping, value: unknown, budget: Budget): string {
	const sources = Array.isArray(value) ? value.toReversed() : [value]
	for (const source of sources) {
		if (!isMapping(source)) return 'a merge key (<<) needs a map, or a list of maps'
		for (const [key, each] of Object.entries(source)) {
			if (++budget.keys > MAX_MERGED_KEYS) return `merge keys (<<) copy more than ${MAX_MERGED_KEYS} keys`
			setKey(mapping, key, each)
		}
	}
	return ''
}

function isKey(value: unknown): value is string | number | boolean {
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Said of a key that is a map or a list, which js-yaml gives no place. */
export const KEY_UNFIT = 'a key must be text, a number or a boolean'

function addPair(mapping: Mapping, pair: { readonly key: unknown; readonly value: unknown }): string {
	const { key, value } = pair
	if (key === null) return 'a key may not be null'
	if (!isKey(key)) return KEY_UNFIT
	setKey(mapping, String(key), asValue(value))
	return unfit(value)
}

function collectionTags(budget: Budget): readonly TagDefinition[] {
	const mapping = (tagName: string, matchByTagPrefix = false): TagDefinition =>
		defineMappingTag<Mapping>(tagName, {
			matchByTagPrefix,
			create: () => ({}),
			addPair: (carrier, key, value) =>
				key === MERGE ? merge(carrier, value, budget) : addPair(carrier, { key, value }),
			has: (carrier, key) => isKey(key) && Object.hasOwn(carrier, String(key)),
			keys: (carrier) => Object.keys(carrier),
			get: (carrier, key) => carrier[String(key)],
			identify: never,
		})
	const sequence = (tagName: string, matchByTagPrefix = false): TagDefinition =>
		defineSequenceTag<unknown[]>(tagName, {
			matchByTagPrefix,
			create: () => [],
			addItem: (carrier, item) => {
				carrier.push(asValue(item))
				return unfit(item)
			},
			identify: never,
		})
	return [
		mapping('tag:yaml.org,2002:map'),
		mapping('tag:yaml.org,2002:set'),
		mapping('!', true),
		sequence('tag:yaml.org,2002:seq'),
		sequence('tag:yaml.org,2002:omap'),
		sequence('!', true),
	]
}

/**
 * YAML as Kubernetes reads it (`sigs.k8s.io/yaml` over go-yaml 2): YAML 1.1's
 * booleans and octals and 1.2's `0o`, no base 60, no dates, merge keys, and only
 * what JSON can hold. Integers beyond 2^53 lose their last digits, as everywhere
 * in JavaScript; they are only looked at, never written back.
 *
 * A schema counts the keys that were merged, so it serves one file.
 */
export function kubernetesSchema(): Schema {
	return new Schema([
		strTag,
		nullTag,
		boolTag,
		numberTag,
		intTag,
		timestampTag,
		binaryTag,
		localScalarTag,
		// Named so that js-yaml does not take over merging, whose order differs.
		{ ...mergeKeyTag, tagName: 'tag:yaml.org,2002:merge-key' },
		...collectionTags({ keys: 0 }),
	])
}
