import { LadingError } from '../errors/index.ts'
import type { Container, Docker } from './docker.ts'
import type { Kind } from './kind-tool.ts'
import { freeBytesOf, readsCertsDirectory, resolvesName } from './node-registry.ts'

export interface LookOptions {
	readonly docker: Docker
	readonly kind: Kind
	/** Name of the network that kind's nodes are on. */
	readonly network: string
	/** Whether a kind cluster is meant at all. */
	readonly wantsKind: boolean
	/** Name of the kind cluster that should be there. */
	readonly cluster?: string | undefined
	/** Name of the registry's container that should be there. */
	readonly registry?: string | undefined
}

/** What was asked for, or why it could not be told. */
export type Seen<T> =
	| { readonly ok: true; readonly value: T }
	| { readonly ok: false; readonly error: LadingError }

export interface NodeFacts {
	readonly name: string
	readonly running: boolean
	/** Whether its containerd reads `certs.d`. */
	readonly readsCerts: boolean
	/** Whether it finds the registry by its name; `undefined` where there is none to find. */
	readonly resolves?: boolean | undefined
	readonly freeBytes?: number | undefined
}

/** What is the case with Docker, kind, the cluster's nodes and the registry's container. */
export interface KindFacts {
	readonly network: string
	/** Version of the engine. */
	readonly docker: Seen<string>
	/** Version of kind; absent where only the registry is of concern. */
	readonly kind?: Seen<string> | undefined
	/** Absent: no kind cluster is meant, or nothing can be asked. */
	readonly cluster?: { readonly name: string; readonly nodes: readonly NodeFacts[] } | undefined
	readonly registry?:
		| { readonly name: string; readonly container: Container | undefined; readonly log: readonly string[] }
		| undefined
}

const LOG_LINES = 5

/** Looks at everything, and changes nothing. */
export async function lookAtKind(options: LookOptions): Promise<KindFacts> {
	const { docker, kind, network } = options
	const [dockerSeen, kindSeen] = await Promise.all([
		seen(async () => await docker.version()),
		options.wantsKind ? seen(async () => await kind.version()) : undefined,
	])
	const facts: KindFacts = { network, docker: dockerSeen, kind: kindSeen }
	if (!dockerSeen.ok) return facts
	const [registry, cluster] = await Promise.all([
		options.registry === undefined ? undefined : lookAtRegistry(docker, options.registry),
		options.cluster === undefined || kindSeen?.ok !== true
			? undefined
			: lookAtCluster(options, options.cluster),
	])
	return { ...facts, registry, cluster }
}

async function lookAtRegistry(docker: Docker, name: string): Promise<KindFacts['registry']> {
	const container = await docker.container(name)
	const log = container?.running === false ? await docker.logs(name, LOG_LINES) : []
	return { name, container, log }
}

async function lookAtCluster(
	{ docker, kind, registry }: LookOptions,
	name: string,
): Promise<KindFacts['cluster']> {
	const nodes = await kind.nodes(name)
	const looked = await Promise.all(
		nodes.map(async (node): Promise<NodeFacts> => {
			const running = (await docker.container(node))?.running ?? false
			if (!running) return { name: node, running, readsCerts: false }
			const [readsCerts, resolves, freeBytes] = await Promise.all([
				readsCertsDirectory(docker, node),
				registry === undefined ? undefined : resolvesName(docker, node, registry),
				freeBytesOf(docker, node),
			])
			return { name: node, running, readsCerts, resolves, freeBytes }
		}),
	)
	return { name, nodes: looked }
}

async function seen<T>(look: () => Promise<T>): Promise<Seen<T>> {
	try {
		return { ok: true, value: await look() }
	} catch (error) {
		if (error instanceof LadingError && error.kind !== 'interrupted') return { ok: false, error }
		throw error
	}
}
