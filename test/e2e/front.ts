import {
	createServer as createHttpServer,
	type IncomingMessage,
	request,
	type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificates } from '../../src/http/server/index.ts'

/** Returns whether it has answered, so that the registry does not. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

/** A server before a registry, that can be made to misbehave. */
export interface Front {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	/** Every request, in order. */
	readonly seen: IncomingMessage[]
	/** Consulted before every request. */
	fault: Fault
	close(): void
}

/** @param port of the registry behind, which speaks plain HTTP on loopback */
export async function startFront(port: number, certificates?: Certificates): Promise<Front> {
	const front = { seen: [] as IncomingMessage[], fault: (() => false) as Fault }
	const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
		front.seen.push(incoming)
		if (front.fault(incoming, outgoing)) {
			incoming.resume()
			return
		}
		const { method, url, headers } = incoming
		const behind = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
			answer.pipe(outgoing)
		})
		behind.on('error', () => outgoing.destroy())
		incoming.pipe(behind)
	}
	const server = certificates
		? createHttpsServer({ cert: certificates.certPem, key: certificates.keyPem }, serve)
		: createHttpServer(serve)
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	return Object.assign(front, {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		close() {
			server.closeAllConnections()
			server.close()
		},
	})
}
