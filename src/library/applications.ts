import type { KubeObject } from '../cluster/index.ts'
import type {
	Deployment,
	DeployResult,
	Finding,
	LogLine,
	RollbackPlan,
	RollbackResult,
	SyncFlowResult,
} from '../flows/index.ts'
import type {
	DeployOptions,
	HistoryOptions,
	RollbackOptions,
	StatusOptions,
	StatusResult,
	SyncOptions,
	UndeployOptions,
} from './run/applications.ts'
import type { DoctorOptions, TrustOptions, TrustResult } from './run/health.ts'
import type { ForwardOptions, LogsOptions, OpenForwarding } from './run/pods.ts'

/**
 * Makes repository Secret and Application, and waits until it is Synced at the digest and Healthy.
 * @throws UserError `ARTIFACT_REFUSED`, `APPLICATION_OWNED`, `ARGOCD_UNSUPPORTED`, `NAME_TAKEN`, `USAGE`
 * @throws RemoteError `SYNC_FAILED`, `APPLICATION_DEGRADED`, `TIMED_OUT`, `NOT_FOUND`, those of registry and cluster
 */
export async function deploy(options: DeployOptions): Promise<DeployResult> {
	return await (await import('./run/applications.ts')).deploy(options)
}

/**
 * The objects that {@link deploy} would apply, Secret first: for GitOps. Asks no registry and no cluster.
 * @throws UserError `USAGE`, `REFERENCE_INVALID`, `OBJECT_INVALID`
 */
export async function deployObjects(options: DeployOptions): Promise<readonly KubeObject[]> {
	return await (await import('./run/applications.ts')).deployObjects(options)
}

/**
 * Removes an Application, with what it deployed.
 * @throws UserError `APPLICATION_OWNED`; RemoteError `NOT_FOUND`, `TIMED_OUT`, those of a cluster
 */
export async function undeploy(options: UndeployOptions): Promise<void> {
	await (await import('./run/applications.ts')).undeploy(options)
}

/**
 * Moves an Application to a revision, and waits until it is Synced at the digest and Healthy.
 * @throws UserError `ARTIFACT_REFUSED`, `APPLICATION_OWNED`
 * @throws RemoteError `SYNC_FAILED`, `APPLICATION_DEGRADED`, `TIMED_OUT`, `NOT_FOUND`, those of registry and cluster
 */
export async function sync(options: SyncOptions): Promise<SyncFlowResult> {
	return await (await import('./run/applications.ts')).sync(options)
}

/**
 * Moves an Application back to a deployment of its history, pinned by digest, and waits.
 * @throws UserError `APPLICATION_OWNED`, `ARTIFACT_REFUSED`; RemoteError as {@link sync}
 */
export async function rollback(options: RollbackOptions): Promise<RollbackResult> {
	return await (await import('./run/applications.ts')).rollback(options)
}

/** Where {@link rollback} would move it; changes nothing. Throws as it does. */
export async function planRollback(options: RollbackOptions): Promise<RollbackPlan> {
	return await (await import('./run/applications.ts')).planRollback(options)
}

/**
 * What runs, and why when it does not.
 * @throws UserError `USAGE` without a cluster, `NOT_RUNNING`; RemoteError `NOT_FOUND`, those of a cluster
 */
export async function status(options: StatusOptions = {}): Promise<StatusResult> {
	return await (await import('./run/applications.ts')).status(options)
}

/**
 * What an Application was deployed at, newest first.
 * @throws UserError `USAGE` without a cluster; RemoteError `NOT_FOUND`, those of a cluster
 */
export async function history(options: HistoryOptions): Promise<readonly Deployment[]> {
	return await (await import('./run/applications.ts')).history(options)
}

/**
 * The log of an Application's Pods, or of a part of Argo CD.
 * @throws UserError `USAGE`; RemoteError `NOT_FOUND`, those of a cluster
 */
export async function logs(options: LogsOptions = {}): Promise<readonly LogLine[]> {
	return await (await import('./run/pods.ts')).logs(options)
}

/**
 * Makes a Service reachable on this machine's loopback until it is closed or the signal aborts.
 * @throws UserError `PORT_TAKEN`, `USAGE`; RemoteError `NOT_FOUND`, those of a cluster
 */
export async function forward(options: ForwardOptions): Promise<OpenForwarding> {
	return await (await import('./run/pods.ts')).forward(options)
}

/**
 * Looks for every known fault; each finding names its fix. A fault is an answer, and is not thrown.
 * @throws RemoteError `NOT_FOUND` for an Application that is named and is not there
 */
export async function doctor(options: DoctorOptions = {}): Promise<readonly Finding[]> {
	return await (await import('./run/health.ts')).doctor(options)
}

/**
 * Makes Argo CD trust a registry's CA, and those of the hosts that it sends its clients to.
 * @throws UserError `CA_UNREADABLE`, `REFERENCE_INVALID`; RemoteError those of reaching the registry, and of a cluster
 */
export async function trust(options: TrustOptions): Promise<TrustResult> {
	return await (await import('./run/health.ts')).trust(options)
}

/** The ConfigMap that {@link trust} would apply. Asks the registry, and no cluster. */
export async function trustObject(options: TrustOptions): Promise<KubeObject> {
	return await (await import('./run/health.ts')).trustObject(options)
}
