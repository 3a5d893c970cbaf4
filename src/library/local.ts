import type {
	ClusterDownResult,
	ClusterStatusResult,
	ClusterUpOptions,
	ProjectCluster,
	ProjectRegistry,
	RegistryDownOptions,
	RegistryDownResult,
	RegistryStatusResult,
	RegistryUpOptions,
} from './run/local.ts'
import type { ProjectOptions } from './project.ts'

/**
 * Starts the project's registry in the background, unless it runs.
 * @throws UserError `PORT_TAKEN`, `SERVER_NOT_STARTED`, `DOCKER_NOT_RUNNING`, `ALREADY_RUNNING`
 */
export async function registryUp(options: RegistryUpOptions = {}): Promise<ProjectRegistry> {
	return await (await import('./run/local.ts')).registryUp(options)
}

/** The project's registry and what is in it. @throws UserError `NOT_RUNNING` */
export async function registryStatus(options: ProjectOptions = {}): Promise<RegistryStatusResult> {
	return await (await import('./run/local.ts')).registryStatus(options)
}

/** Stops the project's registry, and removes its artifacts unless told otherwise. */
export async function registryDown(options: RegistryDownOptions = {}): Promise<RegistryDownResult> {
	return await (await import('./run/local.ts')).registryDown(options)
}

/**
 * Starts the project's cluster with Argo CD in the background, unless it runs.
 * @throws UserError `USAGE`, `PORT_TAKEN`, `SERVER_NOT_STARTED`, `TOOL_MISSING`, `TOOL_FAILED`, `DOCKER_NOT_RUNNING`
 * @throws RemoteError `ARGOCD_NOT_READY`, those of a cluster
 */
export async function clusterUp(options: ClusterUpOptions = {}): Promise<ProjectCluster> {
	return await (await import('./run/local.ts')).clusterUp(options)
}

/** The project's cluster. @throws UserError `NOT_RUNNING`; RemoteError those of a cluster */
export async function clusterStatus(options: ProjectOptions = {}): Promise<ClusterStatusResult> {
	return await (await import('./run/local.ts')).clusterStatus(options)
}

/** Removes the project's cluster. One that was there before lading stays. */
export async function clusterDown(options: ProjectOptions = {}): Promise<ClusterDownResult> {
	return await (await import('./run/local.ts')).clusterDown(options)
}
