const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/**
 * `/openapi/v2` says one thing: that `patch` of a Namespace takes `fieldValidation`.
 * kubectl asks for it, as protobuf, before it sends a `kind: List`, and then leaves the
 * validation to the server. Types are in `/openapi/v3`.
 * @see kubernetes staging/src/k8s.io/cli-runtime/pkg/resource/query_param_verifier.go, gnostic openapiv2/OpenAPIv2.proto
 */
export function openApiV2(): { readonly contentType: string; readonly body: Uint8Array } {
	return { contentType: PROTOBUF, body: document() }
}

/** A length-delimited field of a protobuf message. */
function field(number: number, content: Uint8Array | string): Uint8Array {
	const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
	return Uint8Array.of(...varint((number << 3) | 2), ...varint(bytes.byteLength), ...bytes)
}

function varint(value: number): readonly number[] {
	return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
	return Buffer.concat(fields)
}

function document(): Uint8Array {
	const kind = field(2, 'group: ""\nkind: Namespace\nversion: v1\n')
	const extension = message(field(1, 'x-kubernetes-group-version-kind'), field(2, kind))
	// Operation.parameters > ParametersItem.parameter > Parameter.non_body_parameter > query_parameter_sub_schema
	const query = message(field(2, 'query'), field(4, 'fieldValidation'))
	const parameter = field(1, field(2, field(3, query)))
	const patch = message(field(8, parameter), field(13, extension))
	const path = message(field(1, '/api/v1/namespaces/{name}'), field(2, field(8, patch)))
	const info = message(field(1, 'lading sandbox'), field(2, 'sandbox'))
	return message(field(1, '2.0'), field(2, info), field(8, field(2, path)))
}
