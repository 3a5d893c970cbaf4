import {
	type Application,
	type ApplicationSource,
	ArgocdName,
	ASSUMED_ARGOCD_VERSION,
	type ResourceStatus,
	sourcesOf,
} from '../argocd/index.ts'
import type { ObjectRef } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { asDefined, identityOf, type ManifestObject, withoutServerFields } from '../manifests/index.ts'
import { ignoredPaths, parseIgnoreRules, without } from '../sandbox/controller/index.ts'
import { deploymentNotFound, findDeployment, getApplication } from '../sync/index.ts'
import { withRepositoryOf } from './argocd-revision.ts'
import { builtInTypes } from './built-in-types.ts'
import { type ClusterChoice, type ConnectedCluster, openCluster, reached } from './clusters.ts'
import { isManifestObject, type SideObjects, subjectObjects } from './diff-sides.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { readArtifact } from './subject.ts'

export interface ReadDeployedOptions {
	readonly access: RegistryAccess | undefined
	/** Registries that the other side is read from, as the command names them. */
	readonly named: readonly string[]
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
	): Promise<SideObjects>
	/** Live objects and those that are wanted, both as far as the wanted ones define them. */
	asDefined(
		name: string,
		sides: { readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] },
	): Promise<{ readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] }>
}

/** Objects that are read at a time. */
const AT_A_TIME = 10

export async function openClusterSides(session: Session, choice: ClusterChoice): Promise<ClusterSides> {
	return new OpenedSides(session, await openCluster(session, choice))
}

interface Compared {
	/** Absent: it is not there. */
	readonly live: ManifestObject | undefined
	readonly wanted: ManifestObject
}

class OpenedSides implements ClusterSides {
	readonly #session: Session
	readonly #target: ConnectedCluster
	readonly #known = new Map<string, Promise<Application>>()

	constructor(session: Session, target: ConnectedCluster) {
		this.#session = session
		this.#target = target
	}

	async sourceOf(name: string): Promise<ApplicationSource | undefined> {
		return sourcesOf(await this.#application(name))[0]
	}

	async live(name: string): Promise<readonly ManifestObject[]> {
		const application = await this.#application(name)
		requireInCluster(application)
		const resources = (application.status?.resources ?? []).filter((each) => !isHook(each))
		const found = await inTurns(
			resources,
			async ({ group = '', version = 'v1', kind, namespace, name: each }) =>
				await this.#read({
					apiVersion: group === '' ? version : `${group}/${version}`,
					kind,
					name: each,
					namespace,
				}),
		)
		return found.map(withoutServerFields)
	}

	async deployed(
		{ name, id }: { readonly name: string; readonly id: string },
		{ access, named, ...options }: ReadDeployedOptions,
	): Promise<SideObjects> {
		const session = this.#session
		const application = await this.#application(name)
		const deployment = findDeployment(application, id)
		if (deployment === undefined) throw deploymentNotFound(application, id)
		const source = deployment.source ?? sourcesOf(application)[0]
		const repository = { target: this.#target, application, source, access, named }
		return await withRepositoryOf(session, repository, async ({ place, ...reach }) => {
			const reference = { ...place, digest: deployment.revision }
			const how = { access: reach.access, version: ASSUMED_ARGOCD_VERSION }
			const subject = await readArtifact(reach.session, reference, how)
			return await subjectObjects(session, subject, {
				...options,
				path: source?.path ?? options.path,
				what: `${name}@${id}`,
			})
		})
	}

	async asDefined(
		name: string,
		sides: { readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] },
	): Promise<{ readonly live: readonly ManifestObject[]; readonly wanted: readonly ManifestObject[] }> {
		const { spec } = await this.#application(name)
		const namespace = spec.destination.namespace ?? ''
		const rules = parseIgnoreRules(Reflect.get(spec, 'ignoreDifferences'))
		const live = new Map(sides.live.map((object) => [keyOf(object, namespace), object]))
		const wanted = new Map(
			sides.wanted.flatMap((object) =>
				isHookObject(object) ? [] : [[keyOf(object, namespace), object] as const],
			),
		)
		const pairs = await inTurns([...wanted], async ([key, object]) => {
			live.delete(key)
			return await this.#compare(object, { namespace, rules })
		})
		return {
			live: [...pairs.flatMap((pair) => pair.live ?? []), ...live.values()],
			wanted: pairs.map((pair) => pair.wanted),
		}
	}

	/** A wanted object with the live one, in the version of its API that is wanted. */
	async #compare(
		object: ManifestObject,
		{ namespace, rules }: { readonly namespace: string; readonly rules: ReturnType<typeof parseIgnoreRules> },
	): Promise<Compared> {
		const { apiVersion, kind, metadata } = object
		const present = await this.#read({
			apiVersion,
			kind,
			name: metadata.name,
			namespace: metadata.namespace ?? namespace,
		})
		if (present === undefined) return { live: undefined, wanted: object }
		const compared = asDefined(present, placedAs(object, present), builtInTypes(object))
		const paths = ignoredPaths(rules, present, present)
		const clean = (each: ManifestObject): ManifestObject => {
			const result = paths.reduce<unknown>((value, path) => without(value, path), each)
			return isManifestObject(result) ? result : each
		}
		return { live: clean(compared.live), wanted: clean(compared.wanted) }
	}

	async #application(name: string): Promise<Application> {
		const ref = { name, namespace: this.#target.argocdNamespace }
		const asked =
			this.#known.get(name) ??
			getApplication(this.#target.argocd.applications, ref, { signal: this.#session.signal })
		this.#known.set(name, asked)
		return await asked
	}

	async #read(ref: ObjectRef): Promise<ManifestObject | undefined> {
		const object = await reached(this.#target).cluster.get(ref, { signal: this.#session.signal })
		return object !== undefined && isManifestObject(object) ? object : undefined
	}
}

/** An object in the namespace that it is in: Argo CD puts there what names none, and takes it from what has none. */
function placedAs(object: ManifestObject, { metadata: present }: ManifestObject): ManifestObject {
	const { namespace: _, ...metadata } = object.metadata
	const { namespace } = present
	return { ...object, metadata: { ...metadata, ...(namespace !== undefined && { namespace }) } }
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
