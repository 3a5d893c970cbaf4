import type { Catalog } from './catalog.ts'
import type { Fields } from './fields.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'
import { reviews } from './reviews.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

interface Subresource {
	readonly name: string
	readonly kind: string
	readonly group: string
	readonly version: string
	readonly verbs: readonly string[]
}

interface Discovered {
	readonly group: string
	readonly version: string
	readonly kind: string
	readonly plural: string
	readonly singular: string
	readonly namespaced: boolean
	readonly shortNames: readonly string[]
	readonly categories: readonly string[]
	readonly verbs: readonly string[]
	readonly subresources: readonly Subresource[]
}

function subresourcesOf(resource: ServedResource): readonly Subresource[] {
	const { group, version, kind } = resource
	const own = (name: string, verbs: readonly string[]): Subresource => ({ name, kind, group, version, verbs })
	return [
		...(resource.status ? [own('status', ['get', 'patch', 'update'])] : []),
		...(resource.scale
			? [
					{
						name: 'scale',
						kind: 'Scale',
						group: 'autoscaling',
						version: 'v1',
						verbs: ['get', 'patch', 'update'],
					},
				]
			: []),
		...resource.subresources.map((name): Subresource => {
			if (name === 'eviction')
				return { name, kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] }
			if (name === 'finalize' || name === 'approval') return own(name, ['update'])
			return own(name, name === 'log' ? ['get'] : ['create'])
		}),
	]
}

function discovered(catalog: Catalog): readonly Discovered[] {
	return [
		...catalog
			.all()
			.map((resource) => ({ ...resource, verbs: VERBS, subresources: subresourcesOf(resource) })),
		...reviews.map(({ group, kind, plural, namespaced }) => ({
			group,
			version: 'v1',
			kind,
			plural,
			singular: kind.toLowerCase(),
			namespaced,
			shortNames: [],
			categories: [],
			verbs: ['create'],
			subresources: [],
		})),
	]
}

/** Groups in the order of discovery, each with its versions: the newest first. */
function grouped(catalog: Catalog): ReadonlyMap<string, ReadonlyMap<string, readonly Discovered[]>> {
	const groups = new Map<string, Map<string, Discovered[]>>()
	for (const resource of discovered(catalog)) {
		const versions = groups.get(resource.group) ?? new Map<string, Discovered[]>()
		groups.set(resource.group, versions)
		versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource])
	}
	return new Map(
		[...groups].map(([group, versions]) => [
			group,
			new Map([...versions].sort(([a], [b]) => compareVersions(a, b))),
		]),
	)
}

/** Kubernetes' order of versions: v2, v1, v1beta1, v1alpha1, then the rest by name. */
function compareVersions(a: string, b: string): number {
	const rank = (version: string): readonly number[] => {
		const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? []
		if (major === undefined) return [0, 0, 0]
		return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)]
	}
	const left = rank(a)
	const right = rank(b)
	for (const [index, value] of left.entries()) {
		const difference = (right[index] ?? 0) - value
		if (difference !== 0) return difference
	}
	return a < b ? -1 : 1
}

/** `/api` or `/apis` as one document with everything. */
export function aggregatedDiscovery(catalog: Catalog, core: boolean): Fields {
	const items = [...grouped(catalog)]
		.filter(([group]) => (group === '') === core)
		.map(([group, versions]) => ({
			metadata: { name: group, creationTimestamp: null },
			versions: [...versions].map(([version, resources]) => ({
				version,
				resources: resources.map(aggregatedResource),
				freshness: 'Current',
			})),
		}))
	return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function aggregatedResource(resource: Discovered): Fields {
	const { group, version, kind, plural, singular, namespaced, shortNames, categories, verbs, subresources } =
		resource
	return {
		resource: plural,
		responseKind: { group, version, kind },
		scope: namespaced ? 'Namespaced' : 'Cluster',
		singularResource: singular,
		verbs,
		...(shortNames.length > 0 && { shortNames }),
		...(categories.length > 0 && { categories }),
		...(subresources.length > 0 && {
			subresources: subresources.map((each) => ({
				subresource: each.name,
				responseKind: { group: each.group, version: each.version, kind: each.kind },
				verbs: each.verbs,
			})),
		}),
	}
}

export function apiVersions(): Fields {
	return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
}

export function apiGroupList(catalog: Catalog): Fields {
	const groups = [...grouped(catalog).keys()].filter((group) => group !== '')
	return {
		kind: 'APIGroupList',
		apiVersion: 'v1',
		groups: groups.map((group) => groupDocument(catalog, group)),
	}
}

export function apiGroup(catalog: Catalog, group: string): Fields | undefined {
	const document = groupDocument(catalog, group)
	return document && { kind: 'APIGroup', apiVersion: 'v1', ...document }
}

function groupDocument(catalog: Catalog, group: string): Fields | undefined {
	const versions = [...(grouped(catalog).get(group)?.keys() ?? [])].map((version) => ({
		groupVersion: `${group}/${version}`,
		version,
	}))
	return versions.length === 0 ? undefined : { name: group, versions, preferredVersion: versions[0] }
}

export function apiResourceList(
	catalog: Catalog,
	{ group, version }: { readonly group: string; readonly version: string },
): Fields | undefined {
	const resources = grouped(catalog).get(group)?.get(version)
	if (resources === undefined) return undefined
	return {
		kind: 'APIResourceList',
		apiVersion: 'v1',
		groupVersion: apiVersionOf({ group, version }),
		resources: resources.flatMap((resource) => [
			{
				name: resource.plural,
				singularName: resource.singular,
				namespaced: resource.namespaced,
				kind: resource.kind,
				verbs: resource.verbs,
				...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
				...(resource.categories.length > 0 && { categories: resource.categories }),
			},
			...resource.subresources.map((each) => ({
				name: `${resource.plural}/${each.name}`,
				singularName: '',
				namespaced: resource.namespaced,
				...(each.group !== resource.group && { group: each.group, version: each.version }),
				kind: each.kind,
				verbs: each.verbs,
			})),
		]),
	}
}
