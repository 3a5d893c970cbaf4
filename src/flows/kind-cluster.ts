import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type ErrorKind, LadingError, UserError } from '../errors/index.ts'
import { kindContext, openCluster, reached, type ReachedCluster } from './clusters.ts'
import { DEFAULT_KIND_NAME, KIND } from './chosen-cluster.ts'
import { type ArgocdChoice, ensureArgocd, readArgocdChoice, waitForArgocd } from './kind-argocd.ts'
import { clusterLabel, type Container, type Docker, markedNodes } from '../kind/index.ts'
import { releaseNetwork } from './kind-network.ts'
import { kindState, recognizeNodes, removeNodes } from './kind-nodes.ts'
import { type KindTools, kindTools } from './kind-tools.ts'
import { joinRegistry } from './join-registry.ts'
import type { Step } from './progress.ts'
import type { Session } from './session.ts'
import type { KindState } from './state.ts'

export interface KindOptions extends ArgocdChoice {
	/** Name of the cluster; what this project has, else `lading`. */
	readonly name?: string | undefined
	/** Node image; kind's own. */
	readonly nodeImage?: string | undefined
	/** Version of Kubernetes, `1.37.0`: that of kind's published node image. */
	readonly kubernetes?: string | undefined
	/** Path of a kind configuration. */
	readonly kindConfig?: string | undefined
	readonly argocdNamespace?: string | undefined
	/** Milliseconds to wait for Argo CD; ten minutes. */
	readonly timeoutMs?: number | undefined
}

export interface KindCluster {
	readonly name: string
	readonly context: string
	readonly kubeconfig: string
	/** Whether lading made it, and will remove it. */
	readonly ours: boolean
	readonly argocd: string | undefined
	/** Whether this call had to do anything. */
	readonly started: boolean
}

const API_TIMEOUT_MS = 120_000
const API_POLL_MS = 500

/**
 * Makes sure that a kind cluster with Argo CD runs, and that it knows this project's
 * registry. One that is there and is not lading's is taken as it is.
 * @throws UserError `TOOL_MISSING`, `DOCKER_NOT_RUNNING`, `TOOL_FAILED`; RemoteError `ARGOCD_NOT_READY`
 */
export async function startKind(session: Session, options: KindOptions = {}): Promise<KindCluster> {
	const { workspace, progress } = session
	refuseOtherCluster(session, options.name)
	// Wrong input is told before anything is made.
	const choice = readArgocdChoice(options)
	const image = nodeImageOf(options)
	const config = options.kindConfig === undefined ? undefined : readConfigFile(options.kindConfig)
	const tools = kindTools(session)
	await Promise.all([tools.docker.version(), tools.kind.version()])

	const name = options.name ?? kindState(session)?.name ?? DEFAULT_KIND_NAME
	const step = progress.step('cluster')
	const made = await ensureCluster(session, tools, { name, image, config, step })
	const { argocdNamespace } = options
	const target = reached(await openCluster(session, { cluster: `${KIND}${name}`, argocdNamespace }))
	const version = await waitForApi(session, target)
	const where = `kind cluster ${name}, Kubernetes ${version}`
	if (made) step.done(where)
	else step.unchanged(where)

	const argocdStep = progress.step('argocd')
	let joined: readonly string[] = []
	const installed = await ensureArgocd(session, target, {
		choice,
		step: argocdStep,
		beforeWorkloads: async () => void (joined = await joinRegistry(session, target)),
	})
	if (!installed) joined = await joinRegistry(session, target)
	await waitForArgocd(session, target, { step: argocdStep, timeoutMs: options.timeoutMs })
	const argocd = kindState(session)?.argocd?.version
	const what = `${argocd ?? 'Argo CD'} in ${target.argocdNamespace}`
	if (installed) argocdStep.done(what)
	else argocdStep.unchanged(what)
	for (const line of joined) progress.note(line)
	return {
		name,
		context: kindContext(name),
		kubeconfig: workspace.paths.kubeconfig,
		ours: kindState(session)?.ours ?? false,
		argocd,
		started: made || installed || joined.length > 0,
	}
}

