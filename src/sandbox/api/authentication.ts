import { createHash, timingSafeEqual } from 'node:crypto'
import type { ServerRequest } from '../../http/server/index.ts'
import type { ApiUser } from './reviews.ts'
import { StatusError } from './status-error.ts'

const ADMIN: ApiUser = { name: 'lading-sandbox-admin', groups: ['system:masters', 'system:authenticated'] }

/**
 * Who makes a request: the bearer of the token, or of a client certificate that the
 * listener verified.
 * @throws StatusError `Unauthorized`
 */
export function authenticate(request: ServerRequest, token: string): ApiUser {
	if (request.clientCertificate !== undefined) {
		const { commonName, organizations } = request.clientCertificate
		return { name: commonName, groups: [...organizations, 'system:authenticated'] }
	}
	const given = /^bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
	if (given !== undefined && sameText(given, token)) return ADMIN
	throw new StatusError('Unauthorized', 'Unauthorized')
}

/** Compares digests, so that the time tells neither the length nor the first difference. */
function sameText(a: string, b: string): boolean {
	const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
	return b !== '' && timingSafeEqual(digest(a), digest(b))
}
