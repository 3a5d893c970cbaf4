import { rmSync } from 'node:fs'
import { clusterLabel, type Container, type Docker, markedNodes } from '../kind/index.ts'
import { KIND } from './chosen-cluster.ts'
import { kindTools } from './kind-tools.ts'
import type { Session } from './session.ts'
import type { KindState } from './state.ts'

/** The containers of one kind cluster. */
export interface KindNodes {
	readonly all: readonly Container[]
	/** Those that this project has made. */
	readonly own: readonly Container[]
}

/** What the state says of the kind cluster. */
export function kindState({ workspace }: Session): KindState | undefined {
	const { cluster } = workspace.state()
	return cluster?.kind === 'kind' ? cluster : undefined
}

/**
 * Looks which containers a kind cluster has, and which of them are lading's: a name may
 * have been given to another cluster meanwhile. Of one that is not lading's the state
 * says so from here on, and the user is told.
 */
export async function recognizeNodes(session: Session, name: string): Promise<KindNodes> {
	const all = await kindTools(session).docker.containersWith(clusterLabel(name))
	const known = kindState(session)
	if (known?.ours !== true) return { all, own: [] }
	const own = ownNodes(all, known)
	if (all.length > 0 && own.length === 0) disown(session, known)
	return { all, own }
}

/** By the ids of those that were made, and by its mark where the start was interrupted. */
function ownNodes(nodes: readonly Container[], { created, ids, mark }: KindState): readonly Container[] {
	if (created) return nodes.filter(({ id }) => ids?.includes(id) === true)
	return mark === undefined ? [] : markedNodes(nodes, mark)
}

function disown({ workspace, progress }: Session, { name, created, ids, mark }: KindState): void {
	// A state file of before has neither: what it tells of may be there still.
	const isKnown = (created ? ids : mark) !== undefined
	workspace.update((state) => ({
		...state,
		cluster: { kind: 'kind', name, ours: false, created: true },
		...(isKnown && {
			applications: state.applications.filter(({ cluster }) => cluster !== `${KIND}${name}`),
		}),
	}))
	if (isKnown) rmSync(workspace.paths.kubeconfig, { force: true })
	progress.warn(
		isKnown
			? `the kind cluster ${name} is not one that lading has made: it is never removed`
			: `nothing shows that lading has made the kind cluster ${name}: it is never removed`,
		`Where nobody needs it: kind delete cluster --name ${name}`,
	)
}

/** As kind removes nodes, but these and no others. */
export async function removeNodes(docker: Docker, nodes: readonly Container[]): Promise<void> {
	for (const { id } of nodes) await docker.remove(id)
}
