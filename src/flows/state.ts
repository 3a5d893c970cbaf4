import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { isSystemError, UserError } from '../errors/index.ts'

/**
 * One registry under its two names: the one a push from this machine uses and the
 * one the cluster uses. Each is `host` or `host:port`.
 */
export interface RegistryEndpoint {
	readonly push: string
	readonly cluster: string
}

/** The embedded registry: a process of ours. */
export interface EmbeddedRegistryState {
	readonly kind: 'embedded'
	readonly endpoint: RegistryEndpoint
}

/** A registry in a container that lading made. */
export interface DockerRegistryState {
	readonly kind: 'docker'
	readonly endpoint: RegistryEndpoint
	/** Name of the container, and its name on the cluster's network. */
	readonly container: string
	readonly volume: string
	readonly image: string
	/** The network that a cluster of lading's has left because this is on it. */
	readonly network?: string | undefined
}

export type RegistryState = EmbeddedRegistryState | DockerRegistryState

export interface SandboxState {
	readonly kind: 'sandbox'
	/** Kept over a restart, so that a kubeconfig stays right. */
	readonly port: number
}

export interface KindState {
	readonly kind: 'kind'
	readonly name: string
	/** Whether lading makes it: only then it is changed beyond what is deployed, and removed. */
	readonly ours: boolean
	/** Whether kind has finished: one that is half made is made anew. */
	readonly created: boolean
	/** What the nodes of a start carry that may have been interrupted; random. */
	readonly mark?: string | undefined
	/** Of the containers that were made, once kind has finished: another cluster of this name has others. */
	readonly ids?: readonly string[] | undefined
	/** The network that came with it, and goes with it. */
	readonly network?: string | undefined
	/** The installation that was applied whole. */
	readonly argocd?: { readonly version: string; readonly digest: string } | undefined
}

export type ClusterState = SandboxState | KindState

/** An Application that `up` or `deploy` made. */
export interface DeployedApplication {
	readonly name: string
	/** Namespace of the Application object. */
	readonly namespace: string
	/** `sandbox`, `kind:NAME`, `context:NAME` or `argocd:HOST`. */
	readonly cluster: string
	/** Path of the kubeconfig that was named for it. */
	readonly kubeconfig?: string | undefined
	/** Path of the CA that was named for `argocd:HOST`. */
	readonly argocdCa?: string | undefined
	readonly repository: string
	/** `targetRevision` as lading last set it. */
	readonly revision: string
	/** Who set `revision`: `up` never moves an Application back from what `sync` set. */
	readonly setBy: 'up' | 'deploy' | 'sync'
}

/** What lading made on this machine and in clusters: `.lading/state.json`. */
export interface State {
	readonly version: 1
	readonly registry?: RegistryState | undefined
	readonly cluster?: ClusterState | undefined
	readonly applications: readonly DeployedApplication[]
}

export const emptyState: State = { version: 1, applications: [] }

const portSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))

const endpointSchema = v.object({ push: v.string(), cluster: v.string() })

const stateSchema: v.GenericSchema<unknown, State> = v.object({
	version: v.literal(1),
	registry: v.optional(
		v.variant('kind', [
			v.object({ kind: v.literal('embedded'), endpoint: endpointSchema }),
			v.object({
				kind: v.literal('docker'),
				endpoint: endpointSchema,
				container: v.string(),
				volume: v.string(),
				image: v.string(),
				network: v.optional(v.string()),
			}),
		]),
	),
	cluster: v.optional(
		v.variant('kind', [
			v.object({ kind: v.literal('sandbox'), port: portSchema }),
			v.object({
				kind: v.literal('kind'),
				name: v.string(),
				ours: v.boolean(),
				created: v.boolean(),
				mark: v.optional(v.string()),
				ids: v.optional(v.array(v.string())),
				network: v.optional(v.string()),
				argocd: v.optional(v.object({ version: v.string(), digest: v.string() })),
			}),
		]),
	),
	applications: v.array(
		v.object({
			name: v.string(),
			namespace: v.string(),
			cluster: v.string(),
			kubeconfig: v.optional(v.string()),
			argocdCa: v.optional(v.string()),
			repository: v.string(),
			revision: v.string(),
			setBy: v.picklist(['up', 'deploy', 'sync']),
		}),
	),
})

const FILE = 'state.json'
const ASIDE = 'state.json.unreadable'

/** @throws UserError `STATE_INVALID` */
export function readState(directory: string): State {
	const path = join(directory, FILE)
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return emptyState
		throw new UserError('STATE_INVALID', `cannot read ${path}`, { cause: error })
	}
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), text)
	if (parsed.success) return parsed.output
	throw new UserError('STATE_INVALID', `${path} is not a state file of this version of lading`, {
		hint: 'lading down --force removes what it can find without it.',
		cause: parsed.issues[0],
	})
}

/** Moves the state file out of the way, in place of one that was moved before. */
export function setStateAside(directory: string): void {
	const aside = join(directory, ASIDE)
	rmSync(aside, { recursive: true, force: true })
	renameSync(join(directory, FILE), aside)
}

/** Writes the state whole or not at all. An empty one removes the file. */
export function writeState(directory: string, state: State): void {
	const path = join(directory, FILE)
	if (!state.registry && !state.cluster && state.applications.length === 0) {
		rmSync(path, { force: true })
		return
	}
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	const temporary = `${path}.${process.pid}.tmp`
	writeFileSync(temporary, `${JSON.stringify(state, undefined, '\t')}\n`, { mode: 0o600, flush: true })
	renameSync(temporary, path)
}

/** The state with one Application added or replaced. */
export function withApplication(state: State, application: DeployedApplication): State {
	return {
		...withoutApplication(state, application),
		applications: [...withoutApplication(state, application).applications, application],
	}
}

export function withoutApplication(
	state: State,
	{ name, namespace, cluster }: Pick<DeployedApplication, 'name' | 'namespace' | 'cluster'>,
): State {
	const isSame = (each: DeployedApplication): boolean =>
		each.name === name && each.namespace === namespace && each.cluster === cluster
	return { ...state, applications: state.applications.filter((each) => !isSame(each)) }
}
