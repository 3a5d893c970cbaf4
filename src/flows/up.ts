import { basename, dirname, resolve } from 'node:path'
import { ArgocdName, formatRepoUrl, refuseApplicationName } from '../argocd/index.ts'
import type { KubeObject } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { readManifestSet } from '../manifests/index.ts'
import { type Annotations, isTag, parseReference, type Reference } from '../oci/index.ts'
import type { SyncResult } from '../sync/index.ts'
import { ARGOCD, CONTEXT, KIND } from './chosen-cluster.ts'
import { refuseUnreachable } from './cluster-registry.ts'
import { chosenCluster, type ClusterChoice, type ConnectedCluster, openCluster, reached } from './clusters.ts'
import { type ApplicationWish, deploy, deployObjects } from './deploy.ts'
import { startDockerRegistry } from './docker-registry.ts'
import { tellHosting } from './join-registry.ts'
import { type KindOptions, startKind } from './kind-cluster.ts'
import { startSandbox } from './local-cluster.ts'
import { CLUSTER_REGISTRY, startRegistry } from './local-registry.ts'
import { push, type PushResult } from './push.ts'
import { readCa, readReference, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import type { RegistryState } from './state.ts'
import { syncApplication } from './sync.ts'

export interface UpOptions extends ClusterChoice, ApplicationWish, Omit<KindOptions, 'name'> {
	/** Directory of the manifests. */
	readonly directory: string
	/** Name of the Application. */
	readonly name: string
	/** `[registry/]repository`; default the name. */
	readonly repository?: string | undefined
	/** `embedded`, `docker`, or a registry to use instead; the embedded one, and with kind a container. */
	readonly registry?: string | undefined
	/** Tag to push, whatever runs now. */
	readonly tag?: string | undefined
	/** Tag to push unless `deploy` or `sync` has set another; `latest`. */
	readonly defaultTag?: string | undefined
	/** Port of the local registry. */
	readonly port?: number | undefined
	/** Image of the registry's container. */
	readonly image?: string | undefined
	readonly access?: RegistryAccess | undefined
	readonly annotations?: Annotations | undefined
	/** Patterns of tags that an embedded registry keeps as they are. */
	readonly immutable?: readonly string[] | undefined
	readonly git?: boolean | undefined
	readonly force?: boolean | undefined
}

export interface UpResult {
	readonly name: string
	readonly push: PushResult
	readonly targetRevision: string
	readonly revision: string
	readonly repoURL: string
	/** Name of the cluster. */
	readonly cluster: string
	readonly kubeconfig?: string | undefined
	readonly namespace: string
	/** Whether anything had to be done. */
	readonly changed: boolean
	/** Set when the Application stays at a revision that `deploy` or `sync` has set. */
	readonly keptRevision?: string | undefined
}

/**
 * The whole road: registry, cluster, trust, push, Application, wait. Run again, it does
 * what is missing; what is there stays.
 */
export async function up(session: Session, options: UpOptions): Promise<UpResult> {
	// The faults of names and of the directory are told before anything is started.
	upObjects(options)
	await readManifestSet(options.directory, { signal: session.signal })
	const clusterName = chosenCluster(session, options) ?? 'sandbox'
	const place = placeOf(session, { options, clusterName })
	const started = await startServers(session, { options, clusterName, registry: place.local })
	const target = await openCluster(session, { ...options, cluster: clusterName })
	const trusted = await trust(session, target, place.local)
	const pushed = await pushUp(session, {
		options,
		place: place.repository,
		userTag: tagSetByUser(session, options.name, target),
	})
	const reference: Reference = { ...pushed.reference, digest: undefined }
	const deployed = await deployOrKeep(session, target, { options, reference })
	return {
		name: options.name,
		push: pushed,
		targetRevision: deployed.targetRevision,
		revision: deployed.revision,
		repoURL: deployed.repoURL,
		cluster: clusterName,
		kubeconfig: target.kubeconfig,
		namespace: options.namespace ?? options.name,
		changed: started || trusted || pushed.outcome === 'pushed' || deployed.changed,
		keptRevision: deployed.kept ? deployed.targetRevision : undefined,
	}
}

interface Place {
	/** Which registry of this project is needed; none where another one is named. */
	readonly local: RegistryState['kind'] | undefined
	/** `[registry/]repository`. */
	readonly repository: string
}

/** Where the artifact goes. @throws UserError `USAGE` for a registry that the cluster cannot reach */
function placeOf(
	{ workspace }: Session,
	{ options, clusterName }: { readonly options: UpOptions; readonly clusterName: string },
): Place {
	const { registry, name, repository = name } = options
	const asked = registry === 'embedded' || registry === 'docker' ? registry : undefined
	if (registry !== undefined && asked === undefined)
		return { local: undefined, repository: `${registry}/${repository}` }
	if (/^[^/]*[.:][^/]*\/|^localhost\//.test(repository)) return { local: undefined, repository }
	const present = workspace.state().registry?.kind
	const local = asked ?? present ?? (clusterName.startsWith(KIND) ? 'docker' : 'embedded')
	if ([CONTEXT, ARGOCD].some((start) => clusterName.startsWith(start))) {
		throw new UserError('USAGE', `${clusterName} cannot reach the ${local} registry of this machine`, {
			hint: 'Name a registry that it can reach: --registry registry.example.com',
		})
	}
	if (local === 'embedded') refuseUnreachable({ kind: local }, clusterName)
	return { local, repository }
}

/** @returns whether anything had to be started */
async function startServers(
	session: Session,
	{
		options,
		clusterName,
		registry,
	}: {
		readonly options: UpOptions
		readonly clusterName: string
		readonly registry: RegistryState['kind'] | undefined
	},
): Promise<boolean> {
	const { progress } = session
	let started = false
	if (registry !== undefined) {
		const step = progress.step('registry')
		const running =
			registry === 'embedded'
				? await startRegistry(session, { port: options.port, immutable: options.immutable })
				: await startDockerRegistry(session, { port: options.port, image: options.image, step })
		const where = `https://${running.endpoint.push}`
		if (running.started) step.done(where)
		else step.unchanged(where)
		started = running.started
	}
	if (clusterName.startsWith(KIND)) {
		const kind = await startKind(session, {
			...options,
			name: clusterName.slice(KIND.length),
			timeoutMs: undefined,
		})
		return started || kind.started
	}
	if (clusterName !== 'sandbox') return started
	const step = progress.step('cluster')
	const sandbox = await startSandbox(session)
	const where = `sandbox at https://127.0.0.1:${sandbox.server.port}`
	if (sandbox.started) step.done(where)
	else step.unchanged(where)
	return started || sandbox.started
}

/** Tells the cluster of the local registry: its two names, and its CA. @returns whether that was news */
async function trust(
	session: Session,
	target: ConnectedCluster,
	local: RegistryState['kind'] | undefined,
): Promise<boolean> {
	const { workspace, progress, signal } = session
	const endpoint = workspace.state().registry?.endpoint
	if (local === undefined || endpoint === undefined) return false
	const step = progress.step('trust')
	const told = await tellHosting(session, reached(target))
	const outcome = await target.argocd.certificates.trust({
		host: endpoint.cluster,
		pem: readCa(workspace.paths.ca),
		signal,
	})
	const what = `CA of ${endpoint.cluster} in ${ArgocdName.tlsCertsConfigMap}`
	if (outcome === 'changed') step.done(what)
	else step.unchanged(what)
	return told || outcome === 'changed'
}

interface Deployed {
	readonly targetRevision: string
	readonly revision: string
	readonly repoURL: string
	readonly changed: boolean
	readonly kept: boolean
}

/**
 * Pushes to the tag that a person works on. Where the directory is not what that
 * version is, it may still be what the project's own tag is: then that is unchanged.
 */
async function pushUp(
	session: Session,
	{
		options,
		place,
		userTag,
	}: { readonly options: UpOptions; readonly place: string; readonly userTag: string | undefined },
): Promise<PushResult> {
	const pushTo = async (tag: string): Promise<PushResult> =>
		await push(session, {
			directory: options.directory,
			reference: readReference(session, `${place}:${tag}`),
			access: options.access,
			annotations: options.annotations,
			git: options.git,
			force: options.force,
			check: { path: options.path, recurse: options.recurse, serverSide: options.serverSide },
		})
	const ownTag = options.defaultTag ?? 'latest'
	try {
		return await pushTo(options.tag ?? userTag ?? ownTag)
	} catch (error) {
		const isTaken = error instanceof UserError && error.code === 'TAG_EXISTS'
		if (!isTaken || options.tag !== undefined || userTag === undefined || userTag === ownTag) throw error
		try {
			return await pushTo(ownTag)
		} catch {
			// Neither: the version that the person is on is the one to speak of.
			throw error
		}
	}
}

/** The tag that `deploy` or `sync` has set: the version that a person is working on now. */
function tagSetByUser({ workspace }: Session, name: string, target: ConnectedCluster): string | undefined {
	const record = workspace
		.state()
		.applications.find((each) => each.name === name && each.cluster === target.name)
	const tag = record?.setBy === 'up' ? undefined : record?.revision.split('@')[0]
	return tag !== undefined && isTag(tag) ? tag : undefined
}

/** Deploys, unless `deploy` or `sync` has moved the Application: then it stays there. */
async function deployOrKeep(
	session: Session,
	target: ConnectedCluster,
	{ options, reference }: { readonly options: UpOptions; readonly reference: Reference },
): Promise<Deployed> {
	const record = session.workspace
		.state()
		.applications.find((each) => each.name === options.name && each.cluster === target.name)
	const present = await target.argocd.applications.get(
		{ name: options.name, namespace: target.argocdNamespace },
		{ signal: session.signal },
	)
	const set = present?.spec.source?.targetRevision
	if (
		present &&
		record !== undefined &&
		record.setBy !== 'up' &&
		set !== undefined &&
		set !== reference.tag
	) {
		const { sync } = await syncApplication(session, target, {
			name: options.name,
			access: options.access,
			timeoutMs: options.timeoutMs,
		})
		session.progress.note(`${options.name} stays at ${set}, where you have put it`)
		return {
			targetRevision: set,
			revision: revisionOf(sync),
			repoURL: present.spec.source?.repoURL ?? '',
			changed: false,
			kept: true,
		}
	}
	const result = await deploy(session, target, { ...options, reference, by: 'up' })
	const { targetRevision, repoURL, changed, digest } = result
	return { targetRevision, repoURL, changed, revision: digest, kept: false }
}

function revisionOf(sync: SyncResult): string {
	return sync.revision ?? ''
}

/** The Secret and the Application that `up` makes, without making anything: for GitOps. */
export function upObjects(options: UpOptions): readonly KubeObject[] {
	// Before the repository, which is called the same unless told otherwise.
	refuseApplicationName(options.name)
	const { repository = options.name, clusterRegistry } = options
	const registry =
		options.registry === 'embedded' || options.registry === 'docker' ? undefined : options.registry
	const place = registry === undefined ? repository : `${registry}/${repository}`
	const tag = options.tag ?? options.defaultTag ?? 'latest'
	const reference = parseReference(`${place}:${tag}`, { defaultRegistry: CLUSTER_REGISTRY })
	const { secret, application } = deployObjects(
		{ ...options, reference, by: 'up' },
		{
			repoURL: formatRepoUrl({
				registry: clusterRegistry ?? reference.registry,
				repository: reference.repository,
			}),
			targetRevision: tag,
			argocdNamespace: options.argocdNamespace ?? ArgocdName.defaultNamespace,
		},
	)
	return [secret, application]
}

/** The name of an Application for a directory: its own, or its parent's where it is called "manifests" or the like. */
export function nameForDirectory(directory: string): string {
	const path = resolve(directory)
	const own = basename(path)
	const name = /^(?:manifests|k8s|kubernetes|deploy|sample-manifests)$/.test(own)
		? basename(dirname(path))
		: own
	const clean = name
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^-+|-+$/g, '')
	return clean === '' ? 'app' : clean
}
