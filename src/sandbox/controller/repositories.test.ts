import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../cluster/index.ts'
import { certificatesFor, repositoryAccess } from './repositories.ts'

function secret(type: string, data: Readonly<Record<string, string>>): KubeObject {
	const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
	const labels = { 'argocd.argoproj.io/secret-type': type }
	return {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: { name: 's', labels },
		data: Object.fromEntries(encoded),
	}
}

const wanted = { repoURL: 'oci://r.test/team/app', project: 'p' }

describe('repositoryAccess', () => {
	it.each([
		['nothing', [], undefined],
		['the exact URL', [secret('repository', { url: 'oci://r.test/team/app', username: 'exact' })], 'exact'],
		[
			'the exact URL in other case',
			[secret('repository', { url: 'OCI://R.test/team/app', username: 'exact' })],
			'exact',
		],
		['another repository', [secret('repository', { url: 'oci://r.test', username: 'host' })], undefined],
		[
			'the longest template',
			[
				secret('repo-creds', { url: 'oci://r.test', username: 'short' }),
				secret('repo-creds', { url: 'oci://r.test/te', username: 'long' }),
			],
			'long',
		],
		[
			'the project before none',
			[
				secret('repository', { url: wanted.repoURL, username: 'global' }),
				secret('repository', { url: wanted.repoURL, username: 'own', project: 'p' }),
			],
			'own',
		],
		[
			'not another project',
			[secret('repository', { url: wanted.repoURL, username: 'other', project: 'q' })],
			undefined,
		],
		['another kind of Secret', [secret('cluster', { url: wanted.repoURL, username: 'x' })], undefined],
	])('%s', (_, secrets, username) => {
		expect(repositoryAccess(secrets, wanted).username).toBe(username)
	})

	it('a template fills in a credential and overwrites the scheme, never the trust', () => {
		const own = secret('repository', { url: wanted.repoURL, insecure: 'true', insecureOCIForceHttp: 'true' })
		const template = secret('repo-creds', {
			url: 'oci://r.test',
			username: 'u',
			password: 'p',
			insecure: 'true',
		})
		expect(repositoryAccess([own, template], wanted)).toEqual({
			username: 'u',
			password: 'p',
			insecure: true,
			plainHttp: false,
		})
		expect(repositoryAccess([template], wanted).insecure).toBe(false)
	})
})

describe('certificatesFor', () => {
	const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
	const map = {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: 'c' },
		data: { 'r.test': pem, bad: 'text' },
	}
	it('goes by host name, and passes over what is no certificate', () => {
		expect(certificatesFor(map, 'r.test')).toBe(pem)
		expect(certificatesFor(map, 'bad')).toBeUndefined()
		expect(certificatesFor(map, 'other')).toBeUndefined()
		expect(certificatesFor(undefined, 'r.test')).toBeUndefined()
	})
})
