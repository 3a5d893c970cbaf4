import { at, type Fields, isFields, schemaOf, shape } from '../schema/index.ts'
import { type CustomTypes, type CustomVersion, customTypes, typeKey } from './custom-types.ts'
import { pathOfField } from './field-path.ts'
import type { CustomObject, FileInspection } from './inspect-file.ts'
import { causeFault, inspectFields, unknownField } from './inspect-object.ts'
import type { ReleaseRange } from './kubernetes-version.ts'
import type { ObjectFault } from './object-fault.ts'
import { describeMissing, missingReferences } from './references.ts'
import { ValidationRules } from './rules.ts'

export interface JudgeTogetherOptions {
	/** CustomResourceDefinitions from elsewhere; those of the artifact come first. */
	readonly definitions: readonly Fields[]
	readonly releases: ReleaseRange
}

/** All that is wrong with the objects of an artifact: each for itself, then what they are to each other. */
export function judgeTogether(
	inspections: readonly FileInspection[],
	options: JudgeTogetherOptions,
): readonly ObjectFault[] {
	const own = inspections.flatMap(({ definitions }) => definitions)
	const types = customTypes([...own, ...options.definitions])
	const missing = missingReferences(
		inspections.flatMap(({ uses }) => uses),
		inspections.flatMap(({ brought }) => brought),
	).map((each): ObjectFault => ({
		rule: ValidationRules.missingReference,
		message: describeMissing(each),
		place: each.use.place,
		path: each.use.path,
	}))
	return [
		...inspections.flatMap(({ faults }) => faults),
		...judgeCustoms(
			inspections.flatMap(({ customs }) => customs),
			{ types, releases: options.releases },
		),
		...missing,
	]
}

/** The custom resources whose schema is not among these definitions. */
export function withoutSchema(
	inspections: readonly FileInspection[],
	definitions: readonly Fields[],
): readonly CustomObject[] {
	const types = customTypes([...inspections.flatMap((each) => each.definitions), ...definitions])
	return inspections.flatMap(({ customs }) => customs.filter(({ type }) => !types.has(typeKey(type))))
}

interface CustomOptions {
	readonly types: CustomTypes
	readonly releases: ReleaseRange
}

function judgeCustoms(customs: readonly CustomObject[], options: CustomOptions): readonly ObjectFault[] {
	const faults: ObjectFault[] = []
	/** Said once for each kind. */
	const said = new Set<string>()
	const once = (fault: ObjectFault, key: string): void => {
		if (!said.has(key)) faults.push(fault)
		said.add(key)
	}
	for (const custom of customs) {
		const { type, place, object } = custom
		const { apiVersion, kind } = type
		faults.push(
			...inspectFields(object, {
				...options,
				type,
				place,
				schema: schemaOf(apiVersion, kind),
				isCustom: true,
			}),
		)
		const versions = options.types.get(typeKey(type))
		if (versions === undefined) {
			const message = `${kind} of ${apiVersion} is not validated: its schema is not known`
			once({ rule: ValidationRules.noSchema, message, place, path: [] }, `schema ${apiVersion} ${kind}`)
			continue
		}
		const version = versions.get(apiVersion.slice(apiVersion.indexOf('/') + 1))
		if (version?.served !== true) {
			faults.push(notServed(custom, versions))
			continue
		}
		faults.push(...judgeCustom(custom, version))
		if (version.hasRules) {
			const message = `the rules in CEL of ${kind} of ${apiVersion} are not evaluated`
			once({ rule: ValidationRules.notEvaluated, message, place, path: [] }, `cel ${apiVersion} ${kind}`)
		}
	}
	return faults
}

function notServed({ type, place }: CustomObject, versions: ReadonlyMap<string, CustomVersion>): ObjectFault {
	const served = [...versions]
		.filter(([, version]) => version.served)
		.map(([name]) => `${type.group}/${name}`)
	const message = `the definition of ${type.kind} does not serve ${type.apiVersion}, but ${served.join(', ')}`
	return { rule: ValidationRules.unknownKind, message, place, path: ['apiVersion'] }
}

function judgeCustom(
	{ object, type, place }: CustomObject,
	{ schema }: CustomVersion,
): readonly ObjectFault[] {
	if (schema === undefined) return []
	// What stands in the status is not taken from a manifest.
	const { status: _, ...spec } = object
	const { unknown, causes } = shape(spec, schema)
	return [
		...unknown.map((field) => {
			const path = pathOfField(spec, field)
			const known = knownAt(schema, path.slice(0, -1))
			return unknownField(path, { kind: type.kind, place, known })
		}),
		...causes.map((cause) => causeFault(cause, { object: spec, place, rule: ValidationRules.invalid })),
	]
}

/** Names of the fields that a schema has at a path. */
function knownAt(schema: Fields, path: readonly (string | number)[]): readonly string[] {
	let current: unknown = schema
	for (const step of path) {
		current =
			typeof step === 'number'
				? at(current, 'items')
				: (at(current, 'properties', step) ?? at(current, 'additionalProperties'))
	}
	const properties = at(current, 'properties')
	return isFields(properties) ? Object.keys(properties) : []
}
