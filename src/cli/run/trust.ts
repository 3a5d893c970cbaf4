import { applyTrust, localTrustHost, openCluster, planTrust, trustObject } from '../../flows/index.ts'
import { formatYaml } from '../../output/index.ts'
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface TrustFlags extends CommonFlags, ClusterFlags, RegistryFlags {
	readonly print?: boolean
}

export async function trust(invocation: Invocation, flags: TrustFlags, host: string): Promise<void> {
	const { output } = invocation
	const session = sessionOf(invocation)
	const choice = clusterOf(invocation, flags, await invocation.config())
	const access = await accessOf(invocation, flags)
	const step = output.progress.step('trust')
	const plan = await planTrust(session, localTrustHost(session, { host, access }))
	if (flags.print) {
		step.done(plan.hosts.join(', '))
		const object = trustObject(plan, choice.argocdNamespace ?? 'argocd')
		output.answer({ text: formatYaml([object]), document: { objects: [object] } })
		return
	}
	const target = await openCluster(session, choice)
	const outcome = await applyTrust(session, target, plan)
	if (outcome === 'changed') step.done(`${plan.registry} (${plan.hosts.join(', ')})`)
	else step.unchanged(`${plan.registry} is trusted already`)
	output.answer({
		text: `Argo CD trusts ${plan.registry}. It reads the CA at its next request, once the kubelet has handed it over: in seconds, or in 1–2 minutes where lading may not annotate pods.`,
		document: { trust: { registry: plan.registry, hosts: plan.hosts, outcome } },
	})
}
