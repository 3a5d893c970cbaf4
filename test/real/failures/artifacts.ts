import { gzipSync } from 'node:zlib'
import { MediaType } from '../../../src/oci/index.ts'
import type { ServerResponse } from '../../../src/http/server/index.ts'
import { type Artifact, contentOf } from '../acceptance/artifact.ts'
import { tar, zeros } from '../acceptance/tar.ts'
import { configMap, type FailureCase, files, layer, one } from './case.ts'

const PUSH = 'lading push DIR PLACE:v1'
const CHECK = 'lading check PLACE:v1'
const archive = (name: string): Buffer => tar({ path: 'one.yaml', content: JSON.stringify(configMap(name)) })
const text = (count: number): Artifact['layers'] =>
	Array.from({ length: count }, (_, index) => layer(Buffer.from(`${index}`), 'text/plain'))

/** Corrupt within the bytes of a file: the tar is whole, and its unpacking is not. */
function corruptGzip(): Buffer {
	const content = Array.from({ length: 2000 }, (_, index) => `# ${(index * 7919) % 104_729}\n`).join('')
	const packed = gzipSync(tar({ path: 'one.yaml', content }))
	packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 64)
	return packed
}

/** A manifest of the same length, under the digest of the one that was pushed. */
function changedManifest(name: string): ServerResponse {
	const { bytes, mediaType, digest } = contentOf(one(name)).root
	const body = Buffer.from(Buffer.from(bytes).toString().replace('"schemaVersion"', '"schemaversion"'))
	return {
		status: 200,
		headers: {
			'content-type': mediaType,
			'content-length': body.length,
			'docker-content-digest': digest,
		},
		body,
	}
}

const manifests: readonly FailureCase[] = [
	{
		name: 'twelve-layers',
		artifact: { layers: text(12) ?? [] },
		cause: 'layers-too-many',
		argocd: 'expected no more than 10 oci layers, got 12',
		fix: PUSH,
	},
	{
		name: 'three-tars',
		artifact: { layers: ['a', 'b', 'c'].map((name) => layer(archive(name))) },
		cause: 'layers-several',
		argocd: 'expected only a single oci content layer, got 3',
		fix: PUSH,
	},
	{
		name: 'yaml-layer',
		artifact: { layers: [layer(Buffer.from(JSON.stringify(configMap('yaml-layer'))), 'application/yaml')] },
		cause: 'layers-none',
		argocd: 'expected only a single oci content layer, got 0',
		fix: PUSH,
	},
	{
		name: 'zstd',
		artifact: { layers: [layer(archive('zstd'), 'application/vnd.oci.image.layer.v1.tar+zstd')] },
		cause: 'layers-none',
		argocd: 'expected only a single oci content layer, got 0',
		fix: PUSH,
	},
	{
		name: 'an-index',
		artifact: { manifests: [one('an-index')] },
		cause: 'layers-none',
		argocd: 'expected only a single oci content layer, got 0',
		fix: CHECK,
	},
	{
		name: 'flux-layer',
		artifact: {
			layers: [layer(gzipSync(archive('flux')), 'application/vnd.cncf.flux.content.v1.tar+gzip')],
		},
		cause: 'media-type',
		argocd: 'application/vnd.cncf.flux.content.v1.tar+gzip is not in the list of allowed media types',
		fix: PUSH,
	},
	{
		name: 'served-as-json',
		artifact: { ...one('served-as-json'), servedAs: 'application/json' },
		cause: 'manifest-unreadable',
		argocd: 'error fetching oci manifest for digest',
		fix: CHECK,
	},
	{
		name: 'subject-gone',
		artifact: { ...one('subject-gone'), subject: { artifact: one('subject'), absent: true } },
		cause: 'content-missing',
		argocd: ': not found',
		fix: PUSH,
	},
	{
		name: 'large-extra-layer',
		artifact: {
			layers: [layer(archive('large')), layer(Buffer.alloc(5 * 1024 * 1024), 'application/spdx+json')],
		},
		cause: 'size-limit',
		argocd: 'content size 5242880 exceeds push size limit 4194304',
		fix: CHECK,
	},
	{
		name: 'title-leads-out',
		artifact: {
			layers: [
				layer(archive('title')),
				{
					...layer(Buffer.from('x'), 'text/plain'),
					annotations: { 'org.opencontainers.image.title': '../../x' },
				},
			],
		},
		cause: 'blob-title',
		argocd: 'path traversal disallowed',
		fix: PUSH,
	},
]

const tampered: readonly FailureCase[] = [
	{
		name: 'layer-changed',
		artifact: { layers: [{ ...layer(archive('layer-changed')), tampered: archive('layer-chanGed') }] },
		cause: 'content-tampered',
		argocd: 'mismatched digest',
		fix: CHECK,
	},
	{
		name: 'manifest-changed',
		artifact: one('manifest-changed'),
		fault: ({ method, path }) =>
			method === 'GET' && path.includes('/manifests/') ? changedManifest('manifest-changed') : undefined,
		cause: 'content-tampered',
		argocd: 'mismatched digest',
		fix: CHECK,
	},
	{
		name: 'layer-gone',
		artifact: { layers: [{ ...layer(archive('layer-gone')), absent: true }] },
		cause: 'content-missing',
		argocd: ': not found',
		fix: PUSH,
	},
]

