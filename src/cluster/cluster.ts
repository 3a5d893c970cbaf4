import type { KubeObject, ObjectRef, ResourceType } from './objects.ts'

export interface WaitOptions {
	readonly signal?: AbortSignal | undefined
}

export interface ApplyOptions extends WaitOptions {
	readonly fieldManager: string
	/** Takes fields over from other managers instead of failing with a conflict. */
	readonly force?: boolean | undefined
	/** Asks what would come of it, and changes nothing. */
	readonly dryRun?: boolean | undefined
	/** What happens on fields that the API does not know; `Warn`. `Strict` refuses them. */
	readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined
	/** Of an object that names none, and whose kind needs one. */
	readonly namespace?: string | undefined
}

export interface ListOptions extends WaitOptions {
	/** Absent: all namespaces (or a cluster-scoped type). */
	readonly namespace?: string | undefined
	readonly labelSelector?: string | undefined
	/** Only on metadata, such as `metadata.name=x`. */
	readonly fieldSelector?: string | undefined
}

export interface ObjectList {
	readonly items: readonly KubeObject[]
	readonly resourceVersion: string
}

export type WatchEvent =
	| { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
	/** The watch was re-established; `items` is the whole state now. */
	| { readonly type: 'RESYNCED'; readonly items: readonly KubeObject[] }

export const PatchType = {
	json: 'application/json-patch+json',
	merge: 'application/merge-patch+json',
	strategic: 'application/strategic-merge-patch+json',
} as const
export type PatchType = (typeof PatchType)[keyof typeof PatchType]

/**
 * Access to any Kubernetes API, as small as lading can do with. "Not found" is
 * `undefined`; a type the API does not serve counts as not found on reading and
 * throws on writing. All throw RemoteError: `CLUSTER_UNREACHABLE`,
 * `CLUSTER_FAILED`, `UNAUTHENTICATED`, `FORBIDDEN`, `TLS_*`; the Kubernetes
 * `Status` stands in its `wire`, with `reason` as the code of `wire.errors[0]`.
 */
export interface Cluster {
	/** URL of the API server. */
	readonly server: string
	/** Version of Kubernetes, `v1.37.2`. */
	version(options?: WaitOptions): Promise<string>
	get(ref: ObjectRef, options?: WaitOptions): Promise<KubeObject | undefined>
	list(type: ResourceType, options?: ListOptions): Promise<ObjectList>
	create(object: KubeObject, options?: WaitOptions): Promise<KubeObject>
	/** Server-side apply. */
	apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>
	patch(
		ref: ObjectRef,
		patch: unknown,
		options: WaitOptions & { readonly type: PatchType; readonly fieldManager?: string | undefined },
	): Promise<KubeObject | undefined>
	/** Asks for deletion; resolves when the API accepted it, `false` when there was nothing to delete. */
	delete(
		ref: ObjectRef,
		options?: WaitOptions & { readonly propagation?: 'Foreground' | 'Background' | 'Orphan' },
	): Promise<boolean>
	/**
	 * First the present state (`RESYNCED`), then every change, reconnecting until the
	 * signal aborts (then it just ends). Throws only what reconnecting cannot mend.
	 */
	watch(type: ResourceType, options?: ListOptions): AsyncIterable<WatchEvent>
}
