/** Which kind of object: Kubernetes' words, `group/version` and `kind`. */
export interface ResourceType {
	readonly apiVersion: string
	readonly kind: string
}

export interface ObjectRef extends ResourceType {
	readonly name: string
	/** Absent for cluster-scoped objects. */
	readonly namespace?: string | undefined
}

export interface OwnerReference {
	readonly apiVersion: string
	readonly kind: string
	readonly name: string
	readonly uid: string
	readonly controller?: boolean | undefined
	readonly blockOwnerDeletion?: boolean | undefined
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
	readonly name: string
	readonly namespace?: string | undefined
	readonly uid?: string | undefined
	readonly resourceVersion?: string | undefined
	readonly generation?: number | undefined
	readonly creationTimestamp?: string | undefined
	readonly deletionTimestamp?: string | undefined
	readonly labels?: Readonly<Record<string, string>> | undefined
	readonly annotations?: Readonly<Record<string, string>> | undefined
	readonly finalizers?: readonly string[] | undefined
	readonly ownerReferences?: readonly OwnerReference[] | undefined
	readonly managedFields?: readonly unknown[] | undefined
}

/** Any Kubernetes object, parsed at the edge. */
export interface KubeObject extends ResourceType {
	readonly metadata: ObjectMeta
	readonly [field: string]: unknown
}

export function refOf(object: KubeObject): ObjectRef {
	const { apiVersion, kind, metadata } = object
	return {
		apiVersion,
		kind,
		name: metadata.name,
		...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
	}
}

/** `Kind namespace/name`, as people read it. */
export function formatRef(ref: ObjectRef): string {
	return ref.namespace === undefined ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`
}
