import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../cluster/index.ts'
import type { Catalog } from './catalog.ts'
import { ClusterAddresses } from './cluster-addresses.ts'
import {
	checkPreconditions,
	finalizersFor,
	graceOf,
	staleUid,
	type Deleted,
	type DeleteRequest,
} from './deletion.ts'
import { fieldsAt, listAt, numberAt, textAt, withMetadata } from './fields.ts'
import { initialState } from './initial-state.ts'
import { pageOf, type Listed, type ListRequest } from './listing.ts'
import { applied, withOwnership } from './managed-fields.ts'
import { patched, type PatchKind } from './patching.ts'
import { decode, parseObject, type Decoding } from './prepare.ts'
import type { ServedResource } from './resource.ts'
import { alreadyExists, badRequest, conflict, invalid, notFound, StatusError } from './status-error.ts'
import type { ObjectKey, Store } from './store.ts'
import {
	bumpsGeneration,
	confined,
	hasGeneration,
	isSameState,
	systemMetadata,
	type Part,
} from './update-rules.ts'
import { validate, validateUpdate } from './validation.ts'

export interface WriteOptions extends Decoding {
	readonly dryRun?: boolean | undefined
	readonly manager?: string | undefined
	/** Changes the status only, or as the namespace controller does the finalizers only. */
	readonly subresource?: Part
	/** `Kind` of bookkeeping: what the sandbox's own controllers write has no owner. */
	readonly unowned?: true | undefined
}

export interface ApplyRequest extends WriteOptions {
	readonly force?: boolean | undefined
}

export interface ApiSurroundings {
	readonly now: () => Date
	readonly uid: () => string
	/** The end of a generated name. */
	readonly suffix: () => string
}

/**
 * Reads and writes objects with the rules of the Kubernetes API: versions,
 * optimistic concurrency, generation, ownership, deletion. Everything is synchronous:
 * a request sees and makes one state.
 */
export class ObjectApi {
	readonly store: Store
	readonly catalog: Catalog
	private readonly surroundings: ApiSurroundings
	private readonly addresses: ClusterAddresses

	constructor(store: Store, catalog: Catalog, surroundings: ApiSurroundings) {
		this.store = store
		this.catalog = catalog
		this.surroundings = surroundings
		this.addresses = new ClusterAddresses(store)
	}

	/** RFC 3339 in whole seconds, as the API writes times. */
	time(): string {
		return this.surroundings
			.now()
			.toISOString()
			.replace(/\.\d+Z$/, 'Z')
	}

	get(resource: ServedResource, key: ObjectKey): KubeObject {
		return resource.decode(this.stored(resource, key))
	}

	list(resource: ServedResource, request: ListRequest): Listed {
		const page = pageOf(this.store.list(resource.storageKey, request.namespace), resource, request)
		return {
			...page,
			items: page.items.map(resource.decode),
			resourceVersion: String(this.store.revision),
		}
	}

	create(
		resource: ServedResource,
		body: unknown,
		options: WriteOptions & { readonly namespace?: string | undefined },
	): KubeObject {
		const parsed = this.placed(resource, parseObject(resource, body), options.namespace)
		const generateName = textAt(parsed, 'metadata', 'generateName')
		const name = parsed.metadata.name || (generateName ? `${generateName}${this.surroundings.suffix()}` : '')
		if (parsed.metadata.resourceVersion)
			throw badRequest('resourceVersion should not be set on objects to be created')
		const fresh = withMetadata(parsed, {
			name,
			uid: this.surroundings.uid(),
			creationTimestamp: this.time(),
			generation: hasGeneration(resource) ? 1 : undefined,
			deletionTimestamp: undefined,
			deletionGracePeriodSeconds: undefined,
			managedFields: undefined,
		})
		this.checkNamespace(resource, fresh)
		return this.insert(resource, fresh, options)
	}

	update(
		resource: ServedResource,
		body: unknown,
		options: WriteOptions & { readonly key: ObjectKey },
	): KubeObject {
		const { key } = options
		const parsed = this.placed(resource, parseObject(resource, body), key.namespace)
		if (parsed.metadata.name !== key.name) {
			throw badRequest(
				`the name of the object (${parsed.metadata.name}) does not match the name on the URL (${key.name})`,
			)
		}
		return this.replace(resource, { before: this.stored(resource, key), after: parsed, options })
	}

	patch(
		resource: ServedResource,
		patch: unknown,
		options: WriteOptions & { readonly key: ObjectKey; readonly kind: PatchKind },
	): KubeObject {
		const before = this.stored(resource, options.key)
		const live = resource.decode(before)
		const after = patched(resource, live, { kind: options.kind, patch })
		return this.replace(resource, { before, after: this.sameObject(resource, live, after), options })
	}

