import { forward as forwardFlow, openCluster } from '../../flows/index.ts'
import type { ClusterFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface ForwardFlags extends CommonFlags, ClusterFlags {}

export async function forward(
	invocation: Invocation,
	flags: ForwardFlags,
	name: string,
	ports: string | undefined,
): Promise<void> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	await forwardFlow(session, target, {
		name,
		ports,
		onReady(forwarding) {
			const { host, localPort, namespace, service, port } = forwarding
			output.answer({
				text: `http://${host}:${localPort} is port ${port} of the Service ${namespace}/${service}. Ctrl-C ends it.`,
				document: { forward: forwarding },
			})
		},
	})
}
