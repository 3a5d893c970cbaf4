/** Why an API server refuses an object: one of the `causes` of its `Status`, in its words. */
export interface StatusCause {
	/** Such as `FieldValueRequired`. */
	readonly reason: string
	readonly message: string
	/** `spec.template.spec.containers[0].name`. */
	readonly field?: string | undefined
}

/** A value that is not one of those that fit. */
export function bad(field: string, value: unknown, why: string): StatusCause {
	return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field }
}

export function missing(field: string, why?: string): StatusCause {
	return {
		reason: 'FieldValueRequired',
		message: why === undefined ? 'Required value' : `Required value: ${why}`,
		field,
	}
}
