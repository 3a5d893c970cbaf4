import { ArgocdName } from '../argocd/index.ts'
import type { Cluster, KubeObject } from '../cluster/index.ts'
import type { ArgocdManifest } from './argocd-manifest.ts'

export interface InstallOptions {
	readonly namespace: string
	readonly fieldManager: string
	/**
	 * Done when everything but the workloads is there: what they shall find at their start,
	 * which the kubelet would otherwise hand them a minute later.
	 */
	readonly beforeWorkloads?: (() => Promise<void>) | undefined
	readonly onProgress?: ((done: number, of: number) => void) | undefined
	readonly signal?: AbortSignal | undefined
}

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job'])
const AT_ONCE = 6

/** Applies an installation of Argo CD on the server side. Run again, it mends what is missing. */
export async function installArgocd(
	cluster: Cluster,
	{ objects }: ArgocdManifest,
	options: InstallOptions,
): Promise<void> {
	const { namespace, fieldManager, onProgress, signal } = options
	let done = 0
	const apply = async (group: readonly KubeObject[]): Promise<void> => {
		const waiting = [...group]
		const worker = async (): Promise<void> => {
			for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) {
				await cluster.apply(object, { fieldManager, force: true, signal })
				onProgress?.(++done, objects.length)
			}
		}
		await Promise.all(Array.from({ length: AT_ONCE }, worker))
	}
	const isWorkload = ({ kind }: KubeObject): boolean => WORKLOADS.has(kind)
	await cluster.apply(
		{
			apiVersion: 'v1',
			kind: 'Namespace',
			metadata: { name: namespace, labels: { [ArgocdName.managedByLabel]: ArgocdName.managedByLading } },
		},
		{ fieldManager, force: true, signal },
	)
	await apply(objects.filter((object) => !isWorkload(object)))
	await options.beforeWorkloads?.()
	await apply(objects.filter(isWorkload))
}