	/** Server-side apply; `created` says whether the object is new. */
	apply(
		resource: ServedResource,
		body: unknown,
		options: ApplyRequest & { readonly key: ObjectKey },
	): { readonly object: KubeObject; readonly created: boolean } {
		const { key, manager, force = false, subresource } = options
		if (!manager)
			throw badRequest(
				'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
			)
		const configuration = this.placed(resource, parseObject(resource, body), key.namespace)
		if (configuration.metadata.name !== key.name)
			throw badRequest('the name of the object does not match the name on the URL')
		if (listAt(configuration, 'metadata', 'managedFields').length > 0) {
			throw badRequest('metadata.managedFields must be nil')
		}
		const before = this.store.get(resource.storageKey, key)
		const live = before && resource.decode(before)
		if (
			before &&
			configuration.metadata.uid !== undefined &&
			configuration.metadata.uid !== before.metadata.uid
		) {
			throw staleUid(resource, { metadata: before.metadata, uid: configuration.metadata.uid })
		}
		const result = applied(resource, {
			live,
			applied: withMetadata(configuration, { resourceVersion: undefined }),
			manager,
			force,
			time: this.time(),
			subresource,
		})
		if (before && live) {
			const checked = withMetadata(result, {
				resourceVersion: configuration.metadata.resourceVersion ?? before.metadata.resourceVersion,
			})
			return {
				object: this.replace(resource, { before, after: checked, options: { ...options, unowned: true } }),
				created: false,
			}
		}
		if (subresource !== undefined || configuration.metadata.uid !== undefined)
			throw notFound(resource, key.name)
		const fresh = withMetadata(result, {
			uid: this.surroundings.uid(),
			creationTimestamp: this.time(),
			generation: hasGeneration(resource) ? 1 : undefined,
		})
		this.checkNamespace(resource, fresh)
		return { object: this.insert(resource, fresh, { ...options, unowned: true }), created: true }
	}

	delete(resource: ServedResource, key: ObjectKey, request: DeleteRequest = {}): Deleted {
		const before = this.stored(resource, key)
		const { metadata } = before
		checkPreconditions(resource, before, request)
		const finalizers = finalizersFor(metadata.finalizers ?? [], request.propagation)
		const graceSeconds = graceOf(resource, before, request.graceSeconds)
		const holdsNamespace =
			resource.storageKey === '/namespaces' && listAt(before, 'spec', 'finalizers').length > 0
		const waits = finalizers.length > 0 || graceSeconds > 0 || holdsNamespace
		if (request.dryRun) return { object: resource.decode(before), gone: !waits }
		if (!waits) {
			const gone = this.store.remove(resource.storageKey, key) ?? before
			return { object: resource.decode(gone), gone: true }
		}
		const marked = withMetadata(before, {
			finalizers: finalizers.length > 0 ? finalizers : undefined,
			deletionTimestamp: metadata.deletionTimestamp ?? this.time(),
			deletionGracePeriodSeconds: graceSeconds,
			...(hasGeneration(resource) &&
				!metadata.deletionTimestamp && { generation: (metadata.generation ?? 0) + 1 }),
		})
		const object =
			resource.storageKey === '/namespaces'
				? { ...marked, status: { ...fieldsAt(marked, 'status'), phase: 'Terminating' } }
				: marked
		return { object: resource.decode(this.write(resource, before, object)), gone: false }
	}

	deleteCollection(resource: ServedResource, request: ListRequest & DeleteRequest): readonly KubeObject[] {
		const { items } = this.list(resource, request)
		return items.map(
			({ metadata: { namespace, name } }) => this.delete(resource, { namespace, name }, request).object,
		)
	}

	/** Changes an object from within, as a controller does: no owner, no optimistic lock. */
	amend(
		resource: ServedResource,
		key: ObjectKey,
		change: (object: KubeObject) => KubeObject,
	): KubeObject | undefined {
		const before = this.store.get(resource.storageKey, key)
		if (before === undefined) return undefined
		const changed = change(before)
		const specChanged = hasGeneration(resource) && !isDeepStrictEqual(before['spec'], changed['spec'])
		const after = specChanged
			? withMetadata(changed, { generation: (before.metadata.generation ?? 0) + 1 })
			: changed
		return this.write(resource, before, after)
	}

	private stored(resource: ServedResource, key: ObjectKey): KubeObject {
		const found = this.store.get(resource.storageKey, key)
		if (found === undefined) throw notFound(resource, key.name)
		return found
	}

	/** The object in the namespace of the request. */
	private placed(resource: ServedResource, object: KubeObject, namespace: string | undefined): KubeObject {
		if (!resource.namespaced) return withMetadata(object, { namespace: undefined })
		const given = object.metadata.namespace
		if (given !== undefined && given !== '' && namespace !== undefined && given !== namespace) {
			throw badRequest(
				'the namespace of the provided object does not match the namespace sent on the request',
			)
		}
		return withMetadata(object, { namespace: namespace ?? given ?? 'default' })
	}

