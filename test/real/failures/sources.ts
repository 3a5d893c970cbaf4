import { type FailureCase, one } from './case.ts'
import type { Fault } from './registry.ts'

const answers =
	(status: number, headers: Readonly<Record<string, string>> = {}): Fault =>
	() => ({ status, headers, body: '' })

/** A registry that gives tokens, and none to whom asks. */
const tokenFlow: Fault = ({ headers }) => ({
	status: 401,
	headers: {
		'www-authenticate': `Bearer realm="https://${headers.host}/v2/no-token/tags/token",service="registry",scope="repository:no-token:pull"`,
	},
	body: '',
})

const ABSENT = `sha256:${'0'.repeat(64)}`

/** Revisions that name nothing. */
const revisions: readonly FailureCase[] = [
	{
		name: 'no-tag',
		at: 'tls',
		cause: 'tag-missing',
		argocd: ':v1: not found',
		fix: 'lading push DIR PLACE:v1',
		sync: { code: 7, says: ['nothing for v1', 'lading tags PLACE'] },
	},
	{
		name: 'no-digest',
		at: 'tls',
		revision: ABSENT,
		cause: 'digest-missing',
		argocd: `@${ABSENT}: not found`,
		fix: 'lading sync NAME TAG',
		sync: { code: 7, says: [ABSENT, 'lading tags PLACE'] },
	},
	{
		name: 'no-tag-in-range',
		artifact: one('no-tag-in-range'),
		tags: { '1.0.0': one('no-tag-in-range') },
		revision: '^9.0.0',
		cause: 'range-unmatched',
		argocd: 'no version for constraints: version matching constraint not found in 2 tags',
		fix: 'lading tags PLACE',
		sync: { code: 7, says: ['nothing for ^9.0.0', 'lading tags PLACE'] },
	},
	{
		name: 'tags-kept-secret',
		artifact: one('tags-kept-secret'),
		revision: '^1.0.0',
		fault: ({ path }) => (path.endsWith('/tags/list') ? { status: 403, body: '' } : undefined),
		cause: 'tags-denied',
		argocd: 'error fetching tags: failed to get tags: ',
		fix: 'lading sync NAME TAG',
	},
	{
		name: 'no-revision',
		artifact: one('no-revision'),
		revision: '',
		cause: 'revision-empty',
		argocd: 'cannot get digest for revision : invalid reference',
		fix: 'lading sync NAME TAG',
		sync: { code: 3, says: ['revision'] },
	},
	{
		name: 'head',
		artifact: one('head'),
		revision: 'HEAD',
		cause: 'revision-head',
		argocd: ':HEAD: not found',
		fix: 'lading sync NAME latest',
		sync: { code: 7, says: ['nothing for HEAD'] },
	},
	{
		name: 'slash',
		artifact: one('slash'),
		revision: 'feature/x',
		cause: 'revision-slash',
		argocd: 'mismatch between received "feature/x" and expected',
		fix: 'lading sync NAME TAG',
		sync: { code: 3, says: ['feature/x'] },
	},
	{
		name: 'plus',
		artifact: one('plus'),
		tags: { '1.3.0_build.5': one('plus') },
		revision: '^1.0.0',
		cause: 'revision-plus',
		argocd: 'cannot get digest for revision 1.3.0+build.5: invalid reference',
		fix: 'lading sync NAME TAG',
		sync: { code: 7, says: ['chooses the tag 1.3.0_build.5', 'Name the tag itself'] },
	},
	{
		name: 'short-digest',
		artifact: one('short-digest'),
		revision: 'sha256:abc',
		cause: 'revision-invalid',
		argocd: 'invalid checksum digest length',
		fix: 'lading sync NAME TAG',
		sync: { code: 3, says: ['sha256:abc'] },
	},
	{
		name: 'no-digest-header',
		artifact: one('no-digest-header'),
		fault: ({ method, path }) =>
			method === 'HEAD' && path.endsWith('/manifests/v1')
				? {
						status: 200,
						headers: {
							'content-type': 'application/vnd.oci.image.manifest.v1+json',
							'content-length': '2',
						},
					}
				: undefined,
		cause: 'digest-header-missing',
		argocd: 'missing required header "Docker-Content-Digest"',
		fix: 'lading sync NAME sha256:…',
	},
]

