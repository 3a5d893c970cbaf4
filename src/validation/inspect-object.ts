import { unreachable } from '../errors/index.ts'
import {
	builtInKinds,
	builtInSchema,
	builtInVersionsOf,
	checkFields,
	checkObject,
	type FieldFault,
	type FieldPath,
	type Fields,
	isBuiltInGroup,
	lifecycleOf,
	nearestName,
	type StatusCause,
	textAt,
	type TypeSchema,
} from '../schema/index.ts'
import { formatField, pathOfField } from './field-path.ts'
import { isNewerThanKnown, type ReleaseRange } from './kubernetes-version.ts'
import type { ObjectFault, ObjectPlace } from './object-fault.ts'
import { ValidationRules, type ValidationRule } from './rules.ts'

export interface ObjectType {
	readonly apiVersion: string
	/** Empty for the core group. */
	readonly group: string
	readonly kind: string
}

export interface InspectOptions {
	readonly type: ObjectType
	readonly place: ObjectPlace
	readonly releases: ReleaseRange
}

/** Of the faults of one object, as many are told. */
const MAX_FAULTS = 50
/** Characters of a value that are told. */
const MAX_VALUE = 60

/** What an API server says to an object of a kind of its own; `undefined` for a custom resource. */
export function inspectBuiltIn(object: Fields, options: InspectOptions): readonly ObjectFault[] | undefined {
	const { type } = options
	const { apiVersion, group, kind } = type
	const schema = builtInSchema(apiVersion, kind)
	const lifecycle = checkLifecycle(options)
	if (schema !== undefined)
		return [...lifecycle, ...inspectFields(object, { ...options, schema, isCustom: false })]
	if (lifecycleOf(apiVersion, kind) !== undefined) return lifecycle
	// A newer release may have a kind that is not known here.
	return isBuiltInGroup(group) && !isNewerThanKnown(options.releases) ? [unknownKind(options)] : undefined
}

/** Types of fields, and where these are right, what else the API server demands. */
export function inspectFields(
	object: Fields,
	options: InspectOptions & { readonly schema: TypeSchema; readonly isCustom: boolean },
): readonly ObjectFault[] {
	const { type, place, schema, isCustom } = options
	// What stands in the status is not taken from a manifest.
	const { status: _, ...spec } = object
	const fields = checkFields(spec, schema)
	const told = fields
		.filter((fault) => !isToldByArgocd(fault.path))
		.slice(0, MAX_FAULTS)
		.map((fault) => toFault(fault, options))
	// The API server decodes an object before it judges it.
	if (fields.some(({ kind }) => kind === 'mistyped' || kind === 'malformed')) return told
	const known = new Set(fields.map(({ path }) => formatField(path)))
	if ((textAt(object, 'metadata', 'name') ?? '') === '') known.add('metadata.name')
	const causes = checkObject({ ...type, isCustom }, object).filter(({ field = '' }) => !known.has(field))
	return [
		...told,
		...causes.map((cause) => causeFault(cause, { object, place, rule: ValidationRules.invalid })),
	]
}

/** Rules of the acceptance table speak of these. */
function isToldByArgocd([first, second, ...rest]: FieldPath): boolean {
	if (first === 'apiVersion' || first === 'kind') return true
	if (first !== 'metadata') return false
	if (second === 'labels' || second === 'annotations') return rest.length > 0
	return second === 'name' || second === 'namespace'
}

/** A refusal in the API server's words as a fault at its place. */
export function causeFault(
	{ field = '', message }: StatusCause,
	options: { readonly object: Fields; readonly place: ObjectPlace; readonly rule: ValidationRule },
): ObjectFault {
	const { object, place, rule } = options
	const told = field === '' || field === '<nil>' ? message : `${field}: ${message}`
	return { rule, message: told, place, path: pathOfField(object, field) }
}

