import type { KubeObject } from '../../cluster/index.ts'
import { builtInResources } from './built-in.ts'
import { customResources } from './custom-resource.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'
import type { Store } from './store.ts'

export const CRD_KEY = 'apiextensions.k8s.io/customresourcedefinitions'

/** Every type that is served right now: the built-in ones and those of the CustomResourceDefinitions. */
export class Catalog {
	private readonly byPath = new Map<string, ServedResource>()
	private readonly byKind = new Map<string, ServedResource>()
	private readonly byStorage = new Map<string, ServedResource>()
	private readonly custom = new Map<string, readonly ServedResource[]>()
	/** Counts changes, so that documents made from the catalog can be kept. */
	generation = 0

	constructor(store: Store) {
		for (const resource of builtInResources) this.add(resource)
		store.subscribe((event) => {
			if (event.key !== CRD_KEY) return
			if (event.type === 'DELETED') this.withdraw(event.object.metadata.name)
			else this.serve(event.object)
		})
	}

	find(group: string, version: string, plural: string): ServedResource | undefined {
		return this.byPath.get(`${group}/${version}/${plural}`)
	}

	ofKind(apiVersion: string, kind: string): ServedResource | undefined {
		return this.byKind.get(`${apiVersion} ${kind}`)
	}

	/** The resource of the storage version. */
	stored(storageKey: string): ServedResource | undefined {
		return this.byStorage.get(storageKey)
	}

	all(): readonly ServedResource[] {
		return [...this.byPath.values()]
	}

	/** Serves what a CustomResourceDefinition defines, in place of what it defined before. */
	serve(definition: KubeObject): void {
		this.withdraw(definition.metadata.name)
		const resources = customResources(definition)
		this.custom.set(definition.metadata.name, resources)
		for (const resource of resources) this.add(resource)
	}

	private withdraw(name: string): void {
		for (const resource of this.custom.get(name) ?? []) {
			this.byPath.delete(pathOf(resource))
			this.byKind.delete(kindOf(resource))
			this.byStorage.delete(resource.storageKey)
		}
		this.custom.delete(name)
		this.generation++
	}

	private add(resource: ServedResource): void {
		this.byPath.set(pathOf(resource), resource)
		this.byKind.set(kindOf(resource), resource)
		const home = `${resource.group}/${resource.plural}` === resource.storageKey
		if (home && (resource.version === resource.storageVersion || !this.byStorage.has(resource.storageKey))) {
			this.byStorage.set(resource.storageKey, resource)
		}
		this.generation++
	}
}

function pathOf({ group, version, plural }: ServedResource): string {
	return `${group}/${version}/${plural}`
}

function kindOf(resource: ServedResource): string {
	return `${apiVersionOf(resource)} ${resource.kind}`
}