/** Registries that are not reached, or do not say a word of use. */
const connections: readonly FailureCase[] = [
	{
		name: 'unknown-ca',
		at: 'untrusted',
		artifact: one('unknown-ca'),
		cause: 'ca-unknown',
		argocd: 'x509: certificate signed by unknown authority',
		fix: 'lading trust HOST --ca FILE',
	},
	{
		name: 'other-name',
		at: 'other-name',
		artifact: one('other-name'),
		cause: 'certificate-name',
		argocd: 'certificate is valid for 127.0.0.1, not 127.0.0.2',
		fix: 'Issue a certificate that carries the name',
	},
	{
		name: 'expired',
		at: 'expired',
		cause: 'certificate-expired',
		argocd: 'certificate has expired or is not yet valid',
		fix: 'Renew the certificate',
	},
	{
		name: 'plain-http',
		at: 'http',
		cause: 'registry-plain-http',
		argocd: 'http: server gave HTTP response to HTTPS client',
		fix: 'lading deploy NAME PLACE:v1 --plain-http',
	},
	{
		name: 'wants-https',
		at: 'tls',
		secret: { insecureOCIForceHttp: 'true' },
		cause: 'registry-wants-https',
		argocd: 'response status code 400: Bad Request',
		fix: 'lading deploy NAME PLACE:v1',
		sync: { code: 7, says: ['nothing for v1'] },
	},
	{
		name: 'refused',
		at: 'closed',
		cause: 'connection-refused',
		argocd: 'connect: connection refused',
		fix: 'lading registry up',
	},
	{
		name: 'no-such-host',
		at: 'nowhere',
		cause: 'host-unknown',
		argocd: 'lookup ',
		fix: 'lading doctor tells the ones it knows',
	},
	{
		name: 'broken-off',
		at: 'broken',
		cause: 'unreachable',
		argocd: 'Head "https://',
		fix: 'lading doctor',
	},
]

/** Registries that answer, and say no. */
const refusals: readonly FailureCase[] = [
	{
		name: 'no-credentials',
		at: 'auth',
		cause: 'credentials-missing',
		argocd: 'basic credential not found',
		fix: 'lading deploy NAME PLACE:v1 --username USER --password-stdin',
	},
	{
		name: 'wrong-password',
		at: 'auth',
		secret: { username: 'ann', password: 'of somebody else' },
		cause: 'credentials-refused',
		argocd: 'response status code 401: Unauthorized',
		fix: 'lading deploy NAME PLACE:v1 --username USER --password-stdin',
	},
	{
		name: 'no-token',
		artifact: one('no-token'),
		fault: tokenFlow,
		cause: 'credentials-refused',
		argocd: 'response status code 401: Unauthorized',
		fix: 'lading deploy NAME PLACE:v1 --username USER --password-stdin',
	},
	{
		name: 'forbidden',
		artifact: one('forbidden'),
		fault: answers(403),
		cause: 'access-denied',
		argocd: 'response status code 403: Forbidden',
		fix: 'Grant the user the right to pull',
	},
	{
		name: 'asked-too-often',
		artifact: one('asked-too-often'),
		fault: answers(429),
		cause: 'registry-failing',
		argocd: 'response status code 429: Too Many Requests',
		fix: 'lading sync NAME',
	},
	{
		name: 'unwell',
		artifact: one('unwell'),
		fault: answers(503),
		cause: 'registry-failing',
		argocd: 'response status code 503: Service Unavailable',
		fix: 'lading sync NAME',
	},
]

export const sourceCases: readonly FailureCase[] = [...revisions, ...connections, ...refusals]
