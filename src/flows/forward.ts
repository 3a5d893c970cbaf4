import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { KubeObject } from '../cluster/index.ts'
import { isSystemError, UserError } from '../errors/index.ts'
import { type ConnectedCluster, reached, type ReachedCluster } from './clusters.ts'
import { freePort } from './free-port.ts'
import {
	deployedObjects,
	endpointOf,
	findApplication,
	portsOf,
	reasonFor,
	refuseSandbox,
} from './pod-target.ts'
import type { Session } from './session.ts'

export interface ForwardOptions {
	/** Name of an Application, of one of this project's Services, or `namespace/service`. */
	readonly name: string
	/** `8082:80`, `:80` (any free local port), `80` or the name of a port; the only one of the Service. */
	readonly ports?: string | undefined
	/** Told once it listens. */
	readonly onReady: (forwarding: Forwarding) => void
}

export interface Forwarding {
	readonly host: string
	readonly localPort: number
	readonly namespace: string
	readonly service: string
	/** Of the Service. */
	readonly port: number
}

const HOST = '127.0.0.1'
const SERVICE: ReadonlySet<string> = new Set(['Service'])

/**
 * Makes a Service reachable on this machine's loopback until the signal aborts. Each
 * connection goes to a pod that is ready at that moment.
 * @throws UserError `NOT_FOUND`, `PORT_TAKEN`, `USAGE`
 */
export async function forward(
	session: Session,
	connected: ConnectedCluster,
	options: ForwardOptions,
): Promise<void> {
	refuseSandbox(connected, 'nothing to connect to')
	const target = reached(connected)
	const service = await findService(session, target, options.name)
	const wanted = readPorts(options.ports, service)
	// Whether it can work at all is told now, not at the first connection.
	await endpointOf(session, target, { service, port: wanted.port })
	const pods = await target.pods()
	const sockets = new Set<Socket>()
	let told: string | undefined
	const serve = async (socket: Socket): Promise<void> => {
		const endpoint = await endpointOf(session, target, { service, port: wanted.port })
		if (told !== undefined && told !== endpoint.pod) session.progress.note(`now to the pod ${endpoint.pod}`)
		told = endpoint.pod
		const stream = await pods.connect({ namespace: endpoint.namespace, name: endpoint.pod }, endpoint.port, {
			signal: session.signal,
		})
		await Promise.all([pipeline(socket, stream), pipeline(stream, socket)])
	}
	const server = createServer((socket) => {
		sockets.add(socket)
		socket.once('close', () => sockets.delete(socket))
		socket.on('error', () => {})
		serve(socket).catch((error: unknown) => {
			socket.destroy()
			if (session.signal?.aborted === true || isHangUp(error)) return
			session.progress.warn(`a connection failed: ${reasonFor(error)}`)
		})
	})
	const localPort = await listen(server, await choosePort(wanted))
	const { name, namespace = 'default' } = service.metadata
	options.onReady({ host: HOST, localPort, namespace, service: name, port: wanted.port })
	await new Promise<void>((resolve) => {
		if (session.signal?.aborted === true) resolve()
		session.signal?.addEventListener('abort', () => resolve(), { once: true })
	})
	for (const socket of sockets) socket.destroy()
	await new Promise((resolve) => server.close(resolve))
}

