import type { KubeObject } from '../../cluster/index.ts'
import {
	applyTrust,
	type ClusterChoice,
	doctor as doctorFlow,
	type Finding,
	localTrustHost,
	openCluster,
	planTrust,
	type RegistryAccess,
	stateFault,
	trustObject as objectOfTrust,
	type TrustPlan,
} from '../../flows/index.ts'
import { inProject, type Project, type ProjectOptions } from '../project.ts'

export interface DoctorOptions extends ProjectOptions, ClusterChoice {
	/** Only these Applications; absent or empty: all. */
	readonly names?: readonly string[] | undefined
	readonly access?: RegistryAccess | undefined
}

export async function doctor(options: DoctorOptions): Promise<readonly Finding[]> {
	return await inProject(options, async ({ session, cluster, access }) => {
		const unreadable = stateFault(session)
		if (unreadable) return [unreadable]
		return await doctorFlow(session, {
			...cluster(options),
			names: options.names ?? [],
			access: access(options.access),
			nodeVersion: process.version,
			now: Date.now,
		})
	})
}

export interface TrustOptions extends ProjectOptions, ClusterChoice {
	/** `host[:port]`, or a reference: then the hosts that its blobs are redirected to are followed too. */
	readonly host: string
	/** `caFile` names the CA; without it, the one that the registry shows is taken where the system trusts it. */
	readonly access?: RegistryAccess | undefined
}

export interface TrustResult extends TrustPlan {
	/** Whether the cluster was changed. */
	readonly outcome: 'changed' | 'unchanged'
}

export async function trust(options: TrustOptions): Promise<TrustResult> {
	return await inProject(options, async (project) => {
		const plan = await planOf(project, options)
		const target = await openCluster(project.session, project.cluster(options))
		return { ...plan, outcome: await applyTrust(project.session, target, plan) }
	})
}

export async function trustObject(options: TrustOptions): Promise<KubeObject> {
	return await inProject(options, async (project) =>
		objectOfTrust(await planOf(project, options), options.argocdNamespace ?? 'argocd'),
	)
}

async function planOf({ session, access }: Project, options: TrustOptions): Promise<TrustPlan> {
	const wish = { host: options.host, access: access(options.access) }
	return await planTrust(session, localTrustHost(session, wish))
}
