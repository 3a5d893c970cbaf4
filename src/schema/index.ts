export {
	builtInKinds,
	builtInSchema,
	builtInVersion,
	builtInVersionsOf,
	isBuiltInGroup,
	schemaOf,
} from './built-in-schema.ts'
export { checkFields } from './check-fields.ts'
export type { FieldFault, FieldPath } from './check-fields.ts'
export { nextDue, parseCron } from './cron-schedule.ts'
export { schemaOfCrd } from './custom-schema.ts'
export { at, fieldsAt, fieldsOf, isFields, listAt, numberAt, textAt, textsAt } from './fields.ts'
export type { Fields } from './fields.ts'
export { isArray, isObject, jsonEqual, property, toEntries, toObject } from './json.ts'
export type { JsonObject, JsonValue } from './json.ts'
export { selectorMatches } from './label-selector.ts'
export type { Labels } from './label-selector.ts'
export { lifecycleOf } from './lifecycle.ts'
export type { Lifecycle, Release } from './lifecycle.ts'
export { nearestName } from './nearest-name.ts'
export { checkObject } from './object-rules.ts'
export type { ObjectKind } from './object-rules.ts'
export type { StatusCause } from './status-cause.ts'
export { shape } from './structural-schema.ts'
export type { Shaped } from './structural-schema.ts'
export { defaultKeyValues, schemaAt, UNTYPED } from './type-schema.ts'
export type { Field, ListSchema, MapSchema, ScalarSchema, TypeSchema, UntypedSchema } from './type-schema.ts'