/** One side that goes away without a word is how most connections end. */
function isHangUp(error: unknown): boolean {
	return isSystemError(error, 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE')
}

async function findService(session: Session, target: ReachedCluster, name: string): Promise<KubeObject> {
	const { signal, workspace } = session
	const [namespace, ofNamespace] = name.includes('/') ? name.split('/', 2) : []
	if (namespace !== undefined && ofNamespace !== undefined && namespace !== 'svc') {
		const service = await target.cluster.get(
			{ apiVersion: 'v1', kind: 'Service', name: ofNamespace, namespace },
			{ signal },
		)
		if (service) return service
		throw new UserError('NOT_FOUND', `there is no Service ${ofNamespace} in ${namespace}`, {
			hint: `kubectl get services -n ${namespace} lists what is there.`,
		})
	}
	const wanted = namespace === 'svc' ? ofNamespace : name
	const application = namespace === 'svc' ? undefined : await findApplication(session, target, name)
	if (application !== undefined) {
		const services = await deployedObjects(session, target, { application, kinds: SERVICE })
		return theOnly(services, name)
	}
	const found: KubeObject[] = []
	for (const record of workspace.state().applications.filter(({ cluster }) => cluster === target.name)) {
		const each = await findApplication(session, target, record.name)
		if (each === undefined) continue
		const services = await deployedObjects(session, target, { application: each, kinds: SERVICE })
		found.push(...services.filter(({ metadata }) => metadata.name === wanted))
	}
	const [service] = found
	if (service !== undefined) return service
	throw new UserError('NOT_FOUND', `there is no Application and no Service "${name}"`, {
		hint: 'lading status lists the Applications; a Service of another is named NAMESPACE/SERVICE.',
	})
}

function theOnly(services: readonly KubeObject[], application: string): KubeObject {
	const [service, ...others] = services
	if (service === undefined) {
		throw new UserError('NOT_FOUND', `the Application ${application} has no Service`, {
			hint: 'Only what a Service leads to can be reached; add one to the manifests.',
		})
	}
	const own = services.find(({ metadata }) => metadata.name === application)
	if (others.length === 0) return service
	if (own !== undefined) return own
	const names = services.map(({ metadata }) => `${metadata.namespace ?? 'default'}/${metadata.name}`)
	throw new UserError('USAGE', `the Application ${application} has ${services.length} Services`, {
		hint: `Name one of them: ${names.join(', ')}`,
	})
}

interface WantedPorts {
	/** Asked for; 0: any free one. */
	readonly local: number | undefined
	/** Of the Service. */
	readonly port: number
}

/** @throws UserError `USAGE` */
export function readPorts(text: string | undefined, service: KubeObject): WantedPorts {
	const ports = portsOf(service)
	const known = ports.map(({ port, name }) => (name === '' ? String(port) : `${port} (${name})`)).join(', ')
	const usage = (message: string): UserError =>
		new UserError('USAGE', message, {
			hint: `Write it as LOCAL:REMOTE, such as 8082:${ports[0]?.port ?? 80}. The Service has: ${known}`,
		})
	if (text === undefined) {
		const [only, ...others] = ports
		if (only !== undefined && others.length === 0) return { local: undefined, port: only.port }
		throw usage(`the Service ${service.metadata.name} has ${ports.length} ports`)
	}
	const match = /^(?:(\d{0,5}):)?([a-z0-9-]+)$/.exec(text)
	if (match === null) throw usage(`"${text}" are no ports`)
	const [, before, remote] = match
	const found = ports.find(({ port, name }) => String(port) === remote || name === remote)
	if (found === undefined) throw usage(`the Service ${service.metadata.name} has no port ${remote}`)
	if (before === undefined) return { local: undefined, port: found.port }
	const local = Number(before)
	if (local > 65_535) throw usage(`${before} is not a port`)
	return { local, port: found.port }
}

/** Ports below this need rights: 80 becomes 8080. */
const FIRST_FREE_PORT = 1024

async function choosePort({ local, port }: WantedPorts): Promise<number> {
	return local ?? (await freePort([port < FIRST_FREE_PORT ? port + 8000 : port]))
}

async function listen(server: Server, port: number): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(port, HOST, resolve)
	}).catch((error: unknown) => {
		if (!isSystemError(error, 'EADDRINUSE', 'EACCES')) throw error
		const what = error.code === 'EACCES' ? 'needs more rights' : 'is taken by another program'
		throw new UserError('PORT_TAKEN', `port ${port} of this machine ${what}`, {
			hint: 'Choose another before the colon, or none (:80) for a free one.',
			cause: error,
		})
	})
	const address = server.address()
	return typeof address === 'object' && address !== null ? address.port : port
}
