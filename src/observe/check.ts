import type { Cluster } from '../cluster/index.ts'
import type { LadingError } from '../errors/index.ts'
import type { KindFacts } from '../kind/index.ts'
import type { ServerCertificate } from './server-certificate.ts'

export type FindingStatus = 'ok' | 'warn' | 'fault' | 'skipped'

export interface Finding {
	/** Stable name of the check. */
	readonly check: string
	/** What it was made for, such as a registry or an Application. */
	readonly subject?: string | undefined
	readonly status: FindingStatus
	/** What was seen. */
	readonly seen: string
	readonly why?: string | undefined
	/** A sentence or a command. */
	readonly fix?: string | undefined
}

/** One registry, under both its names. */
export interface DoctorRegistry {
	/** `host[:port]` as this machine reaches it. */
	readonly name: string
	/** As the cluster does. */
	readonly clusterName: string
	/** Its CA, where it is known here. */
	readonly caPem?: string | undefined
	readonly plainHttp?: boolean | undefined
	/** The project's own, whose CA `trust` knows. */
	readonly embedded?: boolean | undefined
	/** The command by which it gets a new certificate, where lading gives it one. */
	readonly renew?: string | undefined
	/** Only a ConfigMap of the cluster says that it is reached by {@link name}. */
	readonly namedByCluster?: boolean | undefined
	/** Listens on loopback only. */
	readonly loopbackOnly?: boolean | undefined
}

export interface DoctorCredential {
	readonly username: string
	readonly password: string
}

/** How the doctor looks at registries; all read only. */
export interface DoctorPorts {
	/** @throws LadingError what is wrong */
	ping(registry: DoctorRegistry): Promise<void>
	/** The digest of a revision; `undefined` when there is none. With a credential, only that is used. */
	resolve(
		place: { readonly registry: DoctorRegistry; readonly repository: string; readonly revision: string },
		credential?: DoctorCredential,
	): Promise<string | undefined>
	/** `undefined` when nothing speaks TLS there. */
	certificate(registry: DoctorRegistry): Promise<ServerCertificate | undefined>
	/** What Argo CD would refuse about an artifact, and what Kubernetes leaves out of its objects. */
	check?(place: {
		readonly registry: DoctorRegistry
		readonly repository: string
		readonly revision: string
		/** Directory in the artifact; `.`. */
		readonly path?: string | undefined
		readonly recurse?: boolean | undefined
	}): Promise<readonly ArtifactFault[]>
}

export interface ArtifactFault {
	readonly message: string
	/** Otherwise it is deployed, and something of it is not. */
	readonly isRefused: boolean
	readonly fix?: string | undefined
}

/** What the caller knows about this machine. */
export interface MachineFacts {
	/** Of Node, `v20.19.0`. */
	readonly nodeVersion: string
	readonly processes?:
		| readonly { readonly name: string; readonly pid?: number | undefined; readonly alive: boolean }[]
		| undefined
	readonly ports?:
		| readonly {
				readonly port: number
				readonly wantedBy: string
				readonly takenBy?: string | undefined
				/** Nothing works without it. */
				readonly needed?: boolean | undefined
		  }[]
		| undefined
	readonly disk?: { readonly path: string; readonly freeBytes: number } | undefined
}

export interface DoctorContext {
	readonly machine: MachineFacts
	/** Docker and kind, where this project uses them. */
	readonly kind?: KindFacts | undefined
	readonly ports: DoctorPorts
	readonly registries: readonly DoctorRegistry[]
	/** Or why it cannot be had; absent: none is chosen. */
	readonly cluster?: Cluster | LadingError | undefined
	/** Whether the cluster runs on another machine, or in a container of its own. */
	readonly clusterElsewhere?: boolean | undefined
	readonly argocdNamespace: string
	/** How kubectl is called to reach this cluster, for fixes; `kubectl`. */
	readonly kubectl?: string | undefined
	/** Only these Applications; otherwise all of lading's. */
	readonly applications?: readonly string[] | undefined
	/** Milliseconds since the epoch. */
	readonly now: () => number
	readonly signal?: AbortSignal | undefined
}

export interface Check {
	readonly name: string
	readonly run: (context: DoctorContext) => Promise<readonly Finding[]> | readonly Finding[]
}
