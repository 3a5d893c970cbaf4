import type { KubeObject } from '../../cluster/index.ts'
import type { NewCondition } from './conditions.ts'
import type { Discovery } from './discovery.ts'
import { keyOf, keyText, withMetadata } from './resource-key.ts'
import { withTrackingId } from './tracking.ts'

export interface Targets {
	readonly objects: readonly KubeObject[]
	readonly conditions: readonly NewCondition[]
}

/**
 * The manifests as they are applied: in the destination's namespace where they name
 * none, without one where their kind has none, with the tracking id (definitions carry
 * none), each object once, the last one winning.
 * @see controller/state.go NormalizeTargetObjects
 */
export async function normalizeTargets(
	manifests: readonly KubeObject[],
	context: {
		readonly application: string
		readonly namespace: string
		readonly discovery: Discovery
	},
): Promise<Targets> {
	const byKey = new Map<string, { readonly object: KubeObject; readonly count: number }>()
	for (const [index, manifest] of manifests.entries()) {
		const scope = (await context.discovery.scopeOf(manifest)) ?? 'namespaced'
		const own = manifest.metadata.namespace ?? ''
		const namespace = scope === 'cluster' ? '' : own === '' ? context.namespace : own
		const { namespace: _, ...metadata } = manifest.metadata
		const placed: KubeObject = {
			...manifest,
			metadata: { ...metadata, ...(namespace !== '' && { namespace }) },
		}
		const object = manifest.kind === 'CustomResourceDefinition' ? placed : withTrackingId(placed, context)
		const { generateName } = manifest.metadata as { readonly generateName?: string }
		const unnamed = manifest.metadata.name === undefined || manifest.metadata.name === ''
		const key = keyText(
			keyOf(unnamed ? withMetadata(object, { name: `${generateName ?? ''}${index}` }) : object),
		)
		byKey.set(key, { object, count: (byKey.get(key)?.count ?? 0) + 1 })
	}
	const repeated = [...byKey].filter(([, { count }]) => count > 1)
	return {
		objects: [...byKey.values()].map(({ object }) => object),
		conditions: repeated.map(([key, { count }]) => ({
			type: 'RepeatedResourceWarning',
			message: `Resource ${key} appeared ${count} times among application resources.`,
		})),
	}
}