function toFault(fault: FieldFault, { type, place, releases }: InspectOptions): ObjectFault {
	const field = formatField(fault.path)
	const as = (rule: ValidationRule, message: string): ObjectFault => ({
		rule,
		message,
		place,
		path: fault.path,
	})
	switch (fault.kind) {
		case 'unknown':
			return {
				...unknownField(fault.path, { kind: type.kind, place, known: fault.known }),
				...(isNewerThanKnown(releases) && { rule: ValidationRules.unknownFieldYet }),
			}
		case 'mistyped':
			return as(
				ValidationRules.wrongType,
				`${field} must be ${article(fault.wanted)}, not ${article(WORDS[fault.found] ?? fault.found)}`,
			)
		case 'malformed':
			return as(ValidationRules.wrongValue, `${field}: ${fault.why}`)
		case 'unsupported': {
			const meant = nearestName(fault.value, fault.supported)
			const proposal = meant === undefined ? '' : `; did you mean ${meant}?`
			const all = fault.supported.filter((value) => value !== '').join(', ')
			return as(
				ValidationRules.wrongValue,
				`${field}: ${JSON.stringify(fault.value.slice(0, MAX_VALUE))} is none of ${all}${proposal}`,
			)
		}
		case 'missing':
			return as(ValidationRules.missingField, `${field} is missing`)
		default:
			return unreachable(fault)
	}
}

export function unknownField(
	path: FieldPath,
	{
		kind,
		place,
		known,
	}: { readonly kind: string; readonly place: ObjectPlace; readonly known: readonly string[] },
): ObjectFault {
	const meant = nearestName(String(path.at(-1) ?? ''), known)
	const proposal = meant === undefined ? '' : `; did you mean ${meant}?`
	const message = `${formatField(path)} is no field of ${article(kind)}${proposal}`
	return { rule: ValidationRules.unknownField, message, place, path }
}

const WORDS: Readonly<Record<string, string>> = {
	bool: 'boolean',
	array: 'list',
	object: 'map',
	string: 'text',
}

const NAMES: Readonly<Record<string, string>> = { ...WORDS, integer: 'whole number' }

function article(word: string): string {
	// A kind may be called as anything, such as `constructor`.
	const name = (Object.hasOwn(NAMES, word) ? NAMES[word] : undefined) ?? word
	if (name === 'text') return name
	return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

function checkLifecycle({ type, place, releases }: InspectOptions): readonly ObjectFault[] {
	const { apiVersion, kind } = type
	const lifecycle = lifecycleOf(apiVersion, kind)
	if (lifecycle === undefined) return []
	const { introduced, deprecated, removed, replacement } = lifecycle
	const instead = replacement === undefined ? '' : `; use ${nameOf(replacement, kind)}`
	const as = (rule: ValidationRule, what: string): readonly ObjectFault[] => [
		{ rule, message: `${apiVersion} ${kind} ${what}`, place, path: ['apiVersion'] },
	]
	if (removed !== undefined && removed <= releases.oldest)
		return as(ValidationRules.removedApi, `was removed in Kubernetes 1.${removed}${instead}`)
	if (removed !== undefined && removed <= releases.newest)
		return as(ValidationRules.removedLaterApi, `was removed in Kubernetes 1.${removed}${instead}`)
	if (introduced !== undefined && introduced > releases.newest)
		return as(
			ValidationRules.newApi,
			`came with Kubernetes 1.${introduced}, which is newer than 1.${releases.newest}`,
		)
	if (deprecated !== undefined && deprecated <= releases.newest) {
		const until = removed === undefined ? '' : ` and goes with 1.${removed}`
		return as(
			ValidationRules.deprecatedApi,
			`is deprecated since Kubernetes 1.${deprecated}${until}${instead}`,
		)
	}
	return []
}

const nameOf = (to: { readonly apiVersion: string; readonly kind: string }, kind: string): string =>
	to.kind === kind ? to.apiVersion : `${to.kind} of ${to.apiVersion}`

function unknownKind({ type, place }: InspectOptions): ObjectFault {
	const { apiVersion, kind } = type
	const kinds = builtInKinds(apiVersion)
	const elsewhere = builtInVersionsOf(kind)
	const meant = kinds === undefined ? undefined : nearestName(kind, kinds)
	const proposal =
		elsewhere.length > 0
			? `; it is in ${elsewhere.join(', ')}`
			: meant === undefined
				? ''
				: `; did you mean ${meant}?`
	const message =
		kinds === undefined
			? `Kubernetes has no ${apiVersion}${elsewhere.length > 0 ? `; ${kind} is in ${elsewhere.join(', ')}` : ''}`
			: `Kubernetes has no kind ${kind} in ${apiVersion}${proposal}`
	return {
		rule: ValidationRules.unknownKind,
		message,
		place,
		path: kinds === undefined ? ['apiVersion'] : ['kind'],
	}
}
