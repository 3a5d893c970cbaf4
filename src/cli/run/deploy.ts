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
import type { ClusterFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface DeployFlags extends CommonFlags, RegistryFlags, ClusterFlags {
	readonly clusterRegistry?: string
	readonly pin: boolean
	readonly print: boolean
	readonly wait?: boolean
	readonly timeout?: number
	readonly namespace?: string
	readonly path?: string
	readonly recurse: boolean
	readonly project?: string
	readonly manual: boolean
	readonly prune?: boolean
	readonly serverSide: boolean
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
	const mine = config.name === name ? config : {}
	const choice = clusterOf(invocation, flags, config)
	const options = {
		name,
		reference: readReference(session, text),
		clusterRegistry: flags.clusterRegistry,
		namespace: flags.namespace ?? mine.namespace,
		path: flags.path ?? mine.path,
		recurse: flags.recurse || mine.recurse,
		project: flags.project ?? mine.project,
		manual: flags.manual,
		prune: flags.prune,
		serverSide: flags.serverSide || undefined,
		pin: flags.pin,
		wait: flags.wait,
		timeoutMs: flags.timeout,
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
	const state = result.sync
		? `${result.sync.sync} and ${result.sync.health}`
		: result.changed
			? 'applied'
			: 'unchanged'
	output.answer({
		text: `${name} is ${state} at ${result.targetRevision} (${result.digest})`,
		document: { deploy: result },
	})
}
