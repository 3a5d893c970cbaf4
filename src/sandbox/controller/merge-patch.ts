import { isFields, sameJson } from './object-fields.ts'

/**
 * The merge patch that turns `from` into `to`; `undefined` when they are the same.
 * @see https://www.rfc-editor.org/rfc/rfc7386
 */
export function mergePatchBetween(from: unknown, to: unknown): Readonly<Record<string, unknown>> | undefined {
	if (!isFields(from) || !isFields(to)) return undefined
	const patch: Record<string, unknown> = {}
	for (const key of Object.keys(from)) {
		if (from[key] !== undefined && to[key] === undefined) patch[key] = null
	}
	for (const [key, value] of Object.entries(to)) {
		if (value === undefined || sameJson(from[key], value)) continue
		patch[key] = (isFields(from[key]) ? mergePatchBetween(from[key], value) : undefined) ?? value
	}
	return Object.keys(patch).length === 0 ? undefined : patch
}
