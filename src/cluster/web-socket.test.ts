import { array, assert, integer, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptOf, createMessageReader, encodeFrame, Opcode } from './web-socket.ts'

/** A frame as a server sends it: not masked. */
function serverFrame(opcode: number, payload: Uint8Array, fin = true): Buffer {
	const { byteLength } = payload
	const head =
		byteLength < 126
			? Buffer.from([(fin ? 0x80 : 0) | opcode, byteLength])
			: Buffer.from([(fin ? 0x80 : 0) | opcode, 126, byteLength >> 8, byteLength & 0xff])
	return Buffer.concat([head, payload])
}

describe('web socket', () => {
	it('answers the example of RFC 6455', () => {
		expect(acceptOf('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
		const masked = encodeFrame(Opcode.text, Buffer.from('Hello'), Buffer.from([0x37, 0xfa, 0x21, 0x3d]))
		expect(Buffer.from(masked).toString('hex')).toBe('818537fa213d7f9f4d5158')
	})

	it('writes every length as the RFC wants it', () => {
		const lengths = [0, 125, 126, 65_535, 65_536].map(
			(length) => encodeFrame(Opcode.binary, Buffer.alloc(length)).byteLength - length - 4,
		)
		expect(lengths).toEqual([2, 2, 4, 4, 10])
	})

	it('reads the same messages however the bytes are cut', () => {
		assert(
			property(
				array(uint8Array({ maxLength: 300 }), { maxLength: 8 }),
				array(integer({ min: 1, max: 50 }), { minLength: 1 }),
				(payloads, cuts) => {
					const bytes = Buffer.concat(payloads.map((payload) => serverFrame(Opcode.binary, payload)))
					const read = createMessageReader()
					const got: Buffer[] = []
					for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
						const size = cuts[turn % cuts.length] ?? 1
						got.push(...read(bytes.subarray(at, at + size)).map(({ payload }) => payload))
						at += size
					}
					expect(got.map((each) => each.toString('hex'))).toEqual(
						payloads.map((each) => Buffer.from(each).toString('hex')),
					)
				},
			),
		)
	})

	it('joins fragments, and lets a ping between them through', () => {
		const read = createMessageReader()
		const messages = read(
			Buffer.concat([
				serverFrame(Opcode.binary, Buffer.from('a'), false),
				serverFrame(Opcode.ping, Buffer.from('?')),
				serverFrame(Opcode.continuation, Buffer.from('b')),
			]),
		)
		expect(messages.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
			[Opcode.ping, '?'],
			[Opcode.binary, 'ab'],
		])
	})

	it.each([
		['a masked frame', Buffer.from(encodeFrame(Opcode.binary, Buffer.from('x')))],
		['an extension', Buffer.from([0xc2, 0x00])],
		['a fragment without a beginning', serverFrame(Opcode.continuation, Buffer.from('x'))],
		['a length that nobody sends', Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])],
	])('refuses %s', (_, bytes) => {
		expect(() => createMessageReader()(bytes)).toThrow(/./)
	})
})
