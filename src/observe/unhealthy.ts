import { type Application, ArgocdName, type ResourceStatus } from '../argocd/index.ts'
import {
	type Cluster,
	fieldOf,
	type KubeObject,
	listOf,
	podsOf,
	podTrouble,
	textOf,
} from '../cluster/index.ts'
import { LadingError } from '../errors/index.ts'

/** A resource that keeps its Application from being Healthy. */
export interface UnhealthyResource {
	readonly kind: string
	readonly namespace?: string | undefined
	readonly name: string
	/** What Kubernetes says of it, in its words. */
	readonly message: string
}

export interface UnhealthyOptions {
	readonly signal?: AbortSignal | undefined
}

/** Why an Application is not Healthy; empty where it is, and where that cannot be told. */
export type ReadUnhealthy = (
	application: Application,
	options?: UnhealthyOptions,
) => Promise<readonly UnhealthyResource[]>

/** Resources and pods that are looked at. */
const MAX_LOOKS = 20
const MAX_TEXT = 300

/** Conditions that are bad news when they are true; all others, when they are not. */
const BAD_WHEN_TRUE: ReadonlySet<string> = new Set(['Failed', 'ReplicaFailure', 'Stalled', 'FailureTarget'])

/**
 * Why an Application is not Healthy. Argo CD keeps no health of single resources in
 * its status, so the live objects are asked: their conditions, and those of the pods
 * they select. Nothing is known of a destination other than this very cluster.
 */
export async function readUnhealthy(
	cluster: Cluster,
	application: Application,
	{ signal }: UnhealthyOptions = {},
): Promise<readonly UnhealthyResource[]> {
	const health = application.status?.health?.status
	const { server, name } = application.spec.destination
	const here = server === ArgocdName.inCluster || (server === undefined && name === 'in-cluster')
	if (!here || (health !== 'Degraded' && health !== 'Progressing')) return []
	const asked = (application.status?.resources ?? [])
		.filter(({ name: each }) => each !== '')
		.slice(0, MAX_LOOKS)
	const found = await Promise.all(asked.map(async (each) => await look(cluster, each, signal)))
	return found.filter((each) => each !== undefined)
}

async function look(
	cluster: Cluster,
	resource: ResourceStatus,
	signal: AbortSignal | undefined,
): Promise<UnhealthyResource | undefined> {
	const { group = '', version = 'v1', kind, namespace, name } = resource
	const apiVersion = group === '' ? version : `${group}/${version}`
	try {
		const live = await cluster.get({ apiVersion, kind, name, namespace }, { signal })
		if (live === undefined) return undefined
		const own = badNews(live)
		if (own === undefined) return undefined
		const message = (await podNews(cluster, live, signal)) ?? own
		return { kind, name, message, ...(namespace !== undefined && { namespace }) }
	} catch (error) {
		signal?.throwIfAborted()
		// Who may not look at it just does not learn why.
		if (error instanceof LadingError) return undefined
		throw error
	}
}

function badNews(live: KubeObject): string | undefined {
	const conditions = listOf(fieldOf(live.status, 'conditions'))
	const bad = conditions.filter((condition) => {
		const expected = BAD_WHEN_TRUE.has(textOf(condition, 'type')) ? 'False' : 'True'
		const told = textOf(condition, 'status')
		return told !== '' && told !== expected && textOf(condition, 'message') !== ''
	})
	// Progressing says what stands still; Available only that something is missing.
	const [first] = bad.toSorted((a, b) => rank(a) - rank(b))
	if (first === undefined) return undefined
	return `${textOf(first, 'type')}: ${textOf(first, 'message')}`.slice(0, MAX_TEXT)
}

function rank(condition: unknown): number {
	return textOf(condition, 'type') === 'Available' ? 1 : 0
}

/** What stops the first pod of a workload that does not run. */
async function podNews(
	cluster: Cluster,
	live: KubeObject,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	if (live.kind === 'Pod') return undefined
	for (const pod of (await podsOf(cluster, live, { signal })).slice(0, MAX_LOOKS)) {
		const why = podTrouble(pod)
		if (why !== undefined) return `Pod ${pod.metadata.name}: ${why}`.slice(0, MAX_TEXT)
	}
	return undefined
}
