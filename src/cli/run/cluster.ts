import {
	chosenCluster,
	clusterSummary,
	findSandbox,
	joinLocalRegistry,
	type KindCluster,
	localClusterName,
	openCluster,
	releaseNetwork,
	startKind,
	startSandbox,
	stopKind,
	stopSandbox,
} from '../../flows/index.ts'
import { UserError } from '../../errors/index.ts'
import type { ClusterFlags, KindFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { clusterOf, kindOf, sessionOf } from '../session.ts'

export interface ClusterUpFlags
	extends CommonFlags, KindFlags, Pick<ClusterFlags, 'cluster' | 'argocdNamespace'> {
	readonly port?: number
	readonly timeout?: number
}

export interface ClusterStatusFlags extends CommonFlags, Pick<ClusterFlags, 'cluster'> {}
export interface ClusterDownFlags extends CommonFlags, Pick<ClusterFlags, 'cluster'> {}

const KIND = 'kind:'

export async function clusterUp(invocation: Invocation, flags: ClusterUpFlags): Promise<void> {
	const session = sessionOf(invocation)
	const name = chosenCluster(session, clusterOf(invocation, flags, await invocation.config())) ?? 'sandbox'
	if (name === 'sandbox') return await sandboxUp(invocation, flags)
	requireLocal(name)
	const { output, workspace, signal } = invocation
	if (flags.port !== undefined) {
		throw new UserError('USAGE', '--port is for the sandbox: kind chooses the port of its Kubernetes API', {
			hint: 'apiServerPort of --kind-config sets it.',
		})
	}
	const options = {
		...kindOf(invocation, flags),
		name: name.slice(KIND.length),
		argocdNamespace: flags.argocdNamespace,
		timeoutMs: flags.timeout,
	}
	const kind = await workspace.exclusive(async () => await startKind(session, options), { signal })
	output.answer({ text: describeKind(kind), document: { cluster: { kind: 'kind', ...kind } } })
}

function describeKind({ name, argocd, ours, started }: KindCluster): string {
	return [
		`${started ? '' : 'Nothing to do: '}the kind cluster ${name} runs, with Argo CD ${argocd ?? ''}`.trimEnd(),
		...(ours ? [] : ['It was there before, and lading will not remove it.']),
		'',
		'Next: kubectl --kubeconfig .lading/kubeconfig get pods -A',
	].join('\n')
}

async function sandboxUp(invocation: Invocation, flags: ClusterUpFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('cluster')
	const { sandbox, joined } = await workspace.exclusive(
		async () => ({
			sandbox: await startSandbox(session, { port: flags.port }),
			joined: await joinLocalRegistry(session),
		}),
		{ signal },
	)
	const url = `https://127.0.0.1:${sandbox.server.port}`
	if (sandbox.started) step.done(`sandbox at ${url}`)
	else step.unchanged(`the sandbox runs already at ${url}`)
	for (const line of joined) output.progress.note(`registry: ${line}`)
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

export async function clusterStatus(invocation: Invocation, flags: ClusterStatusFlags): Promise<void> {
	const session = sessionOf(invocation)
	const name = await localName(invocation, flags)
	if (name === undefined || name === 'sandbox') return await sandboxStatus(invocation)
	const { server, kubeconfig } = await openCluster(session, { cluster: name })
	const summary = await clusterSummary(session)
	const state = session.workspace.state().cluster
	const argocd = state?.kind === 'kind' ? state.argocd?.version : undefined
	const ours = state?.kind === 'kind' && state.ours
	invocation.output.answer({
		text: [
			`Kind cluster  ${name.slice(KIND.length)} at ${server.href}${ours ? '' : ' (there before lading: never removed)'}`,
			`Kubernetes    ${summary.version}`,
			...(argocd === undefined ? [] : [`Argo CD       ${argocd}`]),
			`Kubeconfig    ${kubeconfig}`,
			`Applications  ${summary.applications}`,
		].join('\n'),
		document: {
			cluster: {
				kind: 'kind',
				name: name.slice(KIND.length),
				url: server.href,
				kubeconfig,
				ours,
				argocd,
				...summary,
			},
		},
	})
}

async function sandboxStatus(invocation: Invocation): Promise<void> {
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

export async function clusterDown(invocation: Invocation, flags: ClusterDownFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const name = await localName(invocation, flags)
	const step = output.progress.step('cluster')
	if (name?.startsWith(KIND) === true) {
		const outcome = await workspace.exclusive(
			async () => {
				const { cluster } = workspace.state()
				const stopped = await stopKind(session)
				if (cluster?.kind === 'kind' && stopped === 'removed') await releaseNetwork(session, cluster.network)
				return stopped
			},
			{ signal },
		)
		if (outcome === 'removed') step.done(`kind cluster ${name.slice(KIND.length)} removed`)
		else if (outcome === 'forgotten') step.unchanged('it is not lading’s, and stays')
		else step.unchanged('there was none')
		output.answer({ text: '', document: { cluster: { stopped: outcome === 'removed', outcome } } })
		return
	}
	const stopped = await workspace.exclusive(async () => await stopSandbox(session), { signal })
	if (stopped) step.done('sandbox stopped and removed')
	else step.unchanged('was not running')
	output.answer({ text: '', document: { cluster: { stopped } } })
}

/** The local cluster that is meant: the one that is named, else the one that this project has. */
async function localName(
	invocation: Invocation,
	flags: Pick<ClusterFlags, 'cluster'>,
): Promise<string | undefined> {
	const own = localClusterName(invocation.workspace.state())
	if (flags.cluster === undefined) return own
	const name = chosenCluster(sessionOf(invocation), clusterOf(invocation, flags, await invocation.config()))
	requireLocal(name)
	if (own === undefined || own === name) return name
	throw new UserError('NOT_FOUND', `this project has no cluster ${name}: it has ${own}`, {
		hint: 'Leave out --cluster: then that one is meant.',
	})
}

/** @throws UserError `USAGE` for a cluster that is not made on this machine */
function requireLocal(name: string | undefined): void {
	if (name === undefined || !/^(?:context|argocd):/.test(name)) return
	throw new UserError('USAGE', `${name} is a cluster that lading neither makes nor removes`, {
		hint: '--cluster takes sandbox, kind or kind:NAME here.',
	})
}
