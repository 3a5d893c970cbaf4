import { describe, expect, it } from 'vitest'
import type { HttpClient, HttpResponse } from '../http/client/index.ts'
import { downloadManifest, manifestUrl, parseManifest, readArgocdVersion } from './argocd-manifest.ts'

const manifest = (image: string): string => `
apiVersion: v1
kind: ServiceAccount
metadata: {name: argocd-repo-server}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: argocd-server}
subjects: [{kind: ServiceAccount, name: argocd-server, namespace: argocd}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-repo-server}
spec: {template: {spec: {containers: [{name: argocd-repo-server, image: "${image}"}]}}}
---
`
const IMAGE = 'quay.io/argoproj/argocd:v3.6.1'

describe('parseManifest', () => {
	it('finds the version, and puts everything where kubectl apply -n would', () => {
		const { version, objects } = parseManifest(manifest(IMAGE), { from: 'f', namespace: 'cd' })
		expect(version).toBe('3.6.1')
		expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}`)).toEqual([
			'ServiceAccount cd',
			'ClusterRoleBinding -',
			'Deployment cd',
		])
		expect(objects[1]?.subjects).toEqual([{ kind: 'ServiceAccount', name: 'argocd-server', namespace: 'cd' }])
	})

	it.each([
		['a: [', 'MANIFEST_UNPARSABLE'],
		['a: 1', 'OBJECT_INVALID'],
		['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}', 'OBJECT_INVALID'],
		['', 'OBJECT_INVALID'],
		[manifest('quay.io/argoproj/argocd:v2.14.0'), 'ARGOCD_UNSUPPORTED'],
	])('refuses %j', (text, code) => {
		expect(() => parseManifest(text, { from: 'f', namespace: 'argocd' })).toThrow(
			expect.objectContaining({ code }),
		)
	})
})

describe('readArgocdVersion', () => {
	it.each([
		[undefined, '3.6.1'],
		['v3.4.2', '3.4.2'],
	])('%j is %s', (text, version) => expect(readArgocdVersion(text)).toBe(version))
	it.each([
		['latest', 'USAGE'],
		['3.1.0', 'ARGOCD_UNSUPPORTED'],
	])('refuses %s', (text, code) => {
		expect(() => readArgocdVersion(text)).toThrow(expect.objectContaining({ code }))
	})
})

describe('downloadManifest', () => {
	const asked: string[] = []
	const answering = (status: number, text = ''): HttpClient => ({
		request: ({ url }) => {
			asked.push(url)
			const response: Partial<HttpResponse> = { status, discard: () => {}, text: () => Promise.resolve(text) }
			return Promise.resolve(response as HttpResponse)
		},
		attempt: async (operation) => await operation(),
		close: () => {},
	})

	it('refuses a pinned version whose bytes are others', async () => {
		const refused = downloadManifest(answering(200, manifest(IMAGE)), { version: '3.6.1' })
		await expect(refused).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' })
	})

	it('takes another version as it is published, and says when there is none', async () => {
		expect(await downloadManifest(answering(200, 'text'), { version: '3.5.0' })).toBe('text')
		expect(asked.at(-1)).toBe(manifestUrl('3.5.0'))
		await expect(downloadManifest(answering(404), { version: '3.99.0' })).rejects.toMatchObject({
			code: 'NOT_FOUND',
		})
	})
})
