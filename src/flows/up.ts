import { basename, dirname, resolve } from 'node:path'
import { ArgocdName, formatRepoUrl, refuseApplicationName } from '../argocd/index.ts'
import type { KubeObject } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import { readManifestSet } from '../manifests/index.ts'
import { type Annotations, isTag, parseReference, type Reference } from '../oci/index.ts'
import type { SyncResult } from '../sync/index.ts'
import { bringUp, type BringUpOptions } from './bring-up.ts'
import { refuseClusterRegistry } from './cluster-registry.ts'
import type { ConnectedCluster } from './clusters.ts'
import { type ApplicationWish, deploy, deployObjects } from './deploy.ts'
import { CLUSTER_REGISTRY } from './local-registry.ts'
import { push, type PushResult } from './push.ts'
import { readReference, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { syncApplication } from './sync.ts'

export interface UpOptions extends BringUpOptions, ApplicationWish {
	/** Directory of the manifests. */
	readonly directory: string
	/** Tag to push, whatever runs now. */
	readonly tag?: string | undefined
	/** Tag to push unless `deploy` or `sync` has set another; `latest`. */
	readonly defaultTag?: string | undefined
	readonly access?: RegistryAccess | undefined
	readonly annotations?: Annotations | undefined
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
	/** What Argo CD made of it, and what there is to say all the same: as of `deploy` and `sync`. */
	readonly sync?: SyncResult | undefined
}

/**
 * The whole road: registry, cluster, trust, push, Application, wait. Run again, it does
 * what is missing; what is there stays.
 */
export async function up(session: Session, options: UpOptions): Promise<UpResult> {
	// The faults of names and of the directory are told before anything is started.
	upObjects(options)
	await readManifestSet(options.directory, { signal: session.signal })
	const { target, repository, changed } = await bringUp(session, options)
	const pushed = await pushUp(session, {
		options,
		place: repository,
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
		cluster: target.name,
		kubeconfig: target.kubeconfig,
		namespace: options.namespace ?? options.name,
		changed: changed || pushed.outcome === 'pushed' || deployed.changed,
		keptRevision: deployed.kept ? deployed.targetRevision : undefined,
		sync: deployed.sync,
	}
}

interface Deployed {
	readonly targetRevision: string
	readonly revision: string
	readonly repoURL: string
	readonly changed: boolean
	readonly kept: boolean
	readonly sync: SyncResult | undefined
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
			revision: sync.revision ?? '',
			repoURL: present.spec.source?.repoURL ?? '',
			changed: false,
			kept: true,
			sync,
		}
	}
	const result = await deploy(session, target, { ...options, reference, by: 'up' })
	const { targetRevision, repoURL, changed, digest, sync } = result
	return { targetRevision, repoURL, changed, revision: digest, kept: false, sync }
}

/** The Secret and the Application that `up` makes, without making anything: for GitOps. */
export function upObjects(options: UpOptions): readonly KubeObject[] {
	// Before the repository, which is called the same unless told otherwise.
	refuseApplicationName(options.name)
	const { repository = options.name, clusterRegistry } = options
	refuseClusterRegistry(clusterRegistry)
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
