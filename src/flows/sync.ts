import type { Application } from '../argocd/index.ts'
import { RemoteError, UserError } from '../errors/index.ts'
import type { Descriptor } from '../oci/index.ts'
import { getApplication, moveRevision, refuseOwned, type SyncResult } from '../sync/index.ts'
import { resolveArgocdRevision } from './argocd-revision.ts'
import type { ConnectedCluster } from './clusters.ts'
import { type MovingOptions, rememberRevision, waitOrStart } from './moving.ts'
import type { RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'

export interface SyncOptions extends MovingOptions {
	readonly name: string
	/** Tag, digest, tag@digest or range; absent: the present one, refreshed. */
	readonly revision?: string | undefined
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
	const { argocdNamespace } = target
	const api = target.argocd.applications
	const { name } = options
	const ref = { name, namespace: argocdNamespace }
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
		step.done(`${name} at ${targetRevision}, refreshed`)
	} else {
		await moveRevision(api, ref, { revision: targetRevision, signal })
		step.done(`${name} from ${before} to ${targetRevision}`)
		rememberRevision(session, target, { name, revision: targetRevision })
	}
	const sync = await waitOrStart(session, target, {
		...options,
		application: present,
		digest: descriptor?.digest,
	})
	return { name, from: before, targetRevision, sync }
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
