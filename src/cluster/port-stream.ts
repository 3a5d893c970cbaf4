import { Duplex } from 'node:stream'
import { RemoteError } from '../errors/index.ts'
import type { OpenedWebSocket } from './open-web-socket.ts'
import { createMessageReader, encodeFrame, Opcode, type WebSocketMessage } from './web-socket.ts'

/** Of one port: its data, and the word of what went wrong. */
const DATA_CHANNEL = 0
const ERROR_CHANNEL = 1
/** Each channel begins with the port, in two bytes. */
const PREAMBLE_BYTES = 2

/** The subprotocol: binary messages, each with its channel in the first byte. */
export const PORT_FORWARD_PROTOCOL = 'v4.channel.k8s.io'

/**
 * One connection to a port of a pod, over an opened WebSocket. It cannot be closed half:
 * ending it ends both ways.
 * @see k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go
 */
export function createPortStream({ socket, head }: OpenedWebSocket): Duplex {
	const read = createMessageReader()
	const preambles = new Map<number, number>()
	let ended = false

	const stream = new Duplex({
		allowHalfOpen: false,
		read: () => void socket.resume(),
		write(chunk: Buffer, _encoding, done) {
			const message = Buffer.allocUnsafe(chunk.byteLength + 1)
			message[0] = DATA_CHANNEL
			message.set(chunk, 1)
			socket.write(encodeFrame(Opcode.binary, message), done)
		},
		final(done) {
			socket.end(encodeFrame(Opcode.close, Buffer.from([0x03, 0xe8])), done)
		},
		destroy(error, done) {
			socket.destroy()
			done(error)
		},
	})
	const end = (): void => {
		if (ended) return
		ended = true
		stream.push(null)
	}

	const take = ({ opcode, payload }: WebSocketMessage): void => {
		if (opcode === Opcode.ping) return void socket.write(encodeFrame(Opcode.pong, payload))
		if (opcode === Opcode.close) return end()
		if (opcode !== Opcode.binary || payload.byteLength === 0) return
		const channel = payload.readUInt8(0)
		const awaited = PREAMBLE_BYTES - (preambles.get(channel) ?? 0)
		const data = payload.subarray(1 + Math.min(awaited, payload.byteLength - 1))
		preambles.set(channel, PREAMBLE_BYTES - Math.max(0, awaited - (payload.byteLength - 1)))
		if (data.byteLength === 0 || ended) return
		if (channel === DATA_CHANNEL && !stream.push(data)) socket.pause()
		if (channel === ERROR_CHANNEL)
			stream.destroy(
				new RemoteError(
					'CLUSTER_FAILED',
					`the pod does not take the connection: ${data.toString('utf8').slice(0, 500)}`,
				),
			)
	}
	const receive = (chunk: Uint8Array): void => {
		try {
			for (const message of read(chunk)) take(message)
		} catch (error) {
			stream.destroy(error instanceof Error ? error : undefined)
		}
	}
	socket.on('data', receive)
	socket.once('end', end)
	socket.once('close', end)
	socket.once('error', (error) => stream.destroy(error))
	if (head.byteLength > 0) receive(head)
	return stream
}
