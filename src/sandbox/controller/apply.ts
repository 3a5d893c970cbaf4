import type { Cluster, KubeObject } from '../../cluster/index.ts'
import { RemoteError } from '../../errors/index.ts'
import { mergePatchBetween } from './merge-patch.ts'
import { groupOf, isFields } from './object-fields.ts'
import { keyOf, refFrom, withMetadata } from './resource-key.ts'

/** @see argo-cd common.ArgoCDSSAManager */
const FIELD_MANAGER = 'argocd-controller'

/** An annotation, and so what client-side apply writes down about an object, may not be larger, in bytes. */
const MAX_ANNOTATIONS_BYTES = 262_144

export interface ApplyContext {
	readonly cluster: Cluster
	readonly live: KubeObject | undefined
	readonly replace: boolean
	readonly force: boolean
	readonly serverSide: boolean
	readonly signal?: AbortSignal | undefined
}

export interface Applied {
	readonly object: KubeObject
	/** As kubectl says it: `deployment.apps/demo created`. */
	readonly message: string
}

/**
 * Brings one object to its target. Whatever the options say, it is applied on the
 * server: the sandbox keeps what is owned in managed fields instead of in the
 * last-applied annotation. What that annotation would refuse is refused all the same.
 * @throws RemoteError what the cluster answers
 */
export async function applyObject(target: KubeObject, context: ApplyContext): Promise<Applied> {
	const desired = desiredState(target)
	const { cluster, live, signal } = context
	if (context.replace && live !== undefined) return replaceObject(desired, { ...context, live })
	if (!context.serverSide) refuseOversize(desired)
	const object = await cluster.apply(desired, { fieldManager: FIELD_MANAGER, force: true, signal })
	const verb =
		live === undefined
			? 'created'
			: live.metadata.resourceVersion === object.metadata.resourceVersion
				? 'unchanged'
				: 'configured'
	return { object, message: `${resourceName(target)} ${context.serverSide ? 'serverside-applied' : verb}` }
}

/** Asks the API what `target` would become, without making it so. */
export function predict(
	target: KubeObject,
	context: { readonly cluster: Cluster; readonly signal?: AbortSignal | undefined },
): Promise<KubeObject> {
	return context.cluster.apply(desiredState(target), {
		fieldManager: FIELD_MANAGER,
		force: true,
		dryRun: true,
		signal: context.signal,
	})
}

async function replaceObject(
	desired: KubeObject,
	context: ApplyContext & { readonly live: KubeObject },
): Promise<Applied> {
	const { cluster, live, signal } = context
	const ref = refFrom(keyOf(live), desired.apiVersion)
	if (context.force && !['CustomResourceDefinition', 'Namespace'].includes(desired.kind)) {
		await cluster.delete(ref, { propagation: 'Background', signal })
		const object = await cluster.apply(desired, { fieldManager: FIELD_MANAGER, force: true, signal })
		return { object, message: `${resourceName(desired)} replaced` }
	}
	const { uid, resourceVersion, generation, creationTimestamp, managedFields } = live.metadata
	const kept = { uid, resourceVersion, generation, creationTimestamp, managedFields }
	const whole: KubeObject = {
		...withMetadata(desired, kept),
		...('status' in live && { status: live['status'] }),
	}
	const patch = mergePatchBetween(live, whole)
	if (patch === undefined) return { object: live, message: `${resourceName(desired)} replaced` }
	const type = 'application/merge-patch+json'
	const object = await cluster.patch(ref, patch, { type, fieldManager: FIELD_MANAGER, signal })
	return { object: object ?? whole, message: `${resourceName(desired)} replaced` }
}

/**
 * A target as it may be applied: without what only the server writes, without `null`s
 * (which ask for nothing), and with the plain text of a Secret encoded.
 */
export function desiredState(target: KubeObject): KubeObject {
	const { name, namespace, labels, annotations, finalizers, ownerReferences } = target.metadata
	const metadata = { name, namespace, labels, annotations, finalizers, ownerReferences }
	const { status: _, ...fields } = target
	const cleaned = withoutNulls({ ...fields, metadata: { ...metadata } })
	return encodeSecret(cleaned as KubeObject)
}

function withoutNulls(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutNulls)
	if (!isFields(value)) return value
	return Object.fromEntries(
		Object.entries(value)
			.filter(([, each]) => each !== null && each !== undefined)
			.map(([key, each]) => [key, withoutNulls(each)]),
	)
}

function encodeSecret(object: KubeObject): KubeObject {
	const plain = object['stringData']
	if (object.kind !== 'Secret' || groupOf(object.apiVersion) !== '' || !isFields(plain)) return object
	const encoded = Object.entries(plain).map(([key, value]) => [
		key,
		Buffer.from(String(value)).toString('base64'),
	])
	const { stringData: _, ...rest } = object
	const data = { ...(isFields(object['data']) ? object['data'] : {}), ...Object.fromEntries(encoded) }
	return { ...rest, data }
}

function refuseOversize(object: KubeObject): void {
	const size = Buffer.byteLength(JSON.stringify(object))
	if (size <= MAX_ANNOTATIONS_BYTES) return
	const group = groupOf(object.apiVersion)
	const kind = group === '' ? object.kind : `${object.kind}.${group}`
	throw new RemoteError(
		'CLUSTER_FAILED',
		`${kind} "${object.metadata.name}" is invalid: metadata.annotations: Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
		{ hint: 'Set the sync option ServerSideApply=true (lading deploy --server-side).' },
	)
}

/** `deployment.apps/demo`, as kubectl names an object. */
function resourceName(object: KubeObject): string {
	const group = groupOf(object.apiVersion)
	return `${object.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${object.metadata.name}`
}

/** What a cluster answered, in Kubernetes' own words. */
export function clusterMessage(error: unknown): string {
	if (error instanceof RemoteError) return error.wire?.errors?.[0]?.message ?? error.message
	return error instanceof Error ? error.message : String(error)
}

/** `reason` of a Kubernetes Status, such as `NotFound`. */
export function clusterReason(error: unknown): string | undefined {
	return error instanceof RemoteError ? error.wire?.errors?.[0]?.code : undefined
}
