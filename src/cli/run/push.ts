import { resolve } from 'node:path'
import { UserError } from '../../errors/index.ts'
import { push as pushFlow, readReference, refreshFollowers, UNTOLD_AGENT } from '../../flows/index.ts'
import { formatReference } from '../../oci/index.ts'
import type { ClusterFlags, JudgeFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, clusterOf, sessionOf } from '../session.ts'

export interface PushFlags extends CommonFlags, RegistryFlags, ClusterFlags, JudgeFlags {
	readonly tag?: readonly string[]
	readonly force?: boolean
	readonly check?: boolean
	readonly git?: boolean
	readonly annotation?: readonly string[]
	readonly compress?: string
	readonly refresh?: boolean
	readonly pin?: boolean
}

export async function push(
	invocation: Invocation,
	flags: PushFlags,
	directory: string,
	text: string,
): Promise<void> {
	const { output, cwd } = invocation
	const session = sessionOf(invocation)
	const config = await invocation.config()
	const result = await pushFlow(session, {
		directory: resolve(cwd, directory),
		reference: readReference(session, text),
		tags: flags.tag,
		access: {
			...(await accessOf(invocation, flags)),
			...(flags.refresh === false && { userAgent: UNTOLD_AGENT }),
		},
		annotations: { ...config.annotations, ...annotationsOf(flags.annotation ?? []) },
		git: flags.git,
		compress: compressionOf(flags.compress),
		force: flags.force,
		check:
			flags.check === false
				? false
				: {
						version: flags.argocdVersion,
						path: flags.path ?? config.path,
						recurse: flags.recurse || config.recurse,
						serverSide: flags.serverSide,
						cache: flags.cache,
					},
	})
	const refreshed =
		flags.refresh === false
			? []
			: await refreshFollowers(session, [result], {
					...clusterOf(invocation, flags, config),
					demanded: flags.refresh === true,
				})
	const { registry, repository, digest, tag } = result.reference
	const line = formatReference({ registry, repository, digest, tag: flags.pin ? tag : undefined })
	output.answer({ text: line, document: { ...result, reference: line, digest, refreshed } })
}

function compressionOf(how: string | undefined): 'none' | 'gzip' | undefined {
	if (how === undefined || how === 'none' || how === 'gzip') return how
	throw new UserError('USAGE', `"${how}" is not a compression that Argo CD reads`, {
		hint: '--compress takes none or gzip.',
	})
}

function annotationsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
	return Object.fromEntries(
		pairs.map((pair) => {
			const equals = pair.indexOf('=')
			if (equals < 1)
				throw new UserError('USAGE', `"${pair}" is not an annotation`, { hint: 'Write it as KEY=VALUE.' })
			return [pair.slice(0, equals), pair.slice(equals + 1)]
		}),
	)
}
