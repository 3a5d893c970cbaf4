import { PassThrough, Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createPortStream } from './port-stream.ts'
import { encodeFrame, Opcode } from './web-socket.ts'

const PORT_80 = [80, 0]

function server(): {
	readonly socket: Duplex
	readonly sent: PassThrough
	readonly send: (channel: number, bytes: Uint8Array | readonly number[]) => void
	readonly close: () => void
} {
	const incoming = new PassThrough()
	const sent = new PassThrough()
	const socket = Duplex.from({ readable: incoming, writable: sent })
	const frame = (opcode: number, payload: Buffer): void => {
		incoming.write(Buffer.concat([Buffer.from([0x80 | opcode, payload.byteLength]), payload]))
	}
	return {
		socket,
		sent,
		send: (channel, bytes) => frame(Opcode.binary, Buffer.from([channel, ...bytes])),
		close: () => frame(Opcode.close, Buffer.alloc(0)),
	}
}

async function textOf(stream: Duplex): Promise<string> {
	let text = ''
	for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
	return text
}

describe('a port of a pod', () => {
	it('gives what comes on its data channel, without the port at the beginning', async () => {
		const { socket, send, close } = server()
		const stream = createPortStream({ socket, head: new Uint8Array() })
		send(0, PORT_80)
		send(1, PORT_80)
		send(0, Buffer.from('hello '))
		send(0, Buffer.from('world'))
		close()
		expect(await textOf(stream)).toBe('hello world')
	})

	it('takes the port off wherever it is cut, and what came with the handshake', async () => {
		const { socket, send, close } = server()
		const head = Buffer.from([0x82, 2, 0, 80])
		const stream = createPortStream({ socket, head })
		send(0, [0, ...Buffer.from('x')])
		close()
		expect(await textOf(stream)).toBe('x')
	})

	it('ends with what the pod says of a port that nobody listens on', async () => {
		const { socket, send } = server()
		const stream = createPortStream({ socket, head: new Uint8Array() })
		send(0, PORT_80)
		send(1, PORT_80)
		send(1, Buffer.from('connection refused'))
		await expect(textOf(stream)).rejects.toMatchObject({
			code: 'CLUSTER_FAILED',
			message: expect.stringContaining('connection refused'),
		})
	})

	it('sends each piece masked on its data channel, and answers a ping', async () => {
		const { socket, sent } = server()
		const stream = createPortStream({ socket, head: Buffer.from([0x89, 1, 7]) })
		stream.write('GET')
		await turn()
		const chunks: Buffer[] = []
		for (let chunk; (chunk = sent.read() as Buffer | null) !== null;) chunks.push(chunk)
		const bytes = Buffer.concat(chunks)
		const pongLength = encodeFrame(Opcode.pong, Buffer.from([7])).byteLength
		expect(bytes.readUInt8(0)).toBe(0x8a)
		const data = bytes.subarray(pongLength)
		expect(data.readUInt8(0)).toBe(0x82)
		expect(data.readUInt8(1)).toBe(0x80 | 4)
		const mask = data.subarray(2, 6)
		const plain = data.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
		expect(Buffer.from(plain).toString()).toBe('\0GET')
	})
})
