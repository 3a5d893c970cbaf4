import {
	type ArgocdComponent,
	type ClusterChoice,
	type Forwarding,
	forward as forwardFlow,
	type LogLine,
	logs as logsFlow,
	openCluster,
} from '../../flows/index.ts'
import { inProject, type ProjectOptions } from '../project.ts'

export interface LogsOptions extends ProjectOptions, ClusterChoice {
	/** Name of an Application: the log of its Pods. Absent: that of a part of Argo CD. */
	readonly name?: string | undefined
	/** Default `repo-server`, which reads the artifacts. Not with `name`. */
	readonly component?: ArgocdComponent | undefined
	/** Go on until the signal aborts; then nothing is collected, and `onLine` gets the lines. Default false. */
	readonly follow?: boolean | undefined
	/** Lines from the end of each container's log. Default: all. */
	readonly tail?: number | undefined
	/** Told of each line as it comes. */
	readonly onLine?: ((line: LogLine) => void) | undefined
}

export async function logs(options: LogsOptions): Promise<readonly LogLine[]> {
	return await inProject(options, async ({ session, cluster }) => {
		const target = await openCluster(session, cluster(options))
		const { name, component, follow, tail, onLine } = options
		const lines: LogLine[] = []
		await logsFlow(session, target, {
			name,
			component,
			follow,
			tail,
			onLine(line) {
				onLine?.(line)
				if (follow !== true) lines.push(line)
			},
		})
		return lines
	})
}

export interface ForwardOptions extends ProjectOptions, ClusterChoice {
	/** Name of an Application, of one of this project's Services, or `namespace/service`. */
	readonly name: string
	/** `8082:80`, `:80` (any free local port), `80` or the name of a port. Default: the only one of the Service. */
	readonly ports?: string | undefined
}

/** A Service that is reached on this machine's loopback. */
export interface OpenForwarding extends Forwarding {
	/** Settles when it has ended. */
	readonly ended: Promise<void>
	/** Ends it, with the connections that are open. */
	close(): Promise<void>
}

export async function forward(options: ForwardOptions): Promise<OpenForwarding> {
	return await inProject(options, async ({ session, cluster }) => {
		const target = await openCluster(session, cluster(options))
		const stop = new AbortController()
		const signal = session.signal ? AbortSignal.any([session.signal, stop.signal]) : stop.signal
		return await new Promise<OpenForwarding>((resolve, reject) => {
			const { name, ports } = options
			const ended = forwardFlow({ ...session, signal }, target, {
				name,
				ports,
				onReady: (forwarding) =>
					resolve({
						...forwarding,
						ended: Promise.resolve().then(async () => await ended),
						async close() {
							stop.abort()
							await ended
						},
					}),
			})
			ended.catch(reject)
		})
	})
}
