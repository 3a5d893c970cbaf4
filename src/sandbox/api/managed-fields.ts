import type { KubeObject } from '../../cluster/index.ts'
import { UserError } from '../../errors/index.ts'
import {
	type JsonObject,
	schemaOf,
	schemaOfCrd,
	type StatusCause,
	type TypeSchema,
} from '../../schema/index.ts'
import { type Applied, applyConflictMessage, serverSideApply, updateManagedFields } from './patch/index.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'
import { badRequest, StatusError } from './status-error.ts'

/** The type of a resource's objects, for merging and for who owns which field. */
export function typeOf(resource: ServedResource): TypeSchema {
	if (!resource.custom) return schemaOf(apiVersionOf(resource), resource.kind)
	const { schema } = resource.custom
	if (schema === undefined) return schemaOfCrd(undefined)
	const known = customTypes.get(schema) ?? schemaOfCrd(schema)
	customTypes.set(schema, known)
	return known
}

const customTypes = new WeakMap<object, TypeSchema>()

interface Writing {
	readonly before: KubeObject | undefined
	readonly after: KubeObject
	readonly manager: string
	readonly time: string
	readonly subresource?: string | undefined
}

/** Who owns what after an update, `metadata.managedFields`. */
export function withOwnership(resource: ServedResource, writing: Writing): KubeObject {
	const { before, after, manager, time, subresource } = writing
	return updateManagedFields({
		...(before && { before: before as unknown as JsonObject }),
		after: after as unknown as JsonObject,
		manager,
		operation: 'Update',
		schema: typeOf(resource),
		time,
		apiVersion: apiVersionOf(resource),
		...(subresource !== undefined && { subresource }),
	}) as unknown as KubeObject
}

interface Applying {
	readonly live: KubeObject | undefined
	readonly applied: KubeObject
	readonly manager: string
	readonly force: boolean
	readonly time: string
	readonly subresource?: string | undefined
}

/**
 * Server-side apply.
 * @throws StatusError `Conflict` with every field that another manager owns
 */
export function applied(resource: ServedResource, applying: Applying): KubeObject {
	const { live, applied: configuration, manager, force, time, subresource } = applying
	const outcome = attempt(() =>
		serverSideApply({
			...(live && { live: live as unknown as JsonObject }),
			applied: configuration as unknown as JsonObject,
			manager,
			force,
			schema: typeOf(resource),
			time,
			apiVersion: apiVersionOf(resource),
			...(subresource !== undefined && { subresource }),
		}),
	)
	if ('object' in outcome) return outcome.object as unknown as KubeObject
	const causes = outcome.conflicts.map(({ message, field }): StatusCause => {
		return { reason: 'FieldManagerConflict', message, field }
	})
	throw new StatusError('Conflict', applyConflictMessage(outcome.conflicts), { causes })
}

function attempt(apply: () => Applied): Applied {
	try {
		return apply()
	} catch (error) {
		if (error instanceof UserError) throw badRequest(error.message)
		throw error
	}
}
