import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/index.ts'
import { buildApplication } from './application.ts'
import { holdsCa, mergeCa, removeCa, tlsCertsKey } from './ca-bundle.ts'
import { ownerOf } from './owner.ts'
import { parseApplication } from './parse-application.ts'
import { parseRepoUrl, tlsHostname } from './repo-url.ts'
import { buildRepositorySecret, repositorySecretName } from './repository-secret.ts'
import { matchesSource } from './source-match.ts'
import { supportedArgoCd } from './version.ts'

const base = {
	name: 'web',
	repoURL: 'oci://kind-registry:5000/web',
	targetRevision: 'v1.0.0',
	destination: { namespace: 'shop' },
} as const

describe('buildApplication', () => {
	it('makes what the design says by default', () => {
		expect(buildApplication(base)).toEqual({
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'Application',
			metadata: {
				name: 'web',
				namespace: 'argocd',
				labels: { 'app.kubernetes.io/managed-by': 'lading' },
				finalizers: ['resources-finalizer.argocd.argoproj.io'],
			},
			spec: {
				project: 'default',
				source: { repoURL: base.repoURL, targetRevision: 'v1.0.0', path: '.' },
				destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
				syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
			},
		})
	})

	it('follows every flag', () => {
		const { metadata, spec } = buildApplication({
			...base,
			automated: false,
			createNamespace: false,
			serverSide: true,
			recurse: true,
			finalizer: false,
			path: 'k8s',
			project: 'shop',
			namespace: 'gitops',
			destination: { cluster: 'prod', namespace: 'shop' },
			labels: { team: 'a', 'app.kubernetes.io/managed-by': 'x' },
		})
		expect(metadata).toEqual({
			name: 'web',
			namespace: 'gitops',
			labels: { team: 'a', 'app.kubernetes.io/managed-by': 'lading' },
		})
		expect(spec).toEqual({
			project: 'shop',
			source: { repoURL: base.repoURL, targetRevision: 'v1.0.0', path: 'k8s', directory: { recurse: true } },
			destination: { name: 'prod', namespace: 'shop' },
			syncPolicy: { syncOptions: ['ServerSideApply=true'] },
		})
	})

	it.each([
		[{ name: 'Web' }, 'OBJECT_INVALID'],
		[{ name: 'x'.repeat(254) }, 'OBJECT_INVALID'],
		[{ destination: { namespace: 'a.b/c' } }, 'OBJECT_INVALID'],
		[{ repoURL: 'oci://host/Team/App' }, 'REFERENCE_INVALID'],
		[{ targetRevision: '' }, 'REFERENCE_INVALID'],
		[{ targetRevision: 'feature/x' }, 'REFERENCE_INVALID'],
		[{ path: '../x' }, 'OBJECT_INVALID'],
	])('refuses %j', (wrong, code) => {
		expect(() => buildApplication({ ...base, ...wrong })).toThrow(expect.objectContaining({ code }))
	})
})

describe('parseRepoUrl', () => {
	it.each([
		['oci://host/app', { registry: 'host', repository: 'app' }],
		['oci://host:5000/team/app', { registry: 'host:5000', repository: 'team/app' }],
		['oci://[::1]:5000/app', { registry: '[::1]:5000', repository: 'app' }],
		['oci://host:5000/app:v1', { registry: 'host:5000', repository: 'app', ignored: ':v1' }],
		['oci://host/app@sha256:abc', { registry: 'host', repository: 'app', ignored: '@sha256:abc' }],
		['oci://host/app:v1@sha256:abc', { registry: 'host', repository: 'app', ignored: ':v1@sha256:abc' }],
	])('reads %s', (text, url) => {
		expect(parseRepoUrl(text)).toEqual({ ok: true, url })
	})

	it.each([
		['OCI://host/app', 'scheme-case', 'oci://host/app'],
		['https://host/app', 'not-oci', undefined],
		['oci://host', 'no-repository', undefined],
		['oci://host/', 'no-repository', undefined],
		['oci://host/app/', 'trailing-slash', 'oci://host/app'],
		['oci://host/Team/App', 'capitals', 'oci://host/team/app'],
		['oci://user:pw@host/app', 'user-information', 'oci://host/app'],
		['oci://ho st/app', 'host', undefined],
		['oci://host/a//b', 'repository', undefined],
	])('refuses %s: %s', (text, reason, suggestion) => {
		const result = parseRepoUrl(text)
		expect(result).toMatchObject({ ok: false, reason })
		expect(result.ok ? undefined : result.suggestion).toBe(suggestion)
		expect(JSON.stringify(result)).not.toContain('pw')
	})

	it("says Argo CD's words for capitals", () => {
		expect(parseRepoUrl('oci://h/Demo-App')).toMatchObject({
			argocdMessage:
				'failed to initialize oci client: failed to initialize repository: invalid reference: invalid repository "Demo-App"',
		})
	})

	it.each([
		['oci://host:5000/app', 'host'],
		['host:5000', 'host'],
		['[::1]:5000', '::1'],
	])('finds the host of %s', (text, host) => {
		expect(tlsHostname(text)).toBe(host)
	})
})

