import { digestOf, type Digest, emptyDescriptor, MediaType } from '../../src/oci/index.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { Random } from './random.ts'

export const CONFIG: Buffer = Buffer.from('{}')

export interface Image {
	readonly digest: Digest
	readonly bytes: Buffer
	readonly layer: Buffer
}

/** An image of one layer. */
export function imageOf(layer: Buffer, annotation: string): Image {
	const manifest = {
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		config: emptyDescriptor,
		layers: [{ mediaType: MediaType.layerTar, digest: digestOf(layer), size: layer.byteLength }],
		annotations: { name: annotation },
	}
	const bytes = Buffer.from(JSON.stringify(manifest))
	return { digest: digestOf(bytes), bytes, layer }
}

/** What a registry must answer, or the test fails. */
export function must(answer: Answer, status: number, what: string): Answer {
	if (answer.status === status) return answer
	throw new WrongAnswer(`${what}: ${answer.status} ${answer.bytes.toString().slice(0, 500)}, not ${status}`)
}

export class WrongAnswer extends Error {}

/** One of the ways in which clients push a blob. */
export async function pushBlob(
	exchange: Exchange,
	{
		repository,
		content,
		random,
	}: { readonly repository: string; readonly content: Buffer; readonly random: Random },
): Promise<void> {
	const digest = digestOf(content)
	const uploads = `/v2/${repository}/blobs/uploads/`
	const way = random.below(3)
	if (way === 0) {
		must(await exchange(`POST ${uploads}?digest=${digest}`, { body: content }), 201, 'a blob in one request')
		return
	}
	const { headers } = must(await exchange(`POST ${uploads}`), 202, 'the start of an upload')
	const location = String(headers.location)
	let sent = 0
	if (way === 2) {
		const size = Math.ceil(content.byteLength / 3)
		for (; sent + size < content.byteLength; sent += size) {
			const chunk = content.subarray(sent, sent + size)
			const range = { 'content-range': `${sent}-${sent + size - 1}` }
			must(await exchange(`PATCH ${location}`, { headers: range, body: chunk }), 202, 'a chunk')
		}
	}
	const last = await exchange(`PUT ${location}?digest=${digest}`, { body: content.subarray(sent) })
	must(last, 201, 'the end of an upload')
}

export async function putManifest(
	exchange: Exchange,
	{
		repository,
		reference,
		image,
	}: { readonly repository: string; readonly reference: string; readonly image: Image },
): Promise<void> {
	const headers = { 'content-type': MediaType.imageManifest }
	const answer = await exchange(`PUT /v2/${repository}/manifests/${reference}`, {
		headers,
		body: image.bytes,
	})
	must(answer, 201, 'a manifest')
}
