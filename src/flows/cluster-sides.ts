import {
	type Application,
	type ApplicationSource,
	ArgocdName,
	ASSUMED_ARGOCD_VERSION,
	type ResourceStatus,
	sourcesOf,
} from '../argocd/index.ts'
import type { KubeObject } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { asDefined, identityOf, type ManifestObject, withoutServerFields } from '../manifests/index.ts'
import { ignoredPaths, parseIgnoreRules, without } from '../sandbox/controller/index.ts'
import { deploymentNotFound, findDeployment, getApplication } from '../sync/index.ts'
import { withRepositoryOf } from './argocd-revision.ts'
import { builtInTypes } from './built-in-types.ts'
import { type ClusterChoice, openCluster, reached } from './clusters.ts'
import { isManifestObject, subjectObjects } from './diff-sides.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readArtifact } from './subject.ts'

export interface ReadDeployedOptions {
	readonly access: RegistryAccess | undefined
	readonly path: string | undefined
	readonly recurse: boolean
}

/** What an Argo CD and its cluster tell of Applications, to be compared. */
export interface ClusterSides {
	/** @throws RemoteError `NOT_FOUND` */
	sourceOf(name: string): Promise<ApplicationSource | undefined>
	/** The objects of an Application as they are in its cluster. */
	live(name: string): Promise<readonly ManifestObject[]>
	/** The objects of the artifact that an Application deployed with this id of its history. */
	deployed(
		of: { readonly name: string; readonly id: string },
		options: ReadDeployedOptions,
	): Promise<readonly ManifestObject[]>
	/** Live objects and those that are wanted, both as far as the wanted ones define them. */
	asDefined(
		name: string,
		sides: { readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] },
	): Promise<{ readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] }>
}

/** Objects that are read at a time. */
const AT_A_TIME = 10

export async function openClusterSides(session: Session, choice: ClusterChoice): Promise<ClusterSides> {
	const target = await openCluster(session, choice)
	const { signal } = session
	const known = new Map<string, Promise<Application>>()
	const applicationOf = async (name: string): Promise<Application> => {
		const ref = { name, namespace: target.argocdNamespace }
		const asked = known.get(name) ?? getApplication(target.argocd.applications, ref, { signal })
		known.set(name, asked)
		return await asked
	}
	const read = async (
		ref: Pick<KubeObject, 'apiVersion' | 'kind'> & {
			readonly name: string
			readonly namespace?: string | undefined
		},
	): Promise<ManifestObject | undefined> => {
		const object = await reached(target).cluster.get(ref, { signal })
		return object !== undefined && isManifestObject(object) ? object : undefined
	}
	return {
		sourceOf: async (name) => sourcesOf(await applicationOf(name))[0],
		async live(name) {
			const application = await applicationOf(name)
			requireInCluster(application)
			const resources = (application.status?.resources ?? []).filter((each) => !isHook(each))
			const found = await inTurns(
				resources,
				async ({ group = '', version = 'v1', kind, namespace, name: each }) =>
					await read({
						apiVersion: group === '' ? version : `${group}/${version}`,
						kind,
						name: each,
						namespace,
					}),
			)
			return found.map(withoutServerFields)
		},
		async deployed({ name, id }, { access, ...options }) {
			const application = await applicationOf(name)
			const deployment = findDeployment(application, id)
			if (deployment === undefined) throw deploymentNotFound(application, id)
			const source = deployment.source ?? sourcesOf(application)[0]
			return await withRepositoryOf(session, { target, application, access }, async (_, place) => {
				const reference = { ...place, digest: deployment.revision }
				const subject = await readArtifact(session, reference, { access, version: ASSUMED_ARGOCD_VERSION })
				return await subjectObjects(session, subject, {
					...options,
					path: source?.path ?? options.path,
					what: `${name}@${id}`,
				})
			})
		},
		async asDefined(name, sides) {
			const application = await applicationOf(name)
			const rules = parseIgnoreRules(
				// Argo CD's own type of it is not read anywhere else.
				Reflect.get(application.spec, 'ignoreDifferences'),
			)
			const namespace = application.spec.destination.namespace ?? ''
			const live = new Map(sides.live.map((object) => [keyOf(object, namespace), object]))
			const wanted = new Map(
				sides.wanted
					.filter((object) => !isHookObject(object))
					.map((object) => [keyOf(object, namespace), object]),
			)
			const pairs = await inTurns([...wanted], async ([key, object]) => {
				const present = await read({
					apiVersion: object.apiVersion,
					kind: object.kind,
					name: object.metadata.name,
					namespace: object.metadata.namespace ?? namespace,
				})
				live.delete(key)
				if (present === undefined) return { live: undefined, wanted: object }
				// In the namespace that it is in: Argo CD puts there what names none, and takes it from what has none.
				const { namespace: _, ...metadata } = object.metadata
				const placed: ManifestObject = {
					...object,
					metadata: {
						...metadata,
						...(present.metadata.namespace !== undefined && { namespace: present.metadata.namespace }),
					},
				}
				const compared = asDefined(present, placed, builtInTypes(object))
				const paths = ignoredPaths(rules, present, present)
				const clean = (each: ManifestObject): ManifestObject => {
					const result = paths.reduce<unknown>((value, path) => without(value, path), each)
					return isManifestObject(result) ? result : each
				}
				return { live: clean(compared.live), wanted: clean(compared.wanted) }
			})
			return {
				live: [...pairs.flatMap((pair) => pair.live ?? []), ...live.values()],
				wanted: pairs.map((pair) => pair.wanted),
			}
		},
	}
}

/** Nothing is known of another cluster than the one that Argo CD runs in. */
function requireInCluster({ metadata, spec }: Application): void {
	const { server, name } = spec.destination
	if (server === ArgocdName.inCluster || (server === undefined && name === 'in-cluster')) return
	throw new UserError(
		'USAGE',
		`the Application ${metadata.name} deploys to another cluster (${server ?? name})`,
		{
			hint: `What it has deployed can be compared by its history: lading history ${metadata.name}`,
		},
	)
}

function isHook(resource: ResourceStatus): boolean {
	return Reflect.get(resource, 'hook') === true || resource.name === ''
}

function isHookObject({ metadata }: ManifestObject): boolean {
	const { annotations = {} } = metadata
	return ['argocd.argoproj.io/hook', 'helm.sh/hook'].some((name) => annotations[name] !== undefined)
}

/** What makes it the same object, wherever its namespace is written down. */
function keyOf(object: ManifestObject, namespace: string): string {
	const { group, kind, name, namespace: own } = identityOf(object)
	const place = own === undefined || own === namespace ? '' : own
	return [group, kind, place, name].join('\0')
}

/** A few at a time; what is `undefined` is left out. */
async function inTurns<T, R>(items: readonly T[], task: (item: T) => Promise<R | undefined>): Promise<R[]> {
	const found: R[] = []
	for (let start = 0; start < items.length; start += AT_A_TIME) {
		const part = await Promise.all(items.slice(start, start + AT_A_TIME).map(task))
		for (const each of part) if (each !== undefined) found.push(each)
	}
	return found
}
