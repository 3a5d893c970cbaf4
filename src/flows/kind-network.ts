import { kindTools } from './kind-tools.ts'
import type { Session } from './session.ts'

/**
 * Removes the network that lading's cluster brought, once nobody is on it. A registry that
 * stays on it is told to take it along when it goes.
 */
export async function releaseNetwork(session: Session, network: string | undefined): Promise<void> {
	if (network === undefined) return
	const { docker } = kindTools(session)
	const attached = await docker.network(network)
	if (attached === undefined) return
	if (attached.length === 0) return void (await docker.removeNetwork(network))
	session.workspace.update((state) => ({
		...state,
		...(state.registry?.kind === 'docker' && { registry: { ...state.registry, network } }),
	}))
}
