import {
	type Application,
	ASSUMED_ARGOCD_VERSION,
	buildApplication,
	buildRepositorySecret,
	isSettled,
	isStale,
	type RepositorySecretOptions,
} from '../argocd/index.ts'
import { UserError } from '../errors/index.ts'
import { type Digest, formatReference, type Reference } from '../oci/index.ts'
import {
	isStuck,
	refuseOwned,
	restartSync,
	settledResult,
	type SyncResult,
	waitForSync,
} from '../sync/index.ts'
import { checkSubject, refuse } from './check.ts'
import { CONTEXT } from './chosen-cluster.ts'
import type { ConnectedCluster } from './clusters.ts'
import { endpointFor, repoUrlOf } from './cluster-registry.ts'
import { connectRegistry, readCa, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { type DeployedApplication, type State, withApplication } from './state.ts'
import { readArtifact } from './subject.ts'
import { describeProgress, interruptible, warnOf, whyUnhealthy } from './sync-progress.ts'

/** What the Application shall look like. */
export interface ApplicationWish {
	/** Name of the registry as the cluster reaches it. */
	readonly clusterRegistry?: string | undefined
	/** Namespace to deploy to; the name. */
	readonly namespace?: string | undefined
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly project?: string | undefined
	/** Do not synchronise automatically. */
	readonly manual?: boolean | undefined
	readonly prune?: boolean | undefined
	readonly serverSide?: boolean | undefined
	/** Milliseconds to wait for it. */
	readonly timeoutMs?: number | undefined
}

export interface DeployOptions extends ApplicationWish {
	readonly name: string
	readonly reference: Reference
	/** Pin the digest besides the tag. */
	readonly pin?: boolean | undefined
	readonly access?: RegistryAccess | undefined
	/** Wait until Synced and Healthy; true. */
	readonly wait?: boolean | undefined
	/** Who asks; `up` never moves a revision that `sync` has set. */
	readonly by: 'up' | 'deploy'
}

export interface DeployResult {
	readonly name: string
	readonly namespace: string
	readonly repoURL: string
	readonly targetRevision: string
	/** What the revision names now. */
	readonly digest: Digest
	/** Whether the cluster was changed. */
	readonly changed: boolean
	/** Absent when it was changed and not waited for. */
	readonly sync?: SyncResult | undefined
}

/** The two objects of a deployment, without a cluster: for GitOps. */
export function deployObjects(
	options: DeployOptions,
	{
		repoURL,
		targetRevision,
		argocdNamespace,
	}: { readonly repoURL: string; readonly targetRevision: string; readonly argocdNamespace: string },
): { readonly secret: ReturnType<typeof buildRepositorySecret>; readonly application: Application } {
	return {
		secret: buildRepositorySecret(secretOptions(options, { repoURL, argocdNamespace })),
		application: buildApplication({
			name: options.name,
			namespace: argocdNamespace,
			project: options.project,
			repoURL,
			targetRevision,
			path: options.path,
			destination: { namespace: options.namespace ?? options.name },
			automated: options.manual !== true,
			prune: options.prune,
			recurse: options.recurse,
			serverSide: options.serverSide,
		}),
	}
}

/** `targetRevision` of a reference: exactly what was given. */
export function targetRevisionOf({ tag, digest }: Reference): string {
	if (tag !== undefined) return digest === undefined ? tag : `${tag}@${digest}`
	if (digest !== undefined) return digest
	throw new UserError('USAGE', 'the reference names no tag and no digest', {
		hint: 'Add one, such as :v1.0.0 or :latest',
	})
}

/**
 * Creates or changes the Application for an artifact and waits until it runs.
 * @throws UserError `ARTIFACT_REFUSED`, `NOT_FOUND`, `APPLICATION_OWNED`
 * @throws RemoteError `SYNC_FAILED`, `APPLICATION_DEGRADED`, `TIMED_OUT`, those of registry and cluster
 */
export async function deploy(
	session: Session,
	target: ConnectedCluster,
	options: DeployOptions,
): Promise<DeployResult> {
	const { signal, progress } = session
	const { argocdNamespace, argocd } = target
	const step = progress.step('application')
	const reference = await checkedReference(session, options)
	const targetRevision = targetRevisionOf(options.pin === true ? reference : options.reference)
	const endpoint = await endpointFor(session, target, {
		registry: options.reference.registry,
		clusterRegistry: options.clusterRegistry,
	})
	const repoURL = repoUrlOf(options.reference, endpoint)
	const { application } = deployObjects(options, { repoURL, targetRevision, argocdNamespace })

	const api = argocd.applications
	const ref = { name: options.name, namespace: argocdNamespace }
	const present = await api.get(ref, { signal })
	if (present) refuseOwned(present)
	const result = {
		name: options.name,
		namespace: argocdNamespace,
		repoURL,
		targetRevision,
		digest: reference.digest,
	}
	const unchanged =
		present !== undefined &&
		holds(present.spec, application.spec) &&
		!isStale(present) &&
		isSettled(present, { digest: reference.digest })
	// Before it is made: what a killed command has left, `down` still finds.
	session.workspace.update((state) => withApplication(state, recordOf(result, { target, options, state })))
	// Also for what runs already: Argo CD may not have noticed yet that its password is that of before.
	const isChanged = await registerRepository(session, target, { options, repoURL, application })
	if (unchanged) {
		step.unchanged(`${options.name} runs ${targetRevision} already`)
		const sync = settledResult(present, ref)
		warnOf(session, sync)
		return { ...result, changed: false, sync }
	}
	await api.apply(application, { signal })
	step.done(`${options.name} at ${targetRevision}`)
	if (present && isStuck(present) && options.manual !== true)
		await restartSync(api, ref, { application: present, prune: options.prune !== false, signal })
	if (options.wait === false || options.manual === true) return { ...result, changed: true }

	const caFile = options.access?.caFile
	const waiting = progress.step('sync')
	const sync = await interruptible(session, options.name, () =>
		waitForSync(api, {
			...ref,
			digest: reference.digest,
			before: present,
			isChanged,
			timeoutMs: options.timeoutMs,
			signal,
			onChange: (app, state) => waiting.update(describeProgress(app, state)),
			whyUnhealthy: async (app) => await whyUnhealthy(target, app, signal),
			isCaTrusted: async () =>
				await argocd.certificates.isTrusted({
					host: endpoint.cluster,
					pem: caFile === undefined ? undefined : readCa(caFile),
					signal,
				}),
		}),
	)
	waiting.done(`${sync.sync}, ${sync.health} at ${reference.digest.slice(0, 19)}…`)
	warnOf(session, sync)
	return { ...result, changed: true, sync }
}

/**
 * The entry by which Argo CD knows the repository; what stands in the way of one is a warning.
 * @returns whether it was written
 */
async function registerRepository(
	{ progress, signal }: Session,
	{ argocd, argocdNamespace, cluster }: ConnectedCluster,
	{
		options,
		repoURL,
		application,
	}: { readonly options: DeployOptions; readonly repoURL: string; readonly application: Application },
): Promise<boolean> {
	const { outcome, name, type } = await argocd.repositories.apply({
		...secretOptions(options, { repoURL, argocdNamespace }),
		applicationProject: application.spec.project,
		signal,
	})
	const add = `argocd repo add ${repoURL} --type oci`
	if (outcome === 'forbidden') {
		progress.warn(
			`you may not register ${repoURL} with Argo CD, which takes what it knows of it already`,
			`Where that is not enough, who runs Argo CD does it: ${add}`,
		)
	} else if (outcome === 'kept' && type !== 'oci') {
		progress.warn(
			`the Secret ${name} for ${repoURL} is of type ${type ?? 'git'}, and Argo CD wants oci`,
			cluster === undefined ? `${add} --upsert` : `kubectl edit secret ${name} -n ${argocdNamespace}`,
		)
	} else if (outcome === 'kept' && options.access?.credentials !== undefined) {
		progress.note(`${name} for ${repoURL} is not lading’s and stays: Argo CD keeps the credentials it has`)
	}
	return outcome !== 'forbidden' && outcome !== 'kept'
}

/** The reference with what it names now, once Argo CD's rules allow it. */
async function checkedReference(
	session: Session,
	options: DeployOptions,
): Promise<Reference & { readonly digest: Digest }> {
	const { reference, access } = options
	const subject = await readArtifact(session, reference, { access, version: ASSUMED_ARGOCD_VERSION })
	if (reference.tag !== undefined && reference.digest !== undefined)
		await warnOfMovedTag(session, reference, access)
	const verdict = await checkSubject(session, subject, {
		path: options.path,
		recurse: options.recurse,
		serverSide: options.serverSide === true,
	})
	if (!verdict.accepted) refuse(verdict, formatReference(reference))
	return { ...reference, digest: subject.descriptor.digest }
}

/** The digest decides, to Argo CD too: the tag beside it may say another thing to a reader. */
async function warnOfMovedTag(
	session: Session,
	reference: Reference,
	access: RegistryAccess | undefined,
): Promise<void> {
	const connection = connectRegistry(session, reference.registry, access)
	try {
		const named = await connection
			.repository(reference)
			.resolve(reference.tag ?? '', { signal: session.signal })
		if (named?.digest === reference.digest) return
		session.progress.warn(
			`${reference.tag} names ${named?.digest ?? 'nothing'} in the registry; what is deployed is ${reference.digest}`,
			`To deploy what the tag names: ${formatReference({ ...reference, digest: named?.digest })}`,
		)
	} finally {
		connection.close()
	}
}

function secretOptions(
	{ access, reference }: DeployOptions,
	{ repoURL, argocdNamespace }: { readonly repoURL: string; readonly argocdNamespace: string },
): RepositorySecretOptions {
	const { registry = reference.registry, ...given } = access?.credentials ?? {}
	const credentials = registry === reference.registry ? given : {}
	return {
		namespace: argocdNamespace,
		repoURL,
		...credentials,
		insecure: access?.insecure,
		plainHttp: access?.plainHttp,
	}
}

function recordOf(
	{
		name,
		namespace,
		targetRevision,
	}: { readonly name: string; readonly namespace: string; readonly targetRevision: string },
	{
		target,
		options,
		state,
	}: { readonly target: ConnectedCluster; readonly options: DeployOptions; readonly state: State },
): DeployedApplication {
	const before = state.applications.find((each) => each.name === name && each.cluster === target.name)
	const { registry, repository } = options.reference
	return {
		name,
		namespace,
		cluster: target.name,
		kubeconfig: target.name.startsWith(CONTEXT) ? target.kubeconfig : undefined,
		argocdCa: target.argocdCa,
		repository: formatReference({ registry, repository }),
		revision: targetRevision,
		// `up` at the very revision that a person has set does not make it its own.
		setBy: before !== undefined && before.revision === targetRevision ? before.setBy : options.by,
	}
}

/** Whether `live` has every field of `wanted` with its value; other fields are somebody else's. */
function holds(live: unknown, wanted: unknown): boolean {
	if (wanted === undefined) return true
	if (Array.isArray(wanted)) {
		return (
			Array.isArray(live) &&
			live.length === wanted.length &&
			wanted.every((each, index) => holds(live[index], each))
		)
	}
	if (typeof wanted === 'object' && wanted !== null) {
		return (
			typeof live === 'object' &&
			live !== null &&
			Object.entries(wanted).every(([key, value]) => holds(Reflect.get(live, key), value))
		)
	}
	return live === wanted
}
