import type { StoreOptions } from '../../content/index.ts'
import type { Waiting } from '../../http/client/index.ts'
import { type Descriptor, isManifestType } from '../../oci/index.ts'
import type { Endpoint } from './endpoint.ts'

/** Whether a repository has a manifest or a blob. */
export async function hasContent(
	endpoint: Endpoint,
	target: Descriptor,
	{ signal, waiting }: StoreOptions & { readonly waiting?: Waiting | undefined },
): Promise<boolean> {
	const isManifest = isManifestType(target.mediaType)
	const path = `${isManifest ? 'manifests' : 'blobs'}/${target.digest}`
	const headers = isManifest ? { accept: target.mediaType } : {}
	const response = await endpoint.send({ method: 'HEAD', path, headers, access: 'pull', waiting, signal })
	response.discard()
	if (response.status === 200) {
		// A registry that lost bytes says so here; the push then heals it.
		const length = response.headers['content-length']
		return length === undefined || Number(length) === target.size
	}
	if (response.status === 404 || response.status === 405) return false
	throw await endpoint.refusal(response, `say whether ${endpoint.repository} has ${target.digest}`)
}
