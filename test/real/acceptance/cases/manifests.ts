import { MediaType } from '../../../../src/oci/index.ts'
import type { Blob } from '../artifact.ts'
import { tar } from '../tar.ts'
import { type Case, configMap, good, gzipped, layer, of, one, plain } from './case.ts'

const archive = tar(one)
const chart = tar(
	{ path: 'web/' },
	{ path: 'web/Chart.yaml', content: 'apiVersion: v2\nname: web\nversion: 1.0.0\n' },
	{ path: 'web/templates/one.yaml', content: configMap('one') },
)
const MIB = 1024 * 1024
const LIMIT = 4 * MIB

const other = (mediaType: string, text = 'text'): Blob => ({ mediaType, bytes: Buffer.from(text) })
const titled = (blob: Blob, title: string): Blob => ({
	...blob,
	annotations: { 'org.opencontainers.image.title': title },
})
const config = (mediaType: string): Blob => ({ mediaType, bytes: Buffer.from('{}') })
const spdx = 'application/spdx+json'
const signature = 'application/vnd.cncf.helm.chart.provenance.v1.prov'
const docker = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const flux = 'application/vnd.cncf.flux.content.v1.tar+gzip'
const large = (bytes: number): Blob => ({ mediaType: spdx, bytes: Buffer.alloc(bytes, ' ') })

/** An artifact whose manifest has so many bytes. */
const padded = (size: number) => {
	const artifact = { layers: [layer(archive)], annotations: { padding: '' } }
	const empty = JSON.stringify({
		schemaVersion: 2,
		mediaType: MediaType.imageManifest,
		annotations: { padding: '' },
		config: { mediaType: MediaType.empty, digest: `sha256:${'0'.repeat(64)}`, size: 2 },
		layers: [{ mediaType: MediaType.layerTar, digest: `sha256:${'0'.repeat(64)}`, size: archive.length }],
	})
	return { ...artifact, annotations: { padding: 'x'.repeat(size - empty.length) } }
}
const tarLayers = (count: number): readonly Blob[] =>
	Array.from({ length: count }, (_, index) =>
		layer(tar({ path: `${index}.yaml`, content: configMap(`c${index}`) })),
	)
const besides = (count: number): readonly Blob[] =>
	Array.from({ length: count }, (_, index) => other(spdx, `sbom ${index}`))

const kinds: readonly Case[] = [
	of('tar', good, { keeps: ['manifest-type', 'image-index', 'layer-media-type', 'layer-count', 'subject'] }),
	of('tar-gzip', { layers: [gzipped(archive)] }, { keeps: ['layer-not-gzip', 'layer-gzip-corrupt'] }),
	of(
		'artifact-type',
		{ ...good, artifactType: 'application/vnd.acme.manifests' },
		{ keeps: ['artifact-manifest'] },
	),
	of('annotated', { ...good, annotations: { 'org.opencontainers.image.version': '1.0.0 ✓' } }),
	of('docker-manifest', { ...good, mediaType: MediaType.dockerManifest }),
	of('config-image', { ...good, config: config(MediaType.imageConfig) }),
	of('config-unknown', { ...good, config: config('application/vnd.acme.config.v1+json') }),
	of('served-as-json', { ...good, servedAs: 'application/json' }, { breaks: ['manifest-type'] }),
	of('served-as-octets', { ...good, servedAs: 'application/octet-stream' }, { breaks: ['manifest-type'] }),
	of('index', { manifests: [good] }, { breaks: ['image-index'] }),
	of('index-of-none', { manifests: [] }, { breaks: ['image-index'] }),
	of(
		'docker-list',
		{ manifests: [good], mediaType: MediaType.dockerManifestList },
		{ breaks: ['image-index'] },
	),
	of(
		'artifact-manifest',
		{ ...good, mediaType: MediaType.ociArtifactManifest },
		{ breaks: ['artifact-manifest'] },
	),
	of('manifest-at-limit', padded(LIMIT), { keeps: ['manifest-size'] }),
	of('manifest-over-limit', padded(LIMIT + 1), { breaks: ['manifest-size'] }),
]

