import {
	type Application,
	explain,
	isAutomated,
	isRetrying,
	type Progress,
	tlsHostname,
} from '../../argocd/index.ts'
import type { Digest, Reference } from '../../oci/index.ts'
import { isRefreshing, isStuck, restartSync, type SyncResult, waitForSync } from '../../sync/index.ts'
import type { ConnectedCluster } from '../clusters.ts'
import { type ApplicationWish, deploy } from '../deploy.ts'
import { readCa, type RegistryAccess } from '../registries.ts'
import type { Session } from '../session.ts'
import { describeProgress, warnOf, whyUnhealthy } from '../sync-progress.ts'
import type { Clock } from './follow-saves.ts'

export interface RolloutOptions {
	readonly name: string
	/** With the tag that is moved, without a digest. */
	readonly reference: Reference
	readonly wish: ApplicationWish
	readonly access?: RegistryAccess | undefined
	readonly clock: Clock
}

export interface RolloutWatcher {
	/** What is waited for; told when it is another. */
	onProgress(text: string): void
	/** Argo CD has applied it. */
	onSynced(): void
	/** Why it is not Healthy; told when that is another. */
	onUnhealthy(resources: readonly string[]): void
}

/** How often the objects of what is not Healthy are looked at, in milliseconds: Argo CD does not tell of them. */
const LOOK_MS = 2000

/**
 * Has Argo CD deploy what was pushed to the tag, and waits until it is Healthy.
 * @param session with the signal that ends the wait
 * @throws as `deploy` and `waitForSync`
 */
export async function rollOut(
	session: Session,
	target: ConnectedCluster,
	options: RolloutOptions & RolloutWatcher & { readonly digest: Digest; readonly isDeployed: boolean },
): Promise<SyncResult> {
	const { name, digest, access } = options
	const { argocd, argocdNamespace } = target
	const { signal } = session
	const application = await tell(session, target, options)
	const watcher = new UnhealthyWatcher(session, target, options)
	const host = tlsHostname(application?.spec.source?.repoURL ?? '')
	const pem = access?.caFile === undefined ? undefined : readCa(access.caFile)
	let isSynced = false
	try {
		const synced = await waitForSync(argocd.applications, {
			name,
			namespace: argocdNamespace,
			digest,
			timeoutMs: options.wish.timeoutMs,
			signal,
			isCaTrusted: async () => await argocd.certificates.isTrusted({ host, pem, signal }),
			whyUnhealthy: async (present) => await whyUnhealthy(target, present, signal),
			onChange(present, state) {
				options.onProgress(describeProgress(present, state))
				if (!isSynced && isSyncedAt(present, digest)) {
					isSynced = true
					options.onSynced()
				}
				watcher.see(present, state)
			},
		})
		warnOf(session, synced)
		return synced
	} finally {
		watcher.close()
	}
}

function isSyncedAt(application: Application, digest: Digest): boolean {
	const sync = application.status?.sync
	return !isRefreshing(application) && sync?.status === 'Synced' && sync.revision === digest
}

/** Tells Argo CD to look at the tag. Where the Application is not there, or follows something else, it is deployed. */
async function tell(
	session: Session,
	target: ConnectedCluster,
	options: RolloutOptions & { readonly isDeployed: boolean },
): Promise<Application | undefined> {
	const { name, reference, wish, access } = options
	const { signal } = session
	const api = target.argocd.applications
	const ref = { name, namespace: target.argocdNamespace }
	const present = await api.get(ref, { signal })
	if (!options.isDeployed || present?.spec.source?.targetRevision !== reference.tag) {
		await session.workspace.exclusive(
			async () =>
				await deploy(session, target, { ...wish, name, reference, access, wait: false, by: 'deploy' }),
			{ signal },
		)
	}
	const asked = await api.refresh(ref, { signal })
	if (present !== undefined && isStuck(present))
		await restartSync(api, ref, { application: present, prune: wish.prune, signal })
	else if (asked !== undefined && !isAutomated(asked))
		await api.requestSync(ref, { prune: wish.prune !== false, signal })
	return asked
}

/** Why a sync fails that Argo CD tries again, for minutes. */
function whyRefused(application: Application): readonly string[] {
	const errors = explain(application).filter(({ severity }) => severity === 'error')
	return errors.map(({ what, why, message }) => `${what}: ${message ?? why}`)
}

/** Looks at the objects of an Application as long as it is Synced and not Healthy. */
class UnhealthyWatcher {
	readonly #session: Session
	readonly #target: ConnectedCluster
	readonly #options: RolloutOptions & RolloutWatcher
	#application: Application | undefined
	#told = ''
	#cancel: (() => void) | undefined
	#isClosed = false

	constructor(session: Session, target: ConnectedCluster, options: RolloutOptions & RolloutWatcher) {
		this.#session = session
		this.#target = target
		this.#options = options
	}

	see(application: Application, state: Progress): void {
		if (isRetrying(application)) this.#tell(whyRefused(application))
		const isUnwell = state.state !== 'settled' && (state.why === 'progressing' || state.why === 'degraded')
		this.#application = isUnwell ? application : undefined
		if (isUnwell && this.#cancel === undefined) this.#plan()
	}

	#plan(): void {
		if (this.#isClosed) return
		this.#cancel = this.#options.clock.after(LOOK_MS, () => {
			this.#look()
				// Who may not look, or cannot, just does not learn why.
				.catch(() => {})
				.finally(() => {
					this.#cancel = undefined
					if (this.#application !== undefined) this.#plan()
				})
		})
	}

	async #look(): Promise<void> {
		if (this.#application === undefined) return
		this.#tell(await whyUnhealthy(this.#target, this.#application, this.#session.signal))
	}

	#tell(found: readonly string[]): void {
		const text = found.join('\n')
		if (this.#isClosed || text === this.#told || found.length === 0) return
		this.#told = text
		this.#options.onUnhealthy(found)
	}

	close(): void {
		this.#isClosed = true
		this.#cancel?.()
	}
}
