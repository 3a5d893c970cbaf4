import type { KubeObject } from '../../cluster/index.ts'
import { LadingError } from '../../errors/index.ts'
import type { JsonObject, JsonValue } from '../../schema/index.ts'
import { typeOf } from './managed-fields.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, JsonPatchError } from './patch/index.ts'
import type { ServedResource } from './resource.ts'
import { badRequest, invalid, StatusError } from './status-error.ts'

export type PatchKind = 'json' | 'merge' | 'strategic'

/**
 * An object after a patch of one of the three kinds.
 * @throws StatusError `BadRequest`, `Invalid`, `UnsupportedMediaType`
 */
export function patched(
	resource: ServedResource,
	live: KubeObject,
	{ kind, patch }: { readonly kind: PatchKind; readonly patch: unknown },
): unknown {
	const object = live as unknown as JsonObject
	try {
		switch (kind) {
			case 'json':
				return applyJsonPatch(object, patch)
			case 'merge':
				return applyMergePatch(object, patch as JsonValue)
			case 'strategic':
				if (resource.custom) {
					throw new StatusError(
						'UnsupportedMediaType',
						'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
					)
				}
				return applyStrategicMergePatch(object, patch as JsonObject, typeOf(resource))
		}
	} catch (error) {
		if (error instanceof StatusError || !(error instanceof LadingError)) throw error
		if (error instanceof JsonPatchError && error.fault !== 'malformed') {
			throw invalid(resource, live.metadata.name, [{ reason: 'FieldValueInvalid', message: error.message }])
		}
		throw badRequest(error.message)
	}
}
