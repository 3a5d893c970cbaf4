import type { Application } from '../../argocd/index.ts'
import type { Cluster, KubeObject } from '../../cluster/index.ts'
import type { ApplicationWriter } from './application-writer.ts'
import type { Discovery } from './discovery.ts'
import type { ApplicationEvent } from './events.ts'
import type { LiveStore } from './live-store.ts'
import type { Project } from './project.ts'
import type { LoadSource } from './source.ts'

/** What the parts of the controller share. */
export interface ControllerContext {
	readonly cluster: Cluster
	readonly live: LiveStore
	readonly discovery: Discovery
	readonly load: LoadSource
	readonly writer: ApplicationWriter
	/** Namespace of Argo CD. */
	readonly namespace: string
	/** `undefined` when there is none of that name. */
	readonly project: (name: string) => Project | undefined
	readonly event: (application: Application, event: ApplicationEvent) => Promise<void>
	/** Milliseconds since the epoch. */
	readonly now: () => number
	readonly sleep: (ms: number) => Promise<void>
	readonly signal: AbortSignal
	readonly syncWaveDelayMs: number
	/** When loading a source first failed without anybody having asked, by application. */
	readonly sourceFailures: Map<string, number>
}

/** A time as Kubernetes writes it: RFC 3339, whole seconds. */
export function timestamp(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** An application and when it has to be looked at again without anything having happened. */
export interface Handled {
	/** As it stands now; `undefined` when it is gone. */
	readonly application: KubeObject | undefined
	readonly againAfterMs?: number | undefined
}
