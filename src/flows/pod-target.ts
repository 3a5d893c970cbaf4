import { ArgocdName, type Application } from '../argocd/index.ts'
import {
	fieldOf,
	isPodReady,
	type KubeObject,
	labelSelectorOf,
	listOf,
	podsOf,
	podTrouble,
	textOf,
} from '../cluster/index.ts'
import { LadingError, RemoteError, UserError } from '../errors/index.ts'
import type { ConnectedCluster, ReachedCluster } from './clusters.ts'
import type { Session } from './session.ts'

/** The sandbox runs no container. @throws UserError `USAGE` */
export function refuseSandbox({ name }: ConnectedCluster, what: string): void {
	if (name !== 'sandbox') return
	throw new UserError('USAGE', `the sandbox is a stand-in in which no container runs: there is ${what}`, {
		hint: 'lading down, then: lading up --cluster kind',
	})
}

/** An Application, where there is one of that name. */
export async function findApplication(
	{ signal }: Session,
	{ argocd, argocdNamespace: namespace }: ReachedCluster,
	name: string,
): Promise<Application | undefined> {
	return await argocd.applications.get({ name, namespace }, { signal })
}

/** The live objects of some kinds that an Application has deployed into this very cluster. */
export async function deployedObjects(
	{ signal }: Session,
	{ cluster }: ReachedCluster,
	{ application, kinds }: { readonly application: Application; readonly kinds: ReadonlySet<string> },
): Promise<readonly KubeObject[]> {
	const { server, name } = application.spec.destination
	const isHere = server === ArgocdName.inCluster || (server === undefined && name === 'in-cluster')
	if (!isHere) {
		throw new UserError('USAGE', `${application.metadata.name} runs in another cluster (${server ?? name})`, {
			hint: 'Name that one with --cluster context:NAME.',
		})
	}
	const wanted = (application.status?.resources ?? []).filter(({ kind }) => kinds.has(kind))
	const found = await Promise.all(
		wanted.map(async ({ group = '', version = 'v1', kind, namespace, name: each }) => {
			const apiVersion = group === '' ? version : `${group}/${version}`
			return await cluster.get({ apiVersion, kind, name: each, namespace }, { signal })
		}),
	)
	return found.filter((each) => each !== undefined)
}

const WORKLOADS: ReadonlySet<string> = new Set([
	'Deployment',
	'StatefulSet',
	'DaemonSet',
	'ReplicaSet',
	'Job',
	'Pod',
])

/** The pods of an Application. */
export async function podsOfApplication(
	session: Session,
	target: ReachedCluster,
	application: Application,
): Promise<readonly KubeObject[]> {
	const workloads = await deployedObjects(session, target, { application, kinds: WORKLOADS })
	const pods = await Promise.all(
		workloads.map(async (each) => await podsOf(target.cluster, each, { signal: session.signal })),
	)
	return pods.flat()
}

/** One port of a Service. */
export interface ServicePort {
	readonly port: number
	readonly name: string
}

export function portsOf(service: KubeObject): readonly ServicePort[] {
	return listOf(fieldOf(service.spec, 'ports')).flatMap((each) => {
		const port = fieldOf(each, 'port')
		return typeof port === 'number' ? [{ port, name: textOf(each, 'name') }] : []
	})
}

/** Where a connection to a port of a Service goes now. */
export interface Endpoint {
	readonly namespace: string
	readonly pod: string
	readonly port: number
}

/**
 * The pod behind a Service, and its port: asked again for each connection, so that a pod
 * that was replaced does not matter.
 * @throws RemoteError `NOT_FOUND`, `CLUSTER_FAILED`
 */
export async function endpointOf(
	{ signal }: Session,
	{ cluster }: ReachedCluster,
	{ service: ref, port }: { readonly service: KubeObject; readonly port: number },
): Promise<Endpoint> {
	const { name, namespace = 'default' } = ref.metadata
	const service = await cluster.get({ apiVersion: 'v1', kind: 'Service', name, namespace }, { signal })
	if (service === undefined) throw new RemoteError('NOT_FOUND', `the Service ${namespace}/${name} is gone`)
	const labelSelector = labelSelectorOf(fieldOf(service.spec, 'selector'))
	if (labelSelector === undefined)
		throw new RemoteError('CLUSTER_FAILED', `the Service ${namespace}/${name} selects no pods`)
	const { items } = await cluster.list(
		{ apiVersion: 'v1', kind: 'Pod' },
		{ namespace, labelSelector, signal },
	)
	const pod = items.find(isPodReady)
	if (pod === undefined) {
		const why = items.map(podTrouble).find((each) => each !== undefined)
		throw new RemoteError(
			'CLUSTER_FAILED',
			`no pod of the Service ${namespace}/${name} is ready${why === undefined ? '' : `: ${why}`}`,
		)
	}
	return { namespace, pod: pod.metadata.name, port: containerPort(service, { pod, port }) }
}

/** `targetPort`: a number, the name of a container's port, or by default the same. */
function containerPort(
	service: KubeObject,
	{ pod, port }: { readonly pod: KubeObject; readonly port: number },
): number {
	const entry = listOf(fieldOf(service.spec, 'ports')).find((each) => fieldOf(each, 'port') === port)
	const target = fieldOf(entry, 'targetPort')
	if (typeof target === 'number') return target
	if (typeof target !== 'string') return port
	const containers = listOf(fieldOf(pod.spec, 'containers'))
	const named = containers
		.flatMap((container) => listOf(fieldOf(container, 'ports')))
		.find((each) => textOf(each, 'name') === target)
	const found = fieldOf(named, 'containerPort')
	if (typeof found === 'number') return found
	throw new RemoteError('CLUSTER_FAILED', `the pod ${pod.metadata.name} has no port "${target}"`)
}

/** What a failed connection is told by, in one line. */
export function reasonFor(error: unknown): string {
	return error instanceof LadingError || error instanceof Error ? error.message : String(error)
}
