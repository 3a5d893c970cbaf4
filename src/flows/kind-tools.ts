import { createDocker, createKind, createToolRunner, type Docker, type Kind } from '../kind/index.ts'
import type { Session } from './session.ts'

export interface KindTools {
	readonly docker: Docker
	readonly kind: Kind
	/** The network that kind puts its nodes on. */
	readonly network: string
}

/** Docker and kind, run as the environment of the command says. */
export function kindTools({ env, signal, platform = 'linux', ...session }: Session): KindTools {
	const run = session.runTool ?? createToolRunner({ env, platform })
	return {
		docker: createDocker({ run, platform, signal }),
		kind: createKind({ run, signal }),
		// kind's own variable for who keeps clusters apart.
		network: env.KIND_EXPERIMENTAL_DOCKER_NETWORK || 'kind',
	}
}
