import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../cluster/index.ts'
import { checkObject, type StatusCause } from '../../schema/index.ts'
import { at, fieldsAt } from './fields.ts'
import type { ServedResource } from './resource.ts'

/** What is wrong with an object, in the API's own words; of built-in types the common mistakes only. */
export function validate(resource: ServedResource, object: KubeObject): readonly StatusCause[] {
	return checkObject(
		{ group: resource.group, kind: resource.kind, isCustom: resource.custom !== undefined },
		object,
	)
}

interface Immutable {
	readonly path: readonly string[]
	/** Only once it has a value. */
	readonly onceSet?: true
}

const IMMUTABLE: Readonly<Record<string, readonly Immutable[]>> = {
	'apps/deployments': [{ path: ['spec', 'selector'] }],
	'apps/replicasets': [{ path: ['spec', 'selector'] }],
	'apps/daemonsets': [{ path: ['spec', 'selector'] }],
	'batch/jobs': [
		{ path: ['spec', 'selector'] },
		{ path: ['spec', 'template'] },
		{ path: ['spec', 'completionMode'] },
	],
	'/services': [{ path: ['spec', 'clusterIP'], onceSet: true }],
	'/secrets': [{ path: ['type'] }],
	'storage.k8s.io/storageclasses': [
		{ path: ['provisioner'] },
		{ path: ['parameters'] },
		{ path: ['reclaimPolicy'] },
	],
	'rbac.authorization.k8s.io/rolebindings': [{ path: ['roleRef'] }],
	'rbac.authorization.k8s.io/clusterrolebindings': [{ path: ['roleRef'] }],
	'apiextensions.k8s.io/customresourcedefinitions': [
		{ path: ['spec', 'group'] },
		{ path: ['spec', 'scope'] },
	],
}

const STATEFUL_SET_MUTABLE = new Set([
	'replicas',
	'ordinals',
	'template',
	'updateStrategy',
	'revisionHistoryLimit',
	'persistentVolumeClaimRetentionPolicy',
	'minReadySeconds',
])

/** What an update may not change. */
export function validateUpdate(
	resource: ServedResource,
	before: KubeObject,
	{ after }: { readonly after: KubeObject },
): readonly StatusCause[] {
	const causes: StatusCause[] = []
	for (const { path, onceSet } of IMMUTABLE[resource.storageKey] ?? []) {
		const old = at(before, ...path)
		if (onceSet && (old === undefined || old === '')) continue
		if (!isDeepStrictEqual(old, at(after, ...path)))
			causes.push({
				reason: 'FieldValueInvalid',
				message: `Invalid value: ${JSON.stringify(at(after, ...path))}: field is immutable`,
				field: path.join('.'),
			})
	}
	if (resource.storageKey === 'apps/statefulsets' && changedSpec(before, after)) {
		const allowed =
			"'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
		causes.push({
			reason: 'FieldValueForbidden',
			message: `Forbidden: updates to statefulset spec for fields other than ${allowed} are forbidden`,
			field: 'spec',
		})
	}
	if (
		at(before, 'immutable') === true &&
		(resource.storageKey === '/configmaps' || resource.storageKey === '/secrets')
	) {
		for (const field of ['data', 'binaryData']) {
			if (!isDeepStrictEqual(before[field], after[field])) {
				causes.push({
					reason: 'FieldValueForbidden',
					message: 'Forbidden: field is immutable when `immutable` is set',
					field,
				})
			}
		}
	}
	return causes
}

function changedSpec(before: KubeObject, after: KubeObject): boolean {
	const old = fieldsAt(before, 'spec')
	const renewed = fieldsAt(after, 'spec')
	return [...new Set([...Object.keys(old), ...Object.keys(renewed)])].some(
		(key) => !STATEFUL_SET_MUTABLE.has(key) && !isDeepStrictEqual(old[key], renewed[key]),
	)
}
