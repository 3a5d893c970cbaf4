import { UserError } from '../../errors/index.ts'
import {
	type ArgocdComponent,
	argocdComponents,
	type LogLine,
	logs as logsFlow,
	openCluster,
} from '../../flows/index.ts'
import type { ClusterFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, sessionOf } from '../session.ts'

export interface LogsFlags extends CommonFlags, ClusterFlags {
	readonly component?: string
	readonly follow?: boolean
	readonly tail?: number
}

const FOLLOWED_TAIL = 10

export async function logs(
	invocation: Invocation,
	flags: LogsFlags,
	name: string | undefined,
): Promise<void> {
	const { output } = invocation
	const component = componentOf(flags.component, name)
	if (flags.json && flags.follow) {
		throw new UserError('USAGE', '--json gives one document, and --follow does not end', {
			hint: 'Leave out one of the two.',
		})
	}
	const session = sessionOf(invocation)
	const target = await openCluster(session, clusterOf(invocation, flags, await invocation.config()))
	const lines: LogLine[] = []
	let writer: string | undefined
	await logsFlow(session, target, {
		name,
		component,
		follow: flags.follow,
		tail: flags.tail ?? (flags.follow ? FOLLOWED_TAIL : undefined),
		onLine(line) {
			if (flags.json) return void lines.push(line)
			// Who writes is told when it changes, beside the log and not in it.
			const from = `${line.pod} ${line.container}`
			if (from !== writer) output.progress.note(`${from}:`)
			writer = from
			output.line(line.text)
		},
	})
	if (flags.json) output.answer({ text: '', document: { logs: lines } })
}

function componentOf(text: string | undefined, name: string | undefined): ArgocdComponent | undefined {
	if (text === undefined) return undefined
	if (name !== undefined) {
		throw new UserError('USAGE', `the log of ${name} and of a part of Argo CD are both asked for`, {
			hint: 'Leave out the name or --component.',
		})
	}
	const wanted = text.replace(/^argocd-/, '')
	const component = argocdComponents.find((each) => each === wanted)
	if (component !== undefined) return component
	throw new UserError('USAGE', `Argo CD has no part "${text}"`, {
		hint: `Its parts: ${argocdComponents.join(', ')}`,
	})
}
