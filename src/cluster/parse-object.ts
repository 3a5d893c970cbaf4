import * as v from 'valibot'
import { RemoteError } from '../errors/index.ts'
import type { KubeObject } from './objects.ts'

const strings = v.optional(v.record(v.string(), v.string()))

const object = v.looseObject({
	apiVersion: v.string(),
	kind: v.string(),
	metadata: v.looseObject({
		// Bookmarks have none.
		name: v.optional(v.string(), ''),
		namespace: v.optional(v.string()),
		resourceVersion: v.optional(v.string()),
		labels: strings,
		annotations: strings,
		finalizers: v.optional(v.array(v.string())),
	}),
})

/** @throws RemoteError `CLUSTER_FAILED` for what is no Kubernetes object */
export function parseObject(value: unknown): KubeObject {
	const result = v.safeParse(object, value)
	if (result.success) return result.output
	const [issue] = result.issues
	throw new RemoteError(
		'CLUSTER_FAILED',
		`the cluster answers with something that is no object: ${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`,
	)
}

/** Items of a list come without their type. */
export function withType(
	object: unknown,
	{ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): KubeObject {
	return parseObject(typeof object === 'object' && object !== null ? { apiVersion, kind, ...object } : object)
}
