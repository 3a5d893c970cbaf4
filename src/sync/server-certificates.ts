import * as v from 'valibot'
import { mergeCa, tlsCertsKey } from '../argocd/index.ts'
import { type ArgocdClient, GrpcCode, grpcCodeOf, readAnswer } from '../argocd-api/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { CertificateApi } from './argocd.ts'

const certificateList = v.looseObject({
	items: v.nullish(v.array(v.looseObject({ serverName: v.string(), certType: v.string() }))),
})

/** Argo CD gives out no certificates by this API, only whose they are. */
export function createServerCertificates(client: ArgocdClient): CertificateApi {
	const path = 'v1/certificates'
	const isTrusted: CertificateApi['isTrusted'] = async ({ host, signal }) => {
		const serverName = tlsCertsKey(host)
		try {
			const query = { hostNamePattern: serverName, certType: 'https' }
			const { items } = readAnswer(certificateList, await client.json({ path, query, signal }))
			return items?.some((each) => each.serverName === serverName) === true
		} catch (error) {
			// Who may not look does not know of any.
			if (grpcCodeOf(error) === GrpcCode.permissionDenied) return false
			throw error
		}
	}
	return {
		async trust({ host, pem, signal }) {
			const serverName = tlsCertsKey(host)
			const bundle = mergeCa({}, { host, pem })[serverName] ?? ''
			const item = {
				serverName,
				certType: 'https',
				certSubType: '',
				certData: Buffer.from(bundle).toString('base64'),
			}
			try {
				const answer = await client.json({ method: 'POST', path, body: { items: [item] }, signal })
				return (readAnswer(certificateList, answer).items ?? []).length > 0 ? 'changed' : 'unchanged'
			} catch (error) {
				if (!(error instanceof RemoteError) || error.code !== 'ARGOCD_FAILED') throw error
				if (!(await isTrusted({ host, signal }))) throw error
				throw new RemoteError(
					'ARGOCD_FAILED',
					`Argo CD has other certificates for ${serverName}, and gives them to nobody: adding one would lose them`,
					{
						hint: `Add it with --cluster context:NAME, or take the others away first: argocd cert rm ${serverName} --cert-type https`,
						cause: error,
						wire: error.wire,
					},
				)
			}
		},
		isTrusted,
	}
}