describe('buildRepositorySecret', () => {
	it('is of type oci, with credentials or without', () => {
		expect(buildRepositorySecret({ repoURL: base.repoURL })).toMatchObject({
			kind: 'Secret',
			metadata: {
				labels: { 'argocd.argoproj.io/secret-type': 'repository', 'app.kubernetes.io/managed-by': 'lading' },
			},
			stringData: { type: 'oci', url: base.repoURL },
		})
		expect(
			buildRepositorySecret({
				repoURL: base.repoURL,
				username: 'u',
				password: 'p',
				insecure: true,
				plainHttp: true,
				project: 'x',
			})['stringData'],
		).toEqual({
			type: 'oci',
			url: base.repoURL,
			username: 'u',
			password: 'p',
			insecure: 'true',
			insecureOCIForceHttp: 'true',
			project: 'x',
		})
	})

	it('wants both of a user name and a password', () => {
		expect(() => buildRepositorySecret({ repoURL: base.repoURL, username: 'u' })).toThrow(
			expect.objectContaining({ code: 'OBJECT_INVALID' }),
		)
	})

	it('has a name that is legal, stable and of the URL alone', () => {
		const urls = [
			'oci://a/b',
			'oci://a/b-c',
			'oci://a:1/b',
			`oci://host/${'x'.repeat(200)}`,
			'oci://[::1]:5000/a_b',
		]
		const names = urls.map((url) => repositorySecretName(url))
		for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
		expect(new Set(names).size).toBe(urls.length)
		expect(repositorySecretName('oci://A/b')).toBe(repositorySecretName('oci://a/b'))
		expect(repositorySecretName('oci://a/b')).toMatch(/^lading-repo-a-b-[0-9a-f]{10}$/)
	})
})

const pem = (body: string, lines = 1): string =>
	`-----BEGIN CERTIFICATE-----\n${`${body}\n`.repeat(lines)}-----END CERTIFICATE-----\n`

describe('the CA bundle', () => {
	it('is kept by host name without port, beside what is there', () => {
		const data = { other: 'x', host: `# mine\n${pem('AAA')}` }
		const merged = mergeCa(data, { host: 'host:5000', pem: pem('BBB') })
		expect(merged).toEqual({ other: 'x', host: `# mine\n${pem('AAA')}${pem('BBB')}` })
		expect(mergeCa(merged, { host: 'oci://host:1/x', pem: pem('BBB').replaceAll('\n', '\r\n') })).toBe(merged)
		expect(holdsCa(merged, { host: 'host', pem: pem('BBB') + pem('AAA') })).toBe(true)
		expect(holdsCa(data, { host: 'host', pem: pem('BBB') })).toBe(false)
	})

	it('mends a bundle without a newline at its end', () => {
		const merged = mergeCa({ host: pem('AAA').trimEnd() }, { host: 'host', pem: pem('BBB') })
		expect(merged['host']).toBe(pem('AAA') + pem('BBB'))
	})

	it('loses a certificate, and then its key', () => {
		const data = mergeCa(mergeCa({}, { host: 'h', pem: pem('A') }), { host: 'h', pem: pem('B') })
		expect(removeCa(data, { host: 'h', pem: pem('A') })).toEqual({ h: pem('B') })
		expect(removeCa({ h: pem('B'), o: 'x' }, { host: 'h', pem: pem('B') })).toEqual({ o: 'x' })
		const same = { h: pem('B') }
		expect(removeCa(same, { host: 'h', pem: pem('C') })).toBe(same)
	})

	it.each([
		['no certificate', {}, 'nothing'],
		['a long one', {}, pem('A', 127)],
		['the 257th', { h: Array.from({ length: 256 }, (_, index) => pem(`N${index}`)).join('') }, pem('X')],
	])('refuses %s', (_name, data, added) => {
		expect(() => mergeCa(data, { host: 'h', pem: added })).toThrow(
			expect.objectContaining({ code: 'CA_UNREADABLE' }),
		)
	})

	it('takes 126 lines between the markers', () => {
		expect(mergeCa({}, { host: 'h', pem: pem('A', 126) })).toHaveProperty('h')
	})

	it('cannot serve IPv6', () => {
		expect(() => tlsCertsKey('[::1]:5000')).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }))
		expect(tlsCertsKey('127.0.0.1:5000')).toBe('127.0.0.1')
	})
})

