import type { KubeObject } from '../cluster/index.ts'
import type { DownResult, InitResult, UpResult } from '../flows/index.ts'
import type { DevOptions, DownOptions, InitOptions, UpOptions } from './run/road.ts'

/**
 * Starts a project: `lading.yaml` and sample manifests.
 * @throws UserError `USAGE` for a name that cannot be one and for a `lading.yaml` that is there, `DIRECTORY_INVALID`,
 *   `FILE_UNWRITABLE`
 */
export async function init(options: InitOptions = {}): Promise<InitResult> {
	return await (await import('./run/road.ts')).init(options)
}

/**
 * Registry, cluster, trust, push, deploy, wait. What it starts goes on in the background until {@link down}.
 * @throws UserError those of `push` and `deploy`; `TOOL_MISSING`, `DOCKER_NOT_RUNNING`, `SERVER_NOT_STARTED`,
 *   `REVISION_KEPT`, `ALREADY_RUNNING`
 * @throws RemoteError those of `push` and `deploy`
 */
export async function up(options: UpOptions): Promise<UpResult> {
	return await (await import('./run/road.ts')).up(options)
}

/** The objects that {@link up} would apply. Starts nothing. */
export async function upObjects(options: UpOptions): Promise<readonly KubeObject[]> {
	return await (await import('./run/road.ts')).upObjects(options)
}

/**
 * Brings up what {@link up} does, and then has everything that is saved in a directory run, until `signal` aborts.
 * What is wrong with a save, a registry or a cluster is an event.
 * @throws UserError `INTERRUPTED` with what is left; `USAGE`, `REVISION_KEPT`, `APPLICATION_OWNED`, those of `up`
 * @throws RemoteError those of `up`
 */
export async function dev(options: DevOptions): Promise<never> {
	return await (await import('./run/road.ts')).dev(options)
}

/**
 * Removes what {@link up} and its parts made, and nothing else.
 * @throws UserError `STATE_INVALID` without `force`; RemoteError those of a cluster
 */
export async function down(options: DownOptions = {}): Promise<DownResult> {
	return await (await import('./run/road.ts')).down(options)
}
