import type { Duplex } from 'node:stream'
import { openAccess } from './access.ts'
import type { WaitOptions } from './cluster.ts'
import type { ConnectOptions } from './connect-cluster.ts'
import { chooseContext } from './kubeconfig.ts'
import { openWebSocket } from './open-web-socket.ts'
import { createPortStream, PORT_FORWARD_PROTOCOL } from './port-stream.ts'
import { anySignal, createTransport, pause } from './transport.ts'

export interface PodRef {
	readonly namespace: string
	readonly name: string
}

export interface LogOptions extends WaitOptions {
	/** The only one of the pod; needed where it has more. */
	readonly container?: string | undefined
	/** Goes on with what is written from now on. */
	readonly follow?: boolean | undefined
	/** Lines from the end; all. */
	readonly tail?: number | undefined
}

/** What is done with pods beyond their objects. */
export interface Pods {
	/** The lines of a container's log. Ends with the container when followed. @throws RemoteError */
	logs(pod: PodRef, options?: LogOptions): AsyncIterable<string>
	/** One connection to a port of a pod. @throws RemoteError */
	connect(pod: PodRef, port: number, options?: WaitOptions): Promise<Duplex>
}

/** The pods of the cluster that a kubeconfig names. Sends nothing yet. @throws UserError `KUBECONFIG_INVALID` */
export async function connectPods(options: ConnectOptions = {}): Promise<Pods> {
	const { env = {}, now = Date.now, sleep = pause, signal: life } = options
	const context = await chooseContext({ kubeconfig: options.kubeconfig, context: options.context, env })
	const access = await openAccess(context, { env, now })
	const transport = createTransport({ access, signal: life, sleep })
	const pathOf = ({ namespace, name }: PodRef, subresource: string): string =>
		`api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/${subresource}`

	return {
		async *logs(pod, { container, follow, tail, signal } = {}) {
			const response = await transport.stream({
				method: 'GET',
				path: pathOf(pod, 'log'),
				query: {
					container,
					follow: follow === true ? 'true' : undefined,
					tailLines: tail === undefined ? undefined : String(tail),
				},
				signal,
				// A quiet container is not a dead connection.
				...(follow === true && { idleTimeout: 0 }),
			})
			response.setEncoding('utf8')
			let rest = ''
			for await (const chunk of response as AsyncIterable<string>) {
				const lines = (rest + chunk).split('\n')
				rest = lines.pop() ?? ''
				yield* lines
			}
			if (rest !== '') yield rest
		},
		async connect(pod, port, { signal } = {}) {
			const url = new URL(access.server)
			url.pathname = `${url.pathname.replace(/\/$/, '')}/${pathOf(pod, 'portforward')}`
			url.searchParams.set('ports', String(port))
			const opened = await openWebSocket({
				access,
				url,
				protocol: PORT_FORWARD_PROTOCOL,
				signal: anySignal(life, signal),
			})
			return createPortStream(opened)
		},
	}
}