describe('matchesSource', () => {
	const pushed = {
		registries: ['localhost:5001', 'kind-registry:5000'],
		repository: 'web',
		tag: 'v1.2.0',
		digest: digestOf('x'),
	}
	it.each([
		['oci://kind-registry:5000/web', 'v1.2.0', true],
		['oci://localhost:5001/web', 'v1.2.0', true],
		['oci://KIND-registry:5000/web/', 'v1.2.0', true],
		['oci://kind-registry:5000/web:old', 'v1.2.0', true],
		['oci://kind-registry:5000/web', '^1.0.0', true],
		['oci://kind-registry:5000/web', 'latest', false],
		['oci://kind-registry:5000/web', `v1.2.0@${digestOf('x')}`, false],
		['oci://kind-registry:5000/web2', 'v1.2.0', false],
		['oci://kind-registry/web', 'v1.2.0', false],
		['https://kind-registry:5000/web', 'v1.2.0', false],
	])('%s at %s: %s', (repoURL, targetRevision, expected) => {
		const application = {
			...buildApplication(base),
			spec: { ...buildApplication(base).spec, source: { repoURL, targetRevision } },
		}
		expect(matchesSource(application, pushed)).toBe(expected)
	})

	it('looks at every source', () => {
		const application = buildApplication(base)
		const spec = {
			...application.spec,
			source: undefined,
			sources: [{ repoURL: 'https://git' }, { repoURL: base.repoURL, targetRevision: 'v1.2.0' }],
		}
		expect(matchesSource({ ...application, spec }, pushed)).toBe(true)
		expect(matchesSource({ ...application, spec }, { ...pushed, tag: undefined })).toBe(false)
	})
})

describe('ownerOf', () => {
	const owned = (metadata: object) =>
		ownerOf({ ...buildApplication(base), metadata: { name: 'web', namespace: 'argocd', ...metadata } })
	it.each([
		[{}, undefined],
		[
			{
				ownerReferences: [
					{ apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', name: 'all', uid: '1' },
				],
			},
			'ApplicationSet all',
		],
		[{ ownerReferences: [{ apiVersion: 'x/v1', kind: 'Thing', name: 't', uid: '1' }] }, 'Thing t'],
		[{ labels: { 'argocd.argoproj.io/application-set-name': 'all' } }, 'ApplicationSet all'],
		[
			{ annotations: { 'argocd.argoproj.io/tracking-id': 'root:argoproj.io/Application:argocd/web' } },
			'Application root',
		],
		[
			{ annotations: { 'argocd.argoproj.io/tracking-id': 'root:argoproj.io/Application:argocd/other' } },
			undefined,
		],
		[{ labels: { 'app.kubernetes.io/instance': 'root' } }, 'Application root'],
		[{ labels: { 'app.kubernetes.io/instance': 'web' } }, undefined],
		[{ labels: { 'app.kubernetes.io/instance': 'root', 'app.kubernetes.io/managed-by': 'Helm' } }, undefined],
	])('%j: %s', (metadata, owner) => {
		expect(owned(metadata)?.owner).toBe(owner)
	})
})

describe('parseApplication', () => {
	it('reads one with an object that has no name, as Argo CD writes it', () => {
		const resources = [{ version: 'v1', kind: 'ConfigMap', status: 'OutOfSync' }]
		const syncResult = { resources: [{ version: 'v1', kind: 'ConfigMap', status: 'SyncFailed' }] }
		const operationState = { phase: 'Failed', syncResult }
		const { status } = parseApplication({ ...buildApplication(base), status: { resources, operationState } })
		expect(status?.resources).toMatchObject([{ kind: 'ConfigMap', name: '' }])
	})

	it('keeps fields it does not know and words that are new', () => {
		const application = parseApplication({
			...buildApplication(base),
			status: { sync: { status: 'Quantum' }, health: {}, controllerNamespace: 'argocd' },
		})
		expect(application.status).toMatchObject({ sync: { status: 'Unknown' }, controllerNamespace: 'argocd' })
	})

	it.each([{ spec: {} }, { status: { operationState: { phase: 3 } } }, { kind: 'AppProject' }])(
		'refuses %j',
		(wrong) => {
			expect(() => parseApplication({ ...buildApplication(base), ...wrong })).toThrow(
				expect.objectContaining({ code: 'CLUSTER_FAILED' }),
			)
		},
	)
})

describe('supportedArgoCd', () => {
	it.each([
		['v3.6.1', 'supported'],
		['3.1.6', 'supported'],
		['v3.1.5+abc', 'too-old'],
		['2.4.0', 'too-old'],
		['latest', 'unknown'],
	])('%s is %s', (version, status) => {
		expect(supportedArgoCd(version).status).toBe(status)
	})

	it('notes the versions that need a typed Secret', () => {
		expect(supportedArgoCd('3.5.1')).toHaveProperty('note')
		expect(supportedArgoCd('3.4.3')).not.toHaveProperty('note')
	})
})
