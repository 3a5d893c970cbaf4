import type { FieldPath } from '../schema/index.ts'
import type { ValidationRule } from './rules.ts'

/** Where an object is written. */
export interface ObjectPlace {
	/** Path inside the artifact; absent for what was rendered. */
	readonly file?: string | undefined
	/** Line of its document, from 1. */
	readonly line?: number | undefined
	/** Position in the `items` of a list. */
	readonly item?: number | undefined
	/** `Deployment shop/web`, for people. */
	readonly object: string
}

/** Something that is wrong with one object: plain values, which one thread can send to another. */
export interface ObjectFault {
	readonly rule: ValidationRule
	readonly message: string
	readonly place: ObjectPlace
	/** The field, from the top of the object; empty for the object as a whole. */
	readonly path: FieldPath
	/** Where it is known to stand: line and column in the file, from 1. */
	readonly position?: { readonly line: number; readonly column: number } | undefined
}
