import { resolve } from 'node:path'
import {
	kubectlFor,
	nameForDirectory,
	nextMinorVersion,
	up as upFlow,
	upObjects,
	type UpResult,
} from '../../flows/index.ts'
import { shellWord } from '../../errors/index.ts'
import { formatReference } from '../../oci/index.ts'
import { asTyped, formatYaml, type Program, programOf, type Style } from '../../output/index.ts'
import { directoryOf } from '../chosen-directory.ts'
import type { ApplicationFlags, ClusterFlags, KindFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, applicationOf, clusterOf, kindOf, sessionOf } from '../session.ts'

export interface UpFlags extends CommonFlags, ClusterFlags, RegistryFlags, ApplicationFlags, KindFlags {
	readonly registry?: string
	readonly name?: string
	readonly tag?: string
	readonly port?: number
	readonly image?: string
	readonly force?: boolean
	readonly git?: boolean
}

export async function up(
	invocation: Invocation,
	flags: UpFlags,
	directory: string | undefined,
): Promise<void> {
	const { output, cwd, workspace, signal } = invocation
	const config = await invocation.config()
	const chosen = directoryOf(invocation, { directory, config, command: 'up' })
	const name = flags.name ?? config.name ?? nameForDirectory(resolve(cwd, chosen))
	const options = {
		...clusterOf(invocation, flags, config),
		directory: resolve(cwd, chosen),
		name,
		repository: config.repository,
		registry: flags.registry,
		tag: flags.tag,
		defaultTag: config.tag,
		port: flags.port,
		image: flags.image,
		...kindOf(invocation, flags),
		access: await accessOf(invocation, flags),
		annotations: config.annotations,
		immutable: config.immutable,
		git: flags.git,
		force: flags.force,
		...applicationOf(flags, config),
	}
	const session = sessionOf(invocation)
	if (flags.print) {
		const objects = upObjects(options)
		output.answer({ text: formatYaml(objects), document: { objects } })
		return
	}
	const result = await workspace.exclusive(async () => await upFlow(session, options), { signal })
	output.answer({
		text: describe(result, { style: output.style, directory: chosen, program: programOf(invocation.env) }),
		document: {
			up: {
				...result,
				push: undefined,
				digest: result.revision,
				reference: formatReference(result.push.reference),
			},
		},
	})
}

function describe(
	result: UpResult,
	{
		style,
		directory,
		program,
	}: { readonly style: Style; readonly directory: string; readonly program: Program },
): string {
	const { name, push } = result
	const { repository } = push.reference
	const isContext = result.cluster.startsWith('context:')
	/** Argo CD's own API lets nobody look at Pods with kubectl. */
	const isArgocd = result.cluster.startsWith('argocd:')
	const kubectl = kubectlFor(result.cluster)
	const registry = isContext || isArgocd ? `${push.reference.registry}/` : ''
	const next = nextMinorVersion(result.targetRevision)
	const lines = [
		`${result.changed ? '' : 'Nothing to do: '}${style.bold(name)} is ${style.green('Synced')} and ${style.green('Healthy')} at ${result.targetRevision} (${result.revision})`,
		...(result.keptRevision === undefined
			? []
			: [`It stays at ${result.keptRevision}, where you have put it.`]),
		...(result.cluster === 'sandbox'
			? [
					'It runs in the sandbox, a stand-in for Kubernetes and Argo CD: no container runs. With containers: lading down, then lading up --cluster kind',
				]
			: []),
		'',
		'Next:',
		...columns([
			['lading status', 'what runs, and why when it does not'],
			...(isArgocd ? [] : [[`${kubectl} get pods -n ${result.namespace}`] as const]),
			...(result.cluster === 'sandbox' || isArgocd
				? []
				: [[`lading forward ${name}`, 'reach its Service'] as const]),
			[
				`lading push ${shellWord(directory)} ${registry}${repository}:${next}`,
				'a new version, after an edit',
			],
			[`lading sync ${name} ${next}`],
			['lading down', 'removes all of it'],
		]).map((line) => asTyped(line, program)),
	]
	return lines.join('\n')
}

function columns(rows: readonly (readonly [command: string, what?: string])[]): readonly string[] {
	const width = Math.max(...rows.map(([command]) => command.length))
	return rows.map(
		([command, what]) => `  ${what === undefined ? command : `${command.padEnd(width)}   ${what}`}`,
	)
}