function refuseOtherCluster({ workspace }: Session, name: string | undefined): void {
	const { cluster } = workspace.state()
	const hint = 'lading down removes what it made; another project is another directory.'
	if (cluster?.kind === 'sandbox')
		throw new UserError('ALREADY_RUNNING', 'this project has a sandbox already', { hint })
	if (cluster?.kind === 'kind' && name !== undefined && name !== cluster.name)
		throw new UserError('ALREADY_RUNNING', `this project has the kind cluster "${cluster.name}" already`, {
			hint,
		})
}

function nodeImageOf({ nodeImage, kubernetes }: KindOptions): string | undefined {
	if (kubernetes === undefined) return nodeImage
	if (nodeImage !== undefined) {
		throw new UserError('USAGE', '--node-image and --kubernetes are both given', {
			hint: 'The image decides the version of Kubernetes: give one of the two.',
		})
	}
	const version = /^v?(\d+\.\d+\.\d+)$/.exec(kubernetes)?.[1]
	if (version !== undefined) return `kindest/node:v${version}`
	throw new UserError('USAGE', `"${kubernetes}" is not a version of Kubernetes`, {
		hint: 'Write it as 1.37.0; https://github.com/kubernetes-sigs/kind/releases lists the images of each kind release.',
	})
}

function readConfigFile(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		throw new UserError('FILE_UNREADABLE', `cannot read the kind configuration ${path}`, { cause: error })
	}
}

interface ClusterWish {
	readonly name: string
	readonly image: string | undefined
	readonly config: string | undefined
	readonly step: Step
}

/** @returns whether anything had to be done */
async function ensureCluster(session: Session, tools: KindTools, wish: ClusterWish): Promise<boolean> {
	const { docker, kind } = tools
	const { name, step } = wish
	const { kubeconfig } = session.workspace.paths
	const wasOurs = kindState(session)?.ours
	const { all, own } = await recognizeNodes(session, name)
	const known = kindState(session)
	if (own.length > 0 && known?.created === false) {
		step.update('removing what an interrupted start has left')
		await removeNodes(docker, own)
		rmSync(kubeconfig, { force: true })
		// What is there now is somebody else's.
		return await ensureCluster(session, tools, wish)
	}
	if (all.length === 0) {
		await createCluster(session, tools, wish)
		return true
	}
	const started = await startNodes(docker, all)
	const text = await kind.kubeconfig(name)
	writeFileSync(kubeconfig, text, { mode: 0o600 })
	if (known === undefined) {
		remember(session, { kind: 'kind', name, ours: false, created: true })
		session.progress.note(`the kind cluster ${name} was there already: it is used, and never removed`)
	}
	return started || wasOurs === undefined || wasOurs !== known?.ours
}

async function createCluster(
	session: Session,
	{ docker, kind, network }: KindTools,
	{ name, image, config, step }: ClusterWish,
): Promise<void> {
	const { workspace } = session
	const { kubeconfig } = workspace.paths
	const before = kindState(session)
	const { registry } = workspace.state()
	const left = registry?.kind === 'docker' ? registry.network : undefined
	const isNew = (await docker.network(network)) === undefined
	const brings = before?.network ?? left ?? (isNew ? network : undefined)
	const mark = randomUUID()
	// Before it is made: what an interrupted start leaves is ours to remove.
	remember(session, { kind: 'kind', name, ours: true, created: false, mark, network: brings })
	// What was deployed into one of this name that is gone is gone too.
	workspace.update((state) => ({
		...state,
		applications: state.applications.filter(({ cluster }) => cluster !== `${KIND}${name}`),
	}))
	step.update(`kind makes the cluster ${name}`)
	try {
		await kind.create({ name, kubeconfig, mark, image, config, onLine: (line) => tellKind(line, step) })
	} catch (error) {
		if (session.signal?.aborted === true || !(error instanceof LadingError) || mayGoOn(error)) throw error
		const kept = before?.created === true ? before : undefined
		throw await takeBack(session, docker, { error, name, mark, kept, brings })
	}
	const ids = markedNodes(await docker.containersWith(clusterLabel(name)), mark).map(({ id }) => id)
	remember(session, { kind: 'kind', name, ours: true, created: true, ids, network: brings })
}

