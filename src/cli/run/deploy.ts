import {
	deploy as deployFlow,
	deployObjects,
	openCluster,
	printableRepoUrl,
	readReference,
	targetRevisionOf,
} from '../../flows/index.ts'
import { formatYaml } from '../../output/index.ts'
import { UserError } from '../../errors/index.ts'
import type { ApplicationFlags, ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, applicationOf, clusterOf, sessionOf } from '../session.ts'

export interface DeployFlags extends CommonFlags, RegistryFlags, ClusterFlags, ApplicationFlags {
	readonly pin?: boolean
	readonly wait?: boolean
}

export async function deploy(
	invocation: Invocation,
	flags: DeployFlags,
	name: string,
	text: string,
): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const config = await invocation.config()
	const choice = clusterOf(invocation, flags, config)
	const options = {
		name,
		reference: readReference(session, text),
		...applicationOf(flags, config.name === name ? config : {}),
		pin: flags.pin,
		wait: flags.wait,
		access: await accessOf(invocation, flags),
		by: 'deploy',
	} as const
	if (flags.print) {
		if (flags.pin && options.reference.digest === undefined) {
			throw new UserError('USAGE', '--print touches no registry, and --pin needs the digest', {
				hint: `Name it: ${text}@sha256:…`,
			})
		}
		const { secret, application } = deployObjects(options, {
			repoURL: printableRepoUrl(session, options),
			targetRevision: targetRevisionOf(options.reference),
			argocdNamespace: choice.argocdNamespace ?? 'argocd',
		})
		output.answer({ text: formatYaml([secret, application]), document: { objects: [secret, application] } })
		return
	}
	const target = await openCluster(session, choice)
	const result = await workspace.exclusive(async () => await deployFlow(session, target, options), { signal })
	const state = !result.changed
		? 'unchanged'
		: result.sync
			? `${result.sync.sync} and ${result.sync.health}`
			: 'applied'
	output.answer({
		text: `${name} is ${state} at ${result.targetRevision} (${result.digest})`,
		document: { deploy: result },
	})
}
