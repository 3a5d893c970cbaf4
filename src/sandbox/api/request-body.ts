import type { ServerRequest } from '../../http/server/index.ts'
import { badRequest, StatusError } from './status-error.ts'

/** Of a request, as the real API's. */
const MAX_BODY = 3 * 1024 * 1024
const MAX_NODES = 500_000

/**
 * The body of a request as JSON; YAML and Kubernetes' protobuf are taken too. `undefined` when there is none.
 * @throws StatusError `RequestEntityTooLarge`, `UnsupportedMediaType`, `BadRequest`
 */
export async function readBody(request: ServerRequest): Promise<unknown> {
	const chunks: Uint8Array[] = []
	let size = 0
	for await (const chunk of request.body) {
		size += chunk.byteLength
		if (size > MAX_BODY) {
			throw new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY}`)
		}
		chunks.push(chunk)
	}
	if (size === 0) return undefined
	const type = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? ''
	if (type === 'application/vnd.kubernetes.protobuf') {
		const { decodeObject } = await import('./protobuf/decode-object.ts')
		return decodeObject(Buffer.concat(chunks))
	}
	if (!/^(application|text)\/(.*\+)?(json|yaml|plain)$/.test(type)) {
		throw new StatusError(
			'UnsupportedMediaType',
			`the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
		)
	}
	let text: string
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
	} catch {
		throw badRequest('the body of the request is not UTF-8')
	}
	return type.endsWith('yaml') ? parseYaml(text) : parseJson(text)
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown
	} catch (error) {
		throw badRequest(`the body of the request is not JSON: ${error instanceof Error ? error.message : ''}`)
	}
}

async function parseYaml(text: string): Promise<unknown> {
	// kubectl sends JSON under YAML's name.
	if (text.trimStart().startsWith('{')) {
		try {
			return JSON.parse(text) as unknown
		} catch {
			// A flow mapping of YAML.
		}
	}
	const { load } = await import('js-yaml')
	let value: unknown
	try {
		value = load(text)
	} catch (error) {
		throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : ''}`)
	}
	// Aliases may stand for far more than the bytes that were sent.
	let nodes = 0
	const copy = (node: unknown): unknown => {
		if (++nodes > MAX_NODES) throw badRequest('the YAML expands to too many values')
		if (Array.isArray(node)) return node.map(copy)
		if (node instanceof Date) return node.toISOString()
		if (typeof node !== 'object' || node === null) return node
		return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, copy(child)]))
	}
	return copy(value)
}
