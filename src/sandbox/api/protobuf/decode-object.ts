import type { Fields } from '../fields.ts'
import { badRequest } from '../status-error.ts'
import { KUBERNETES_MESSAGES } from './kubernetes-messages.ts'
import { WireReader, type WireValue } from './wire-reader.ts'

/** JSON name, type, and flags: `r`epeated, `m`ap, `i`nline, `p`ointer. */
type MessageField = readonly [name: string, type: string, flags: string]

interface Table {
	readonly kinds: Readonly<Record<string, string>>
	readonly messages: Readonly<Record<string, Readonly<Record<string, MessageField>>>>
}

const MAGIC = Buffer.from('k8s\u0000', 'latin1')
const MAX_DEPTH = 64

let parsed: Table | undefined

function table(): Table {
	parsed ??= JSON.parse(KUBERNETES_MESSAGES) as Table
	return parsed
}

/**
 * Decodes an object in `application/vnd.kubernetes.protobuf`, as kubectl sends some
 * built-in types: an envelope with the type, and the message.
 * @throws StatusError `BadRequest`
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export function decodeObject(bytes: Uint8Array): Fields {
	if (!Buffer.from(bytes.subarray(0, 4)).equals(MAGIC))
		throw badRequest('the body is not in the protobuf encoding of Kubernetes')
	const envelope = new WireReader(bytes.subarray(4))
	let apiVersion = ''
	let kind = ''
	let raw: Uint8Array = new Uint8Array()
	for (const { number, value } of envelope.fields()) {
		if (number === 1) {
			for (const field of new WireReader(bytesOf(value)).fields()) {
				if (field.number === 1) apiVersion = textOf(field.value)
				if (field.number === 2) kind = textOf(field.value)
			}
		} else if (number === 2) raw = bytesOf(value)
	}
	const { kinds } = table()
	const name = kind === 'DeleteOptions' ? 'meta.v1.DeleteOptions' : kinds[`${apiVersion} ${kind}`]
	if (name === undefined)
		throw badRequest(`the lading sandbox takes ${kind} in version "${apiVersion}" as JSON only`)
	return { apiVersion, kind, ...message(name, raw, 0) }
}

function message(name: string, bytes: Uint8Array, depth: number): Record<string, unknown> {
	const fields = table().messages[name]
	if (fields === undefined || depth > MAX_DEPTH)
		throw badRequest(`the body holds a message ${name} that cannot be read`)
	const object: Record<string, unknown> = {}
	for (const { number, value } of new WireReader(bytes).fields()) {
		const field = fields[String(number)]
		if (field === undefined) continue
		const [key, type, flags] = field
		if (flags.includes('m')) {
			const [entry, content] = mapEntry(type, bytesOf(value), depth)
			object[key] = { ...(object[key] as Fields | undefined), [entry]: content }
		} else {
			const content = decodeValue(type, value, depth)
			if (flags.includes('r'))
				object[key] = [...((object[key] as readonly unknown[] | undefined) ?? []), content]
			else if (flags.includes('i')) Object.assign(object, content)
			// What is no pointer in Go is always sent; its zero stands for absent.
			else if (flags.includes('p') || !isZero(content)) object[key] = content
		}
	}
	return object
}

function mapEntry(type: string, bytes: Uint8Array, depth: number): readonly [string, unknown] {
	let key = ''
	let content: unknown = type === 'string' || type === 'bytes' ? '' : {}
	for (const { number, value } of new WireReader(bytes).fields()) {
		if (number === 1) key = textOf(value)
		if (number === 2) content = decodeValue(type, value, depth)
	}
	return [key, content]
}

function isZero(value: unknown): boolean {
	return (
		value === '' ||
		value === 0 ||
		value === false ||
		value === undefined ||
		(typeof value === 'object' && value !== null && Object.keys(value).length === 0)
	)
}

function decodeValue(type: string, value: WireValue, depth: number): unknown {
	switch (type) {
		case 'string':
			return textOf(value)
		case 'bytes':
			return Buffer.from(bytesOf(value)).toString('base64')
		case 'bool':
			return value === 1n
		case 'double':
			return Buffer.from(bytesOf(value)).readDoubleLE()
		case 'int32':
		case 'int64':
		case 'uint32':
		case 'uint64':
			return Number(BigInt.asIntN(64, bigOf(value)))
		case 'resource.Quantity':
			return textOf(numbered(value).get(1) ?? new Uint8Array())
		case 'intstr.IntOrString': {
			const parts = numbered(value)
			return parts.get(1) === 1n
				? textOf(parts.get(3) ?? new Uint8Array())
				: Number(BigInt.asIntN(32, bigOf(parts.get(2) ?? 0n)))
		}
		case 'meta.v1.Time':
		case 'meta.v1.MicroTime': {
			const seconds = Number(BigInt.asIntN(64, bigOf(numbered(value).get(1) ?? 0n)))
			return seconds === 0 || Math.abs(seconds) > 8e12
				? undefined
				: new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
		}
		case 'meta.v1.FieldsV1':
		case 'runtime.RawExtension':
			return JSON.parse(textOf(numbered(value).get(1) ?? Buffer.from('null'))) as unknown
		default: {
			const decoded = message(type, bytesOf(value), depth + 1)
			return type.endsWith('.ExtraValue') ? (decoded['items'] ?? []) : decoded
		}
	}
}

function numbered(value: WireValue): ReadonlyMap<number, WireValue> {
	return new Map([...new WireReader(bytesOf(value)).fields()].map((field) => [field.number, field.value]))
}

function bytesOf(value: WireValue): Uint8Array {
	if (typeof value === 'bigint') throw badRequest('the protobuf body has a number where a message belongs')
	return value
}

function bigOf(value: WireValue): bigint {
	if (typeof value !== 'bigint') throw badRequest('the protobuf body has a message where a number belongs')
	return value
}

function textOf(value: WireValue): string {
	return new TextDecoder().decode(bytesOf(value))
}
