import type { Application, ApplicationStatus, OperationState, RevisionHistory } from '../../argocd/index.ts'
import { type Cluster, type KubeObject, type ObjectRef, PatchType } from '../../cluster/index.ts'
import { Annotation } from './annotations.ts'
import { clusterReason } from './apply.ts'
import { mergePatchBetween } from './merge-patch.ts'

function applicationRef(application: Application): ObjectRef {
	const { name, namespace } = application.metadata
	return {
		apiVersion: application.apiVersion,
		kind: application.kind,
		name,
		...(namespace !== undefined && { namespace }),
	}
}

const ATTEMPTS = 8
const CLIENT = 'argocd-application-controller'

/**
 * Writes an Application: its status and what the controller may change besides, never
 * its spec. Each method answers the object as it is then, `undefined` when it is gone.
 */
export interface ApplicationWriter {
	/** Writes what differs between two statuses; takes the refresh annotation off, unless it came anew. */
	status(
		application: Application,
		change: { readonly status: ApplicationStatus; readonly refreshed: boolean },
	): Promise<KubeObject | undefined>
	/** Writes the operation's state, with a history where that grew; one that is over also leaves `operation`. */
	operationState(
		application: Application,
		change: { readonly state: OperationState; readonly history?: readonly RevisionHistory[] | undefined },
	): Promise<KubeObject | undefined>
	/** Asks for an operation; `undefined` when another one is in progress or the object is gone. */
	startOperation(
		application: Application,
		operation: Readonly<Record<string, unknown>>,
	): Promise<KubeObject | undefined>
	finalizers(application: Application, finalizers: readonly string[]): Promise<void>
}

export function createApplicationWriter(cluster: Cluster, signal: AbortSignal): ApplicationWriter {
	const options = { type: PatchType.merge, fieldManager: CLIENT, signal } as const
	return {
		async status(application, { status, refreshed }) {
			const ref = applicationRef(application)
			const patch = mergePatchBetween({ status: application.status ?? {} }, { status })
			if (refreshed && application.metadata.annotations?.[Annotation.refresh] !== undefined) {
				const { resourceVersion } = application.metadata
				const metadata = { resourceVersion, annotations: { [Annotation.refresh]: null } }
				try {
					return await cluster.patch(ref, { ...patch, metadata }, options)
				} catch (error) {
					// somebody wrote meanwhile, perhaps the annotation once more: it stays, for another refresh
					if (clusterReason(error) !== 'Conflict') throw error
				}
			}
			return patch === undefined ? application : cluster.patch(ref, patch, options)
		},
		async operationState(application, { state, history }) {
			const ref = applicationRef(application)
			const over = state.phase !== 'Running' && state.phase !== 'Terminating'
			const present = application.status?.operationState
			// fields that are gone have to be named in a merge patch
			const operationState = mergePatchBetween(present ?? {}, state) ?? {}
			const status = { operationState, ...(history !== undefined && { history }) }
			const patch = { status, ...(over && { operation: null }) }
			return cluster.patch(ref, patch, options)
		},
		async startOperation(application, operation) {
			const ref = applicationRef(application)
			for (let attempt = 1; ; attempt += 1) {
				const fresh = await cluster.get(ref, { signal })
				if (fresh === undefined || (fresh['operation'] ?? undefined) !== undefined) return undefined
				const { resourceVersion } = fresh.metadata
				try {
					return await cluster.patch(
						ref,
						{ metadata: { resourceVersion }, operation, status: { operationState: null } },
						options,
					)
				} catch (error) {
					if (clusterReason(error) !== 'Conflict' || attempt === ATTEMPTS) throw error
				}
			}
		},
		async finalizers(application, finalizers) {
			await cluster.patch(applicationRef(application), { metadata: { finalizers } }, options)
		},
	}
}
