import { clusterSummary, findSandbox, startSandbox, stopSandbox } from '../../flows/index.ts'
import { UserError } from '../../errors/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface ClusterUpFlags extends CommonFlags {
	readonly port?: number
}

export type ClusterStatusFlags = CommonFlags
export type ClusterDownFlags = CommonFlags

export async function clusterUp(invocation: Invocation, flags: ClusterUpFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('cluster')
	const sandbox = await workspace.exclusive(async () => await startSandbox(session, { port: flags.port }), {
		signal,
	})
	const url = `https://127.0.0.1:${sandbox.server.port}`
	if (sandbox.started) step.done(`sandbox at ${url}`)
	else step.unchanged(`the sandbox runs already at ${url}`)
	output.answer({
		text: `Sandbox at ${url}: a stand-in for Kubernetes with Argo CD; no container runs in it\n\nNext: kubectl --kubeconfig ${sandbox.kubeconfig} get namespaces`,
		document: {
			cluster: {
				kind: 'sandbox',
				url,
				kubeconfig: sandbox.kubeconfig,
				pid: sandbox.server.pid,
				started: sandbox.started,
			},
		},
	})
}

export async function clusterStatus(invocation: Invocation): Promise<void> {
	const session = sessionOf(invocation)
	const sandbox = findSandbox(session)
	if (!sandbox)
		throw new UserError('NOT_RUNNING', 'the sandbox is not running', { hint: 'lading cluster up' })
	const summary = await clusterSummary(session)
	const url = `https://127.0.0.1:${sandbox.server.port}`
	invocation.output.answer({
		text: [
			`Sandbox       ${url} (a stand-in: no container runs in it)`,
			`Kubernetes    ${summary.version}`,
			`Kubeconfig    ${sandbox.kubeconfig}`,
			`Process       ${sandbox.server.pid}, since ${sandbox.server.startedAt}`,
			`Applications  ${summary.applications}`,
		].join('\n'),
		document: {
			cluster: { kind: 'sandbox', url, kubeconfig: sandbox.kubeconfig, pid: sandbox.server.pid, ...summary },
		},
	})
}

export async function clusterDown(invocation: Invocation): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('cluster')
	const stopped = await workspace.exclusive(async () => await stopSandbox(session), { signal })
	if (stopped) step.done('sandbox stopped and removed')
	else step.unchanged('was not running')
	output.answer({ text: '', document: { cluster: { stopped } } })
}