const layers: readonly Case[] = [
	of('no-layer', { layers: [] }, { breaks: ['layer-count'], breaksIn: { 'layers-total': '3.1.0' } }),
	of('two-tars', { layers: tarLayers(2) }, { breaks: ['layer-count'] }),
	of('three-tars', { layers: tarLayers(3) }, { breaks: ['layer-count'] }),
	of('same-layer-twice', { layers: [layer(archive), layer(archive)] }, { breaks: ['layer-count'] }),
	of('sbom-beside', { layers: [layer(archive), other(spdx)] }, { keeps: ['layers-maximum'] }),
	of('sbom-before', { layers: [other(spdx), layer(archive)] }),
	of('ten-layers', { layers: [layer(archive), ...besides(9)] }, { keeps: ['layers-maximum'] }),
	of('eleven-layers', { layers: [layer(archive), ...besides(10)] }, { breaks: ['layers-maximum'] }),
	of('eleven-tars', { layers: tarLayers(11) }, { breaks: ['layers-maximum'] }),
	of('yaml-layer', { layers: [other('application/yaml', configMap('one'))] }, { breaks: ['layer-count'] }),
	of(
		'two-yaml-layers',
		{ layers: [other('application/yaml', configMap('one')), other('application/yaml', configMap('two'))] },
		{ breaks: ['layer-count'] },
	),
	of(
		'zstd',
		{ layers: [layer(archive, 'application/vnd.oci.image.layer.v1.tar+zstd')] },
		{ breaks: ['layer-count'] },
	),
	of(
		'oras-default-file',
		{ layers: [titled(other(MediaType.layerTar, configMap('one')), 'one.yaml')] },
		{ breaks: ['layer-truncated'] },
	),
	of('oras-directory', {
		layers: [
			{
				...titled(gzipped(archive), 'manifests'),
				annotations: { 'org.opencontainers.image.title': 'manifests', 'io.deis.oras.content.unpack': 'true' },
			},
		],
	}),
	of('docker-layer', { layers: [gzipped(archive, docker)] }, { breaks: ['layer-media-type'] }),
	of(
		'crane-append',
		{ ...good, mediaType: MediaType.dockerManifest, layers: [gzipped(archive, docker)] },
		{ breaks: ['layer-media-type'] },
	),
	of(
		'flux',
		{ layers: [gzipped(archive, flux)], config: config('application/vnd.cncf.flux.config.v1+json') },
		{ breaks: ['layer-media-type'] },
	),
	of(
		'own-tar-type',
		{ layers: [layer(archive, 'application/vnd.acme.content.v1.tar')] },
		{ breaks: ['layer-media-type'] },
	),
	of(
		'type-with-parameter',
		{ layers: [layer(archive, 'application/vnd.oci.image.layer.v1.tar; a=b')] },
		{ breaks: ['layer-count'] },
	),
	of(
		'type-in-capitals',
		{ layers: [layer(archive, 'application/vnd.oci.image.layer.v1.TAR')] },
		{ breaks: ['layer-count'] },
	),
	of(
		'nondistributable',
		{ layers: [gzipped(archive, 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip')] },
		{ breaks: ['layer-media-type'] },
	),
	of(
		'imgpkg',
		{
			layers: [gzipped(archive, docker)],
			config: config('application/vnd.docker.container.image.v1+json'),
			mediaType: MediaType.dockerManifest,
		},
		{ breaks: ['layer-media-type'] },
	),
	of(
		'regctl-default',
		{ layers: [titled(other('application/octet-stream', configMap('one')), 'one.yaml')] },
		{ breaks: ['layer-count'] },
	),
]

const blobs: readonly Case[] = [
	of('blob-at-limit', { layers: [layer(archive), large(LIMIT)] }, { keeps: ['blob-size'] }),
	of('blob-over-limit', { layers: [layer(archive), large(LIMIT + 1)] }, { breaks: ['blob-size'] }),
	of(
		'config-over-limit',
		{ ...good, config: { ...large(LIMIT + 1), mediaType: MediaType.imageConfig } },
		{ breaks: ['blob-size'] },
	),
	of(
		'large-blob-with-title',
		{ layers: [layer(archive), titled(large(LIMIT + 1), 'sbom.json')] },
		{ keeps: ['blob-size', 'blob-title'] },
	),
	of(
		'title-in-directory',
		{ layers: [layer(archive), titled(other(spdx), 'a/b.json')] },
		{ keeps: ['blob-title'] },
	),
	of(
		'title-outside',
		{ layers: [layer(archive), titled(other(spdx), '../../x')] },
		{ breaks: ['blob-title'] },
	),
	of(
		'title-absolute',
		{ layers: [layer(archive), titled(other(spdx), '/etc/x')] },
		{ breaks: ['blob-title'] },
	),
	of('title-of-the-tar', { layers: [titled(layer(archive), '../../x')] }, { keeps: ['blob-title'] }),
]

const subjects: readonly Case[] = [
	of(
		'subject',
		{ ...good, subject: { artifact: plain({ path: 'two.yaml', content: configMap('two') }) } },
		{ breaks: ['subject'], stricter: true, beyondSandbox: true },
	),
	of(
		'subject-gone',
		{ ...good, subject: { artifact: plain({ path: 'two.yaml' }), absent: true } },
		{ breaks: ['subject'], stricter: true },
	),
	of(
		'referrer-of-nothing-else',
		{ layers: [other('application/vnd.dev.cosign.simplesigning.v1+json')], subject: { artifact: good } },
		{ breaks: ['layer-count', 'subject'] },
	),
]

const helm: readonly Case[] = [
	of(
		'helm-chart',
		{ layers: [gzipped(chart, MediaType.helmChart)], config: config(MediaType.helmConfig) },
		{ keeps: ['helm-layer-directory'] },
	),
	of(
		'helm-chart-provenance',
		{ layers: [gzipped(chart, MediaType.helmChart), other(signature)], config: config(MediaType.helmConfig) },
		{},
	),
	of(
		'helm-chart-and-tar',
		{ layers: [gzipped(chart, MediaType.helmChart), gzipped(archive)], config: config(MediaType.helmConfig) },
		{},
	),
	of('helm-layer-plain-config', { layers: [gzipped(chart, MediaType.helmChart)] }, {}),
	of(
		'helm-config-plain-layer',
		{ ...good, config: config(MediaType.helmConfig) },
		{ breaks: ['layer-count'] },
	),
	of(
		'helm-provenance-only',
		{ layers: [other(signature)], config: config(MediaType.helmConfig) },
		{ breaks: ['layer-count'] },
	),
	of(
		'helm-two-directories',
		{
			layers: [
				gzipped(
					tar({ path: 'a/x.yaml', content: configMap('x') }, { path: 'b/y.yaml', content: configMap('y') }),
					MediaType.helmChart,
				),
			],
		},
		{ breaks: ['helm-layer-directory'] },
	),
	of(
		'helm-file-at-top',
		{ layers: [gzipped(archive, MediaType.helmChart)] },
		{ breaks: ['helm-layer-directory'] },
	),
	of('helm-empty', { layers: [gzipped(tar(), MediaType.helmChart)] }, { breaks: ['helm-layer-directory'] }),
	of(
		'helm-directory-of-yaml',
		{ layers: [gzipped(tar({ path: 'web/one.yaml', content: configMap('one') }), MediaType.helmChart)] },
		{ keeps: ['helm-layer-directory'] },
	),
	of(
		'helm-link-outside',
		{
			layers: [
				gzipped(
					tar(
						{ path: 'web/one.yaml', content: configMap('one') },
						{ path: 'web/up', type: '2', link: '../web/one.yaml' },
					),
					MediaType.helmChart,
				),
			],
		},
		{ otherWordsBelow: '3.1.6' },
	),
	of(
		'helm-link-to-sibling',
		{
			layers: [
				gzipped(tar({ path: 'web/' }, { path: 'web/up', type: '2', link: '../other' }), MediaType.helmChart),
			],
		},
		{ otherWordsBelow: '3.1.6', breaks: ['symlink-escape'] },
	),
]

export const manifestCases: readonly Case[] = [...kinds, ...layers, ...blobs, ...subjects, ...helm]
