import { type Application, sourcesOf, tlsHostname } from '../argocd/index.ts'
import { RemoteError, UserError } from '../errors/index.ts'
import type { Descriptor } from '../oci/index.ts'
import {
	createClusterApplicationApi,
	getApplication,
	isCaTrusted,
	moveRevision,
	refuseOwned,
	type SyncResult,
	waitForSync,
} from '../sync/index.ts'
import { resolveArgocdRevision } from './argocd-revision.ts'
import type { ConnectedCluster } from './clusters.ts'
import { readCa, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'
import { describeProgress, whyUnhealthy } from './sync-progress.ts'

export interface SyncOptions {
	readonly name: string
	/** Tag, digest, tag@digest or range; absent: the present one, refreshed. */
	readonly revision?: string | undefined
	readonly access?: RegistryAccess | undefined
	/** Where Argo CD does not sync by itself: delete what is no longer in the artifact. */
	readonly prune?: boolean | undefined
	/** Milliseconds. */
	readonly timeoutMs?: number | undefined
}

export interface SyncFlowResult {
	readonly name: string
	readonly from: string
	readonly targetRevision: string
	readonly sync: SyncResult
}

/**
 * Moves an Application to a revision, or refreshes it, and waits until the digest
 * behind the revision is Synced and Healthy. A revision that the registry does not
 * have is refused before anything is changed.
 */
export async function syncApplication(
	session: Session,
	target: ConnectedCluster,
	options: SyncOptions,
): Promise<SyncFlowResult> {
	const { signal, progress } = session
	const { cluster, argocdNamespace } = target
	const api = createClusterApplicationApi(cluster)
	const ref = { name: options.name, namespace: argocdNamespace }
	const step = progress.step('application')
	const present = await getApplication(api, ref, { signal })
	const before = present.spec.source?.targetRevision ?? ''
	const targetRevision = options.revision ?? before
	if (targetRevision !== before) refuseOwned(present)
	const descriptor = await revisionDescriptor(session, target, {
		application: present,
		revision: targetRevision,
		access: options.access,
	})
	if (targetRevision === before) {
		await api.refresh(ref, { signal })
		step.done(`${options.name} at ${targetRevision}, refreshed`)
	} else {
		await moveRevision(api, ref, { revision: targetRevision, signal })
		step.done(`${options.name} from ${before} to ${targetRevision}`)
	}
	session.workspace.update((state) => ({
		...state,
		applications: state.applications.map((each) =>
			each.name === ref.name &&
			each.namespace === ref.namespace &&
			each.cluster === target.name &&
			targetRevision !== before
				? { ...each, revision: targetRevision, setBy: 'sync' }
				: each,
		),
	}))
	const waiting = progress.step('sync')
	const synced = await waitOrStart(session, target, {
		application: present,
		digest: descriptor?.digest,
		options,
		waiting,
	})
	waiting.done(`${synced.sync}, ${synced.health} at ${synced.revision?.slice(0, 19) ?? targetRevision}…`)
	if (synced.resources.length === 0) {
		progress.warn(
			`${options.name} has no resource: Argo CD found no manifest at its path`,
			'lading check REFERENCE says why.',
		)
	}
	return { name: options.name, from: before, targetRevision, sync: synced }
}

interface Waiting {
	readonly application: Application
	readonly digest: string | undefined
	readonly options: SyncOptions
	readonly waiting: { update(detail: string): void }
}

async function waitOrStart(
	{ signal }: Session,
	{ cluster, argocdNamespace }: ConnectedCluster,
	wait: Waiting,
): Promise<SyncResult> {
	const api = createClusterApplicationApi(cluster)
	const ref = { name: wait.options.name, namespace: argocdNamespace }
	const automated = wait.application.spec.syncPolicy?.automated
	// Argo CD does not start by itself what is set to manual: asking for it is what `sync` is for.
	if (automated === undefined || automated === null || automated.enabled === false)
		await api.requestSync(ref, { prune: wait.options.prune === true, signal })
	const host = sourcesOf(wait.application)[0]?.repoURL ?? ''
	const caFile = wait.options.access?.caFile
	const pem = caFile === undefined ? undefined : readCa(caFile)
	return await waitForSync(api, {
		...ref,
		digest: wait.digest,
		timeoutMs: wait.options.timeoutMs,
		signal,
		onChange: (application, state) => wait.waiting.update(describeProgress(application, state)),
		isCaTrusted: async () =>
			await isCaTrusted(cluster, { host: tlsHostname(host), pem, namespace: argocdNamespace, signal }),
		whyUnhealthy: async (application) => await whyUnhealthy(cluster, application, signal),
	})
}

/** The registry was asked, or need not be: waiting for Argo CD would not change the answer. */
const ANSWERS: ReadonlySet<string> = new Set(['NOT_FOUND', 'REFERENCE_INVALID'])

/** What a revision of an Application names in its registry; `undefined` where this machine cannot reach that. */
async function revisionDescriptor(
	session: Session,
	target: ConnectedCluster,
	options: {
		readonly application: Application
		readonly revision: string
		readonly access?: RegistryAccess | undefined
	},
): Promise<Descriptor | undefined> {
	try {
		return await resolveArgocdRevision(session, target, options)
	} catch (error) {
		if (error instanceof UserError && ANSWERS.has(error.code)) throw error
		if (!(error instanceof RemoteError || error instanceof UserError)) throw error
		// Argo CD may reach what this machine cannot; a digest is known all the same.
		session.progress.warn(`the registry could not be asked what ${options.revision} is: ${error.message}`)
		return undefined
	}
}
