import { join } from 'node:path'
import type { KubeObject } from '../../src/cluster/index.ts'
import type { Ended, Project } from '../e2e/program.ts'
import { type Registry, type Stack, writeSample } from './stack/index.ts'

export interface RoadOptions {
	/** Of the artifacts; default: the name. */
	readonly repository?: string
	/** Default: the one with TLS. */
	readonly registry?: Registry
	/** Variables of every command. */
	readonly env?: Readonly<Record<string, string>>
	/** For `--cluster`. */
	readonly cluster?: string
}

/** What Kubernetes has of an Application. */
export interface Seen {
	readonly sync: string | undefined
	readonly health: string | undefined
	readonly revision: string | undefined
	readonly targetRevision: string | undefined
	/** `Directory`, `Kustomize` or `Helm`. */
	readonly sourceType: string | undefined
	/** `Kind name` of what it deployed, sorted. */
	readonly resources: readonly string[]
}

/** Manifests, a repository and an Application of one name, and lading to bring them together. */
export interface Road {
	readonly name: string
	readonly project: Project
	/** Directory of the manifests, `manifests` in the project. */
	readonly manifests: string
	/** Reference of a tag in the repository. */
	at(tag: string): string
	/** Writes a Deployment with one replica and an image of this tag, and its Service. */
	write(version: string): void
	/** lading, with the flags of registry and cluster that the command takes. */
	run(command: string, ...args: readonly string[]): Promise<Ended>
	/** `run` that fails the test unless the exit code is 0. @returns stdout, trimmed */
	ok(command: string, ...args: readonly string[]): Promise<string>
	/** `ok` with `--json`, parsed. */
	json(command: string, ...args: readonly string[]): Promise<Record<string, unknown>>
	/** Pushes the manifests as they are. */
	push(tag: string, ...flags: readonly string[]): Promise<Pushed>
	/** What `status` says of the Application. */
	status(): Promise<Record<string, unknown>>
	/** What Kubernetes says of it. */
	seen(): Promise<Seen>
	/** Tag of the image that the Deployment of this name has in the cluster. */
	deployed(): Promise<string>
}

export interface Pushed {
	readonly digest: string
	/** Names of the Applications that were told. */
	readonly refreshed: readonly string[]
}

const WITHOUT_REGISTRY: ReadonlySet<string> = new Set(['status', 'undeploy'])
/** They end before the test does, so that what they wait for is told. */
const WAITING: ReadonlySet<string> = new Set(['deploy', 'sync', 'rollback'])
const WITHOUT_CLUSTER: ReadonlySet<string> = new Set(['tags', 'inspect', 'check', 'pull'])

export function createRoad(stack: Stack, name: string, options: RoadOptions = {}): Road {
	const { registry = stack.registries.tls, cluster = stack.cluster, repository = name } = options
	const project = stack.projectHere({ ...registry.env, ...options.env })
	const manifests = join(project.directory, 'manifests')
	const withFlags = (command: string, args: readonly string[]): string[] => [
		command,
		...args,
		...(WITHOUT_REGISTRY.has(command) ? [] : registry.flags),
		...(WITHOUT_CLUSTER.has(command) ? [] : ['--cluster', cluster]),
		...(WAITING.has(command) && !args.includes('--timeout') ? ['--timeout', '100s'] : []),
	]
	const road: Road = {
		name,
		project,
		manifests,
		at: (tag) => `${registry.host}/${repository}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`,
		write(version) {
			writeSample(manifests, { name, version })
		},
		run: (command, ...args) => project.run(...withFlags(command, args)),
		ok: (command, ...args) => project.ok(...withFlags(command, args)),
		json: (command, ...args) => project.json(...withFlags(command, args)),
		async push(tag, ...flags) {
			const { digest, refreshed } = await road.json('push', 'manifests', road.at(tag), ...flags)
			return { digest: String(digest), refreshed: refreshed as readonly string[] }
		},
		async status() {
			const { applications } = await road.json('status', name)
			return (applications as readonly Record<string, unknown>[])[0] ?? {}
		},
		seen: () => readSeen(stack, name),
		async deployed() {
			const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name }
			const deployment = (await (await stack.api()).get(ref)) as DeploymentObject | undefined
			return deployment?.spec.template.spec.containers[0]?.image.split(':').at(-1) ?? ''
		},
	}
	return road
}

interface DeploymentObject extends KubeObject {
	readonly spec: {
		readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
	}
}

interface ApplicationObject extends KubeObject {
	readonly spec: { readonly source?: { readonly targetRevision?: string } }
	readonly status?: {
		readonly sync?: { readonly status?: string; readonly revision?: string }
		readonly health?: { readonly status?: string }
		readonly sourceType?: string
		readonly resources?: readonly { readonly kind: string; readonly name: string }[]
	}
}

export async function readSeen(stack: Stack, name: string): Promise<Seen> {
	const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace: 'argocd', name }
	const found = await (await stack.api()).get(ref)
	if (!found) throw new Error(`there is no Application ${name}`)
	const { spec, status } = found as ApplicationObject
	return {
		sync: status?.sync?.status,
		health: status?.health?.status,
		revision: status?.sync?.revision,
		targetRevision: spec.source?.targetRevision,
		sourceType: status?.sourceType,
		resources: (status?.resources ?? []).map(({ kind, name: each }) => `${kind} ${each}`).toSorted(),
	}
}

/** Argo CD looks by itself every 120 s: what comes sooner was not polled for. */
const WAIT_MS = 90_000
const LOOK_MS = 250

/** Reads until the value is as it shall be. @throws Error with the last value */
export async function until<T>(
	read: () => Promise<T>,
	isRight: (value: T) => boolean,
	{ timeoutMs = WAIT_MS, lookMs = LOOK_MS }: { readonly timeoutMs?: number; readonly lookMs?: number } = {},
): Promise<T> {
	const end = Date.now() + timeoutMs
	for (;;) {
		const value = await read()
		if (isRight(value)) return value
		if (Date.now() > end) throw new Error(`after ${timeoutMs / 1000} s it is ${JSON.stringify(value)}`)
		await new Promise((resolve) => setTimeout(resolve, lookMs))
	}
}

/** Makes Argo CD trust the registries of the stack; a second time it changes nothing. */
export async function trustRegistries(stack: Stack): Promise<void> {
	const { tls } = stack.registries
	await stack.projectHere().ok('trust', tls.host, ...tls.flags, '--cluster', stack.cluster)
}
