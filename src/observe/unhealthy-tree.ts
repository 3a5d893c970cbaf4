import * as v from 'valibot'
import type { Application } from '../argocd/index.ts'
import { type ArgocdClient, readAnswer } from '../argocd-api/index.ts'
import { LadingError } from '../errors/index.ts'
import type { UnhealthyOptions, UnhealthyResource } from './unhealthy.ts'

const node = v.looseObject({
	uid: v.optional(v.string(), ''),
	kind: v.string(),
	name: v.string(),
	namespace: v.optional(v.string()),
	health: v.nullish(v.looseObject({ status: v.optional(v.string()), message: v.optional(v.string()) })),
	parentRefs: v.nullish(v.array(v.looseObject({ uid: v.optional(v.string(), '') }))),
	info: v.nullish(v.array(v.looseObject({ name: v.string(), value: v.optional(v.string(), '') }))),
})
const tree = v.looseObject({ nodes: v.nullish(v.array(node)) })

type Node = v.InferOutput<typeof node>

const MAX_TEXT = 300
const BAD: ReadonlySet<string> = new Set(['Degraded', 'Missing', 'Progressing'])
/** Reasons of a pod that only say that it takes its time. */
const PATIENT: ReadonlySet<string> = new Set([
	'Running',
	'Pending',
	'ContainerCreating',
	'PodInitializing',
	'Succeeded',
])

/**
 * Why an Application is not Healthy, by the tree of live objects that Argo CD itself keeps.
 * @see argo-cd server/application/application.go ResourceTree
 */
export async function readUnhealthyTree(
	client: ArgocdClient,
	application: Application,
	{ namespace, signal }: UnhealthyOptions & { readonly namespace?: string | undefined } = {},
): Promise<readonly UnhealthyResource[]> {
	const health = application.status?.health?.status
	if (health !== 'Degraded' && health !== 'Progressing') return []
	try {
		const path = `v1/applications/${encodeURIComponent(application.metadata.name)}/resource-tree`
		const answer = await client.json({ path, query: { appNamespace: namespace }, signal })
		const { nodes } = readAnswer(tree, answer)
		return rootsOf(nodes ?? [])
	} catch (error) {
		signal?.throwIfAborted()
		// Who may not look at it just does not learn why.
		if (error instanceof LadingError) return []
		throw error
	}
}

/** For each resource of the Application that is not well, the worst news below it: a pod's says more than its Deployment's. */
function rootsOf(nodes: readonly Node[]): readonly UnhealthyResource[] {
	const byUid = new Map(nodes.map((each) => [each.uid, each]))
	const news = new Map<Node, { readonly message: string; readonly depth: number }>()
	for (const each of nodes) {
		const own = newsOf(each)
		if (own === undefined) continue
		const { root, depth } = rootOf(each, byUid)
		const known = news.get(root)
		if (known !== undefined && known.depth >= depth) continue
		const message = depth === 0 ? own : `${each.kind} ${each.name}: ${own}`
		news.set(root, { message: message.slice(0, MAX_TEXT), depth })
	}
	return [...news].map(([{ kind, name, namespace }, { message }]) => ({
		kind,
		name,
		message,
		...(namespace !== undefined && namespace !== '' && { namespace }),
	}))
}

function newsOf({ health, info }: Node): string | undefined {
	if (!BAD.has(health?.status ?? '')) return undefined
	const reason = info?.find(({ name }) => name === 'Status Reason')?.value ?? ''
	const parts = [PATIENT.has(reason) ? '' : reason, health?.message ?? ''].filter((part) => part !== '')
	return parts.length === 0 ? undefined : parts.join(': ')
}

function rootOf(
	start: Node,
	byUid: ReadonlyMap<string, Node>,
): { readonly root: Node; readonly depth: number } {
	let root = start
	// A tree of Kubernetes is a few levels deep; a circle of references ends here.
	for (let depth = 0; depth < 10; depth++) {
		const parent = byUid.get(root.parentRefs?.[0]?.uid ?? '')
		if (parent === undefined) return { root, depth }
		root = parent
	}
	return { root, depth: 10 }
}
