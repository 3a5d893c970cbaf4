import type { KubeObject } from '../../cluster/index.ts'
import { at, isFields, numberAt, textAt, withAt, type Fields } from './fields.ts'
import type { ObjectApi, WriteOptions } from './object-api.ts'
import type { JsonObject, JsonValue } from '../../schema/index.ts'
import { applyJsonPatch, applyMergePatch } from './patch/index.ts'
import type { PatchKind } from './patching.ts'
import type { ServedResource } from './resource.ts'
import { formatSelector } from './selectors.ts'
import { badRequest, conflict, invalid } from './status-error.ts'
import type { ObjectKey } from './store.ts'

/** The `autoscaling/v1 Scale` of an object. */
export function scaleOf(resource: ServedResource, object: KubeObject): Fields {
	const paths = resource.scale
	const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
	const selector = paths?.selector && at(object, ...paths.selector)
	const text = typeof selector === 'string' ? selector : formatSelector(selector)
	return {
		kind: 'Scale',
		apiVersion: 'autoscaling/v1',
		metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
		spec: { replicas: numberAt(object, ...(paths?.specReplicas ?? [])) ?? 0 },
		status: {
			replicas: numberAt(object, ...(paths?.statusReplicas ?? [])) ?? 0,
			...(text !== '' && { selector: text }),
		},
	}
}

interface ScaleWrite extends WriteOptions {
	readonly key: ObjectKey
	readonly body: unknown
}

export function updateScale(
	api: ObjectApi,
	resource: ServedResource,
	{ key, body, ...options }: ScaleWrite,
): Fields {
	const replicas = numberAt(body, 'spec', 'replicas') ?? 0
	if (replicas < 0 || !Number.isInteger(replicas)) {
		const message = `Invalid value: ${replicas}: must be greater than or equal to 0`
		throw invalid({ ...resource, kind: 'Scale' }, key.name, [
			{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' },
		])
	}
	const live = api.get(resource, key)
	const resourceVersion = textAt(body, 'metadata', 'resourceVersion')
	if (resourceVersion && resourceVersion !== live.metadata.resourceVersion) throw conflict(resource, key.name)
	const scaled = withAt(live, resource.scale?.specReplicas ?? ['spec', 'replicas'], replicas)
	return scaleOf(resource, api.update(resource, scaled, { ...options, key }))
}

export function patchScale(
	api: ObjectApi,
	resource: ServedResource,
	{ body, kind, ...rest }: ScaleWrite & { readonly kind: PatchKind },
): Fields {
	const scale = scaleOf(resource, api.get(resource, rest.key)) as unknown as JsonObject
	const after = kind === 'json' ? applyJsonPatch(scale, body) : applyMergePatch(scale, body as JsonValue)
	if (!isFields(after)) throw badRequest('the patch does not leave a Scale')
	return updateScale(api, resource, { ...rest, body: after })
}
