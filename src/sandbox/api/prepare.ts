import type { KubeObject } from '../../cluster/index.ts'
import { shape } from '../../schema/index.ts'
import { applyDefaults } from './defaults.ts'
import { isFields, textAt, type Fields } from './fields.ts'
import { decodeKnown } from './known-fields.ts'
import { typeOf } from './managed-fields.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'
import { badRequest, invalid } from './status-error.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface Decoding {
	/** What happens on unknown fields. Default: `Warn`, as the API's. */
	readonly fieldValidation?: FieldValidation | undefined
	/** Takes what `Warn` has to say. */
	readonly warn?: ((text: string) => void) | undefined
}

const MAX_WARNINGS = 20

/**
 * Parses what a client sent as an object of this resource.
 * @throws StatusError `BadRequest` when it is none
 */
export function parseObject(resource: ServedResource, body: unknown): KubeObject {
	if (!isFields(body)) throw badRequest('the body of the request is not an object')
	const expected = apiVersionOf(resource)
	const apiVersion = textAt(body, 'apiVersion') ?? expected
	const kind = textAt(body, 'kind') ?? resource.kind
	if (apiVersion !== expected || kind !== resource.kind) {
		throw badRequest(
			`${kind} in version "${apiVersion}" does not match the expected ${resource.kind} in version "${expected}"`,
		)
	}
	const metadata = body['metadata'] ?? {}
	if (!isFields(metadata)) throw badRequest('metadata is not an object')
	for (const field of ['name', 'generateName', 'namespace', 'resourceVersion', 'uid']) {
		const value = metadata[field]
		if (value !== undefined && value !== null && typeof value !== 'string') {
			throw badRequest(`json: cannot unmarshal ${typeof value} into field metadata.${field} of type string`)
		}
	}
	return { ...body, apiVersion, kind, metadata: cleanMetadata(metadata) }
}

/** `null` and empty maps and lists in the metadata mean absent. */
function cleanMetadata(metadata: Fields): KubeObject['metadata'] {
	const kept = Object.entries(metadata).filter(([key, value]) => {
		if (value === null || value === undefined || key === 'selfLink') return false
		return typeof value !== 'object' || Object.keys(value).length > 0
	})
	return { name: '', ...Object.fromEntries(kept) }
}

/**
 * Decodes an object in the version of `resource` into the stored form: unknown
 * fields pruned and complained about, defaults filled in.
 * @throws StatusError `BadRequest` or `Invalid`
 */
export function decode(resource: ServedResource, object: KubeObject, decoding: Decoding): KubeObject {
	if (resource.custom) {
		const schema = resource.custom.schema
		if (schema === undefined) return resource.encode(object)
		const shaped = shape(object, schema)
		complain(shaped.unknown, decoding)
		if (shaped.causes.length > 0) throw invalid(resource, object.metadata.name, shaped.causes)
		return resource.encode(shaped.value as KubeObject)
	}
	const known = decodeKnown(object, typeOf(resource))
	const [wrong] = known.mistyped
	if (wrong !== undefined) {
		throw badRequest(
			`${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${wrong}`,
		)
	}
	complain(known.unknown, decoding)
	return applyDefaults(resource.storageKey, resource.encode(withoutNulls(known.value) as KubeObject))
}

/** For a built-in type `null` is the same as absent. */
function withoutNulls(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutNulls)
	if (!isFields(value)) return value
	const kept = Object.entries(value).filter(([, child]) => child !== null && child !== undefined)
	return Object.fromEntries(kept.map(([key, child]) => [key, withoutNulls(child)]))
}

function complain(unknown: readonly string[], { fieldValidation = 'Warn', warn }: Decoding): void {
	if (unknown.length === 0 || fieldValidation === 'Ignore') return
	const texts = unknown.map((path) => `unknown field "${path}"`)
	if (fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${texts.join(', ')}`)
	for (const text of texts.slice(0, MAX_WARNINGS)) warn?.(text)
}