	private sameObject(resource: ServedResource, live: KubeObject, after: unknown): KubeObject {
		const object = parseObject(resource, after)
		const { name, namespace } = live.metadata
		if (object.metadata.name !== name || object.metadata.namespace !== namespace) {
			throw badRequest('the name and the namespace of an object cannot be changed')
		}
		return object
	}

	private checkNamespace(resource: ServedResource, { metadata }: KubeObject): void {
		if (!resource.namespaced) return
		const home = this.store.get('/namespaces', { name: metadata.namespace ?? '' })
		const kind = { group: '', plural: 'namespaces', kind: 'Namespace' }
		if (home === undefined) throw notFound(kind, metadata.namespace ?? '')
		if (home.metadata.deletionTimestamp === undefined) return
		const name = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
		throw new StatusError(
			'Forbidden',
			`${name} "${metadata.name}" is forbidden: unable to create new content in namespace ${metadata.namespace ?? ''} because it is being terminated`,
			{
				name: metadata.name,
				kind: resource.plural,
				causes: [
					{
						reason: 'NamespaceTerminating',
						message: `namespace ${metadata.namespace ?? ''} is being terminated`,
						field: 'metadata.namespace',
					},
				],
			},
		)
	}

	private insert(resource: ServedResource, fresh: KubeObject, options: WriteOptions): KubeObject {
		const { status: _, ...statusless } = fresh
		const wiped =
			resource.status && !['/nodes', '/namespaces'].includes(resource.storageKey)
				? (statusless as KubeObject)
				: fresh
		const decoded = this.addresses.allocate(resource, decode(resource, wiped, options))
		const causes = validate(resource, decoded)
		if (causes.length > 0) throw invalid(resource, fresh.metadata.name, causes)
		if (this.store.get(resource.storageKey, fresh.metadata))
			throw alreadyExists(resource, fresh.metadata.name)
		const owned = initialState(resource, this.owned(resource, { before: undefined, after: decoded, options }))
		if (options.dryRun) return resource.decode(owned)
		return resource.decode(this.store.put(resource.storageKey, owned))
	}

	private replace(
		resource: ServedResource,
		{
			before,
			after,
			options,
		}: { readonly before: KubeObject; readonly after: KubeObject; readonly options: WriteOptions },
	): KubeObject {
		const { resourceVersion, uid } = after.metadata
		const old = before.metadata
		if (resourceVersion !== undefined && resourceVersion !== old.resourceVersion)
			throw conflict(resource, old.name)
		if (uid !== undefined && uid !== old.uid) throw staleUid(resource, { metadata: old, uid })
		const decoded = decode(resource, withMetadata(after, systemMetadata(before)), options)
		const merged = this.addresses.keep(
			resource,
			before,
			confined(resource, { before, after: decoded, subresource: options.subresource }),
		)
		const causes = [...validate(resource, merged), ...validateUpdate(resource, before, { after: merged })]
		if (causes.length > 0) throw invalid(resource, old.name, causes)
		const bumped = bumpsGeneration(resource, before, merged)
			? withMetadata(merged, { generation: (old.generation ?? 0) + 1 })
			: merged
		const owned = this.owned(resource, { before, after: bumped, options })
		if (isSameState(before, owned)) return resource.decode(before)
		if (options.dryRun) return resource.decode(owned)
		return resource.decode(this.write(resource, before, owned))
	}

	private owned(
		resource: ServedResource,
		writing: {
			readonly before: KubeObject | undefined
			readonly after: KubeObject
			readonly options: WriteOptions
		},
	): KubeObject {
		const { before, after, options } = writing
		if (options.unowned) return after
		const manager = options.manager || 'unknown'
		const owned = withOwnership(resource, {
			before: before && resource.decode(before),
			after: resource.decode(after),
			manager,
			time: this.time(),
			subresource: options.subresource,
		})
		return withMetadata(after, { managedFields: owned.metadata.managedFields })
	}

	/** Stores a change; an object that waited for its last finalizer is gone instead. */
	private write(resource: ServedResource, before: KubeObject, after: KubeObject): KubeObject {
		if (isDeepStrictEqual(before, after)) return before
		const { deletionTimestamp, finalizers = [], namespace, name } = after.metadata
		const wasHeld =
			(before.metadata.finalizers?.length ?? 0) > 0 || listAt(before, 'spec', 'finalizers').length > 0
		const held =
			finalizers.length > 0 ||
			(resource.storageKey === '/namespaces' && listAt(after, 'spec', 'finalizers').length > 0)
		const grace = numberAt(after, 'metadata', 'deletionGracePeriodSeconds') ?? 0
		if (deletionTimestamp !== undefined && wasHeld && !held && grace === 0) {
			this.store.put(resource.storageKey, after)
			return this.store.remove(resource.storageKey, { namespace, name }) ?? after
		}
		return this.store.put(resource.storageKey, after)
	}
}
