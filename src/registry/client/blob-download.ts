import type { ByteStream, StoreOptions } from '../../content/index.ts'
import type { HttpResponse } from '../../http/client/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Endpoint } from './endpoint.ts'
import { protocolError } from './registry-errors.ts'
import { resumedStream } from './resumed-stream.ts'

/** Opens a blob; the stream asks again from where a connection breaks off. */
export async function downloadBlob(
	endpoint: Endpoint,
	target: Descriptor,
	{ signal }: StoreOptions,
): Promise<ByteStream | undefined> {
	const response = await fetchBlob(endpoint, target, signal)
	const reopen = (offset: number): ReturnType<typeof reopenBlob> =>
		reopenBlob(endpoint, target, { offset, signal })
	return response && resumedStream(target, response, { http: endpoint.http, reopen, signal })
}

async function fetchBlob(
	endpoint: Endpoint,
	target: Descriptor,
	signal: AbortSignal | undefined,
): Promise<HttpResponse | undefined> {
	const path = `blobs/${target.digest}`
	const response = await endpoint.send({ method: 'GET', path, access: 'pull', signal })
	if (response.status === 200) return response
	if (response.status !== 404) throw await endpoint.refusal(response, `read the blob ${target.digest}`)
	response.discard()
	return undefined
}

async function reopenBlob(
	endpoint: Endpoint,
	target: Descriptor,
	{ offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
): Promise<HttpResponse | undefined> {
	const response = await endpoint.send({
		method: 'GET',
		path: `blobs/${target.digest}`,
		headers: { range: `bytes=${offset}-` },
		access: 'pull',
		retry: false,
		signal,
	})
	const range = response.headers['content-range'] ?? ''
	if (response.status === 200 || (response.status === 206 && range.startsWith(`bytes ${offset}-`)))
		return response
	if (response.status === 416) {
		response.discard()
		return undefined
	}
	if (response.status === 206) {
		response.discard()
		throw protocolError(endpoint.registry, 'answers with another range than was asked for', response)
	}
	throw await endpoint.refusal(response, `read the blob ${target.digest} from byte ${offset}`)
}
