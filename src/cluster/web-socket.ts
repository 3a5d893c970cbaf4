import { createHash, randomBytes } from 'node:crypto'

/**
 * The client's side of RFC 6455, as much as Kubernetes' streams need: binary messages,
 * fragments, ping and close. No extensions.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5
 */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const FIN = 0x80
const MASKED = 0x80
/** A server that sends more in one message is no kubelet. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024

/** The nonce of the opening handshake. */
export function webSocketKey(): string {
	return randomBytes(16).toString('base64')
}

/** What the server has to answer to a key. */
export function acceptOf(key: string): string {
	return createHash('sha1').update(`${key}${ACCEPT_GUID}`).digest('base64')
}

/** One whole frame, masked as a client's have to be. `mask`: four bytes. */
export function encodeFrame(
	opcode: number,
	payload: Uint8Array,
	mask: Uint8Array = randomBytes(4),
): Uint8Array {
	const { byteLength } = payload
	const extended = byteLength < 126 ? 0 : byteLength < 65_536 ? 2 : 8
	const frame = Buffer.allocUnsafe(2 + extended + 4 + byteLength)
	frame[0] = FIN | opcode
	frame[1] = MASKED | (extended === 0 ? byteLength : extended === 2 ? 126 : 127)
	if (extended === 2) frame.writeUInt16BE(byteLength, 2)
	if (extended === 8) frame.writeBigUInt64BE(BigInt(byteLength), 2)
	const start = 2 + extended
	frame.set(mask, start)
	for (let index = 0; index < byteLength; index++) {
		frame[start + 4 + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0)
	}
	return frame
}

export interface WebSocketMessage {
	readonly opcode: number
	readonly payload: Buffer
}

export class WebSocketError extends Error {
	override readonly name = 'WebSocketError'
}

/** Takes bytes as they come and gives the messages that are whole. @throws WebSocketError */
export function createMessageReader(): (chunk: Uint8Array) => readonly WebSocketMessage[] {
	let rest: Buffer = Buffer.alloc(0)
	let fragments: { readonly opcode: number; readonly parts: Buffer[]; size: number } | undefined

	const nextFrame = ():
		| { readonly fin: boolean; readonly opcode: number; readonly payload: Buffer }
		| undefined => {
		if (rest.byteLength < 2) return undefined
		const first = rest.readUInt8(0)
		const second = rest.readUInt8(1)
		const short = second & 0x7f
		const extended = short === 126 ? 2 : short === 127 ? 8 : 0
		if ((second & MASKED) !== 0) throw new WebSocketError('the server masks its frames')
		if ((first & 0x70) !== 0) throw new WebSocketError('the server uses an extension that was not asked for')
		if (rest.byteLength < 2 + extended) return undefined
		const length =
			extended === 0 ? short : extended === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
		if (length > MAX_MESSAGE_BYTES) throw new WebSocketError(`a frame of ${length} bytes is too long`)
		const end = 2 + extended + length
		if (rest.byteLength < end) return undefined
		const payload = rest.subarray(2 + extended, end)
		rest = rest.subarray(end)
		return { fin: (first & FIN) !== 0, opcode: first & 0x0f, payload }
	}

	return (chunk) => {
		rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
		const messages: WebSocketMessage[] = []
		for (let frame = nextFrame(); frame !== undefined; frame = nextFrame()) {
			const { fin, opcode, payload } = frame
			if (opcode >= Opcode.close) {
				messages.push({ opcode, payload })
				continue
			}
			if ((opcode === Opcode.continuation) !== (fragments !== undefined))
				throw new WebSocketError('the server sends its fragments out of order')
			if (fin && fragments === undefined) {
				messages.push({ opcode, payload })
				continue
			}
			fragments ??= { opcode, parts: [], size: 0 }
			fragments.parts.push(payload)
			fragments.size += payload.byteLength
			if (fragments.size > MAX_MESSAGE_BYTES) throw new WebSocketError('a message is too long')
			if (!fin) continue
			messages.push({ opcode: fragments.opcode, payload: Buffer.concat(fragments.parts) })
			fragments = undefined
		}
		return messages
	}
}
