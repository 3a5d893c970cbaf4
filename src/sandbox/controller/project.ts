import * as v from 'valibot'
import type { KubeObject } from '../../cluster/index.ts'
import { globMatches } from './glob.ts'

/** A kind a project allows or forbids; every field may be a glob. */
interface KindRule {
	readonly group: string
	readonly kind: string
	/** Empty: any name. Only cluster-scoped kinds are told apart by it. */
	readonly name: string
}

/** The rules of an AppProject. @see pkg/apis/application/v1alpha1/app_project_types.go */
export interface Project {
	readonly name: string
	readonly sourceRepos: readonly string[]
	readonly destinations: readonly Destination[]
	readonly clusterResourceWhitelist: readonly KindRule[]
	readonly clusterResourceBlacklist: readonly KindRule[]
	/** Absent: every namespaced kind. */
	readonly namespaceResourceWhitelist?: readonly KindRule[] | undefined
	readonly namespaceResourceBlacklist: readonly KindRule[]
}

const text: v.GenericSchema<string | undefined, string> = v.optional(v.string(), '')
const kinds: v.GenericSchema<unknown, readonly KindRule[]> = v.array(
	v.object({ group: text, kind: text, name: text }),
)
const destinations: v.GenericSchema<unknown, readonly Destination[]> = v.array(
	v.object({ server: text, name: text, namespace: text }),
)

const projectSchema: v.GenericSchema<unknown, Omit<Project, 'name'>> = v.object({
	sourceRepos: v.optional(v.array(v.string()), []),
	destinations: v.optional(destinations, []),
	clusterResourceWhitelist: v.optional(kinds, []),
	clusterResourceBlacklist: v.optional(kinds, []),
	namespaceResourceWhitelist: v.optional(kinds),
	namespaceResourceBlacklist: v.optional(kinds, []),
})

/** Where an application deploys to: the API server, the name of its cluster, a namespace. */
export interface Destination {
	readonly server: string
	readonly name: string
	readonly namespace: string
}

/** `undefined` when the object's spec cannot be read. */
export function parseProject(object: KubeObject): Project | undefined {
	const parsed = v.safeParse(projectSchema, object['spec'] ?? {})
	return parsed.success ? { ...parsed.output, name: object.metadata.name } : undefined
}

function matches(pattern: string, text: string, separator?: string): boolean {
	if (pattern.startsWith('!')) return !globMatches(pattern.slice(1), text, separator)
	return pattern === '*' || globMatches(pattern, text, separator)
}

/** As Argo CD compares repository URLs: without case, surrounding space and a final `.git`. */
export function normalizeRepoURL(url: string): string {
	return url
		.trim()
		.toLowerCase()
		.replace(/\.git$/, '')
}

export function isSourcePermitted(project: Project, repoURL: string): boolean {
	const url = normalizeRepoURL(repoURL)
	let permitted = false
	for (const pattern of project.sourceRepos) {
		const deny = pattern.startsWith('!')
		const normalized = deny ? `!${normalizeRepoURL(pattern.slice(1))}` : normalizeRepoURL(pattern)
		if (matches(normalized, url, '/')) permitted = true
		else if (deny) return false
	}
	return permitted
}

export function isDestinationPermitted(project: Project, destination: Destination): boolean {
	let permitted = false
	for (const rule of project.destinations) {
		const name = destination.name !== '' && matches(rule.name, destination.name)
		const server = destination.server !== '' && matches(rule.server, destination.server)
		const namespace = matches(rule.namespace, destination.namespace)
		if ((server || name) && namespace) permitted = true
		else if (((!name && rule.name.startsWith('!')) || (!server && rule.server.startsWith('!'))) && namespace)
			return false
		else if (!namespace && rule.namespace.startsWith('!') && server) return false
	}
	return permitted
}

export function isKindPermitted(
	project: Project,
	resource: {
		readonly group: string
		readonly kind: string
		readonly name: string
		readonly namespaced: boolean
	},
): boolean {
	const listed = (rules: readonly KindRule[], byName: boolean): boolean =>
		rules.some(
			(rule) =>
				matches(rule.group, resource.group) &&
				matches(rule.kind, resource.kind) &&
				(!byName || rule.name === '' || matches(rule.name, resource.name)),
		)
	if (resource.namespaced) {
		const allowed =
			project.namespaceResourceWhitelist === undefined || listed(project.namespaceResourceWhitelist, false)
		return allowed && !listed(project.namespaceResourceBlacklist, false)
	}
	return listed(project.clusterResourceWhitelist, true) && !listed(project.clusterResourceBlacklist, true)
}