/** Whether kind was broken off, so that what it had begun may still come. */
function mayGoOn({ kind, code }: LadingError): boolean {
	return kind === 'interrupted' || code === 'TIMED_OUT'
}

interface Failure {
	readonly error: LadingError
	readonly name: string
	readonly mark: string
	/** What the state was before; nothing, where that was an interrupted start. */
	readonly kept: KindState | undefined
	readonly brings: string | undefined
}

/**
 * Removes what a start that failed has made, and nothing else of its name: another may have
 * been quicker. Where that cannot be done the state stays, and the next command does it.
 * @returns what to throw
 */
async function takeBack(
	session: Session,
	docker: Docker,
	{ error, name, mark, kept, brings }: Failure,
): Promise<LadingError> {
	try {
		const nodes = await docker.containersWith(clusterLabel(name))
		const own = markedNodes(nodes, mark)
		await removeNodes(docker, own)
		session.workspace.update(({ cluster: _, ...rest }) => (kept ? { ...rest, cluster: kept } : rest))
		if (kept?.network === undefined) await releaseNetwork(session, brings)
		if (own.length === nodes.length) return error
	} catch {
		return error
	}
	return new UserError(error.code, error.message, {
		details: error.details,
		hint: `Another has made a kind cluster ${name} meanwhile. The same command again uses that one; --cluster kind:NAME makes one of another name.`,
		cause: error,
	})
}

/** kind's own steps, ` • Preparing nodes 📦  ...`. */
function tellKind(line: string, step: Step): void {
	const doing = /^•\s*([\x20-\x7e]+)/.exec(line)?.[1]
	if (doing !== undefined) step.update(`kind: ${doing.replace(/[\s.]+$/, '')}`)
}

/** @returns whether one stood still */
async function startNodes(docker: Docker, nodes: readonly Container[]): Promise<boolean> {
	const still = nodes.filter(({ running }) => !running)
	for (const { name } of still) await docker.start(name)
	return still.length > 0
}

/** An API server that has just started refuses everyone until it has read who may do what. */
const NOT_READY: ReadonlySet<ErrorKind> = new Set(['unavailable', 'denied'])

async function waitForApi({ signal }: Session, { cluster }: ReachedCluster): Promise<string> {
	for (let waited = 0; ; waited += API_POLL_MS) {
		try {
			return await cluster.version({ signal })
		} catch (error) {
			const mayCome = error instanceof LadingError && NOT_READY.has(error.kind)
			if (!mayCome || waited >= API_TIMEOUT_MS) throw error
		}
		await delay(API_POLL_MS, undefined, { signal })
	}
}

function remember({ workspace }: Session, cluster: KindState): void {
	workspace.update((state) => ({ ...state, cluster }))
}

/**
 * Removes the kind cluster that lading made; one that is not lading's is only forgotten.
 * @returns what became of it
 */
export async function stopKind(session: Session): Promise<'removed' | 'forgotten' | 'absent'> {
	const { workspace } = session
	const before = kindState(session)
	if (before === undefined) return 'absent'
	const { name } = before
	if (before.ours) {
		const { own } = await recognizeNodes(session, name)
		await removeNodes(kindTools(session).docker, own)
	}
	const isOurs = kindState(session)?.ours === true
	rmSync(workspace.paths.kubeconfig, { force: true })
	workspace.update(({ cluster: _, ...rest }) => ({
		...rest,
		applications: rest.applications.filter(({ cluster }) => cluster !== `${KIND}${name}`),
	}))
	return isOurs ? 'removed' : 'forgotten'
}