const layers: readonly FailureCase[] = [
	{
		name: 'tar-as-gzip',
		artifact: { layers: [layer(archive('tar-as-gzip'), MediaType.layerTarGzip)] },
		cause: 'not-gzip',
		argocd: 'gzip: invalid header',
		fix: PUSH,
	},
	{
		name: 'gzip-as-tar',
		artifact: { layers: [layer(gzipSync(archive('gzip-as-tar')))] },
		cause: 'not-tar',
		argocd: 'error while iterating on tar reader: unexpected EOF',
		fix: PUSH,
	},
	{
		name: 'no-tar',
		artifact: { layers: [layer(Buffer.alloc(2048, 'noise '))] },
		cause: 'not-tar',
		argocd: 'error while iterating on tar reader: archive/tar: invalid tar header',
		fix: PUSH,
	},
	{
		name: 'gzip-corrupt',
		artifact: { layers: [layer(corruptGzip(), MediaType.layerTarGzip)] },
		cause: 'unpack-failed',
		argocd: 'could not decompress layer: ',
		fix: CHECK,
	},
	{
		name: 'link-out',
		artifact: {
			layers: [
				layer(tar({ path: 'one.yaml', content: '' }, { path: 'up', type: '2', link: '../../../etc/passwd' })),
			],
		},
		cause: 'symlink',
		argocd: 'error checking symlink "../../../etc/passwd" target',
		fix: CHECK,
	},
	{
		name: 'path-out',
		artifact: { layers: [layer(tar({ path: '../../evil.yaml', content: 'x' }))] },
		cause: 'path-escape',
		argocd: 'path escapes from parent',
		fix: CHECK,
	},
	{
		name: 'long-name',
		artifact: { layers: [layer(tar({ path: `${'n'.repeat(256)}.yaml`, content: 'x' }))] },
		cause: 'name-too-long',
		argocd: 'file name too long',
		fix: CHECK,
	},
	{
		name: 'bomb',
		artifact: {
			layers: [
				layer(
					Buffer.concat([
						gzipSync(tar({ path: 'one.yaml', content: 'x' }).subarray(0, 1024)),
						gzipSync(tar({ path: 'bomb.yaml', content: '', size: 1_100_000_000 }).subarray(0, 512)),
						zeros(1_100_000_000),
					]),
					MediaType.layerTarGzip,
				),
			],
		},
		cause: 'extracted-size',
		argocd: 'error writing tgz file: unexpected EOF',
		fix: CHECK,
	},
	{
		name: 'no-chart',
		artifact: {
			layers: [
				layer(
					gzipSync(tar({ path: 'a/Chart.yaml', content: 'x' }, { path: 'b/values.yaml', content: 'x' })),
					MediaType.helmChart,
				),
			],
		},
		cause: 'chart-layer',
		argocd: 'expected 1 directory, found 2',
		fix: PUSH,
	},
]

const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }

const contents: readonly FailureCase[] = [
	{
		name: 'no-such-path',
		artifact: one('no-such-path'),
		source: { path: 'k8s' },
		cause: 'path-absent',
		argocd: 'k8s: app path does not exist',
		fix: 'lading deploy NAME PLACE:v1 --path DIR',
	},
	{
		name: 'bad-yaml',
		artifact: files({ 'x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [x\n' }),
		cause: 'manifest-unparsable',
		argocd: 'Failed to unmarshal "x.yaml"',
		fix: 'lading check DIR',
	},
	{
		name: 'two-in-json',
		artifact: files({ 'x.json': `${JSON.stringify(configMap('a'))}${JSON.stringify(configMap('b'))}` }),
		cause: 'json-several',
		argocd: 'Found multiple objects in "x.json"',
		fix: 'Split the file',
	},
	{
		name: 'stray-json',
		artifact: files({ 'one.yaml': configMap('stray-json'), 'package.json': '{"name":"web"}' }),
		cause: 'kind-missing',
		argocd: "Object 'Kind' is missing",
		fix: CHECK,
	},
	{
		name: 'much-yaml',
		artifact: files({ 'one.yaml': configMap('much-yaml', { data: { text: 'x'.repeat(10_000_001) } }) }),
		cause: 'directory-size',
		argocd: 'exceeded max combined manifest file size',
		fix: 'reposerver.max.combined.directory.manifests.size',
	},
	{
		name: 'kustomize-fails',
		artifact: files({ 'kustomization.yaml': { ...kustomization, resources: ['nowhere.yaml'] } }),
		cause: 'render-failed',
		argocd: 'kustomize build',
		fix: 'kustomize build DIR',
	},
	{
		name: 'no-helm',
		artifact: files({
			'Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
			'templates/a.yaml': '',
		}),
		cause: 'tool-missing',
		argocd: 'exec: "helm": executable file not found',
		fix: 'Install it where the repo-server runs',
	},
	{
		name: 'nothing',
		artifact: files({}),
		cause: 'nothing-deployed',
		argocd: { sync: 'Synced' },
		fix: CHECK,
		sync: { code: 0 },
	},
]

export const artifactCases: readonly FailureCase[] = [...manifests, ...tampered, ...layers, ...contents]
