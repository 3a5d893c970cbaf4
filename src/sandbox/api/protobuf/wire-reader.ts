import { badRequest } from '../status-error.ts'

/** A varint as a number; everything with a length (and fixed 32 or 64 bits) as its bytes. */
export type WireValue = bigint | Uint8Array

export interface WireField {
	readonly number: number
	readonly value: WireValue
}

/**
 * The fields of a protobuf message in their order.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireReader {
	private readonly bytes: Uint8Array
	private position = 0

	constructor(bytes: Uint8Array) {
		this.bytes = bytes
	}

	*fields(): Generator<WireField> {
		while (this.position < this.bytes.length) {
			const tag = Number(this.varint())
			yield { number: tag >>> 3, value: this.value(tag & 7) }
		}
	}

	private value(wireType: number): WireValue {
		switch (wireType) {
			case 0:
				return this.varint()
			case 1:
				return this.take(8)
			case 2:
				return this.take(Number(this.varint()))
			case 5:
				return this.take(4)
			default:
				throw badRequest('the protobuf body is malformed')
		}
	}

	private varint(): bigint {
		let result = 0n
		for (let shift = 0n; shift < 70n; shift += 7n) {
			const byte = this.bytes[this.position++]
			if (byte === undefined) break
			result |= BigInt(byte & 127) << shift
			if (byte < 128) return result
		}
		throw badRequest('the protobuf body ends in the middle of a number')
	}

	private take(length: number): Uint8Array {
		const end = this.position + length
		if (end > this.bytes.length) throw badRequest('the protobuf body ends in the middle of a field')
		const part = this.bytes.subarray(this.position, end)
		this.position = end
		return part
	}
}
