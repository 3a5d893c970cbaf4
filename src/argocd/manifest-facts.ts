import type { Digest, ImageManifest, Manifest } from '../oci/index.ts'
import { isManifestType, MediaType } from '../oci/index.ts'
import { ArgocdLimit, defaultAllowedMediaTypes } from './limits.ts'
import { dockerLayerSuffix, helmConfigCounts, oneLayer, type RuleDetail } from './rules.ts'
import { inVersionRanges } from './version.ts'

/** What a registry says of a manifest. */
export interface ManifestFacts {
	/** The Content-Type it is served with. */
	readonly mediaType: string
	/** Number of bytes. */
	readonly size: number
	readonly digest?: Digest | undefined
	readonly parsed: Manifest
}

/** A rule that is broken, and the case. */
export interface Breach {
	readonly rule: string
	readonly detail: RuleDetail
}

const TITLE = 'org.opencontainers.image.title'

/** Whether a version of Argo CD takes a layer of this type for the files. @see argo-cd util/oci/client.go isContentLayer */
export function isContentLayer(
	mediaType: string,
	{ version, configType }: { readonly version: string; readonly configType: string },
): boolean {
	if (configType === MediaType.helmConfig && inVersionRanges(version, helmConfigCounts)) {
		return mediaType === MediaType.helmChart
	}
	if (mediaType.endsWith('tar.gzip')) return inVersionRanges(version, dockerLayerSuffix)
	return mediaType.endsWith('tar+gzip') || mediaType.endsWith('tar')
}

/** Whether Argo CD wants one directory in the layer, and strips it. */
export function isChartLayer(facts: ManifestFacts | undefined, version: string): boolean {
	if (facts?.parsed.kind !== 'image') return false
	const { config, layers } = facts.parsed.manifest
	return layers.some(
		({ mediaType }) =>
			mediaType === MediaType.helmChart &&
			isContentLayer(mediaType, { version, configType: config.mediaType }),
	)
}

/** The breaches of a manifest, in the order in which Argo CD would come upon them. */
export function checkManifest(
	facts: ManifestFacts,
	options: { readonly version: string; readonly allowedMediaTypes?: readonly string[] | undefined },
): readonly Breach[] {
	const { mediaType, size, digest, parsed } = facts
	const common = { mediaType, size, ...(digest !== undefined && { digest }) }
	const oversize: readonly Breach[] =
		size > ArgocdLimit.manifestBytes ? [{ rule: 'manifest-size', detail: common }] : []
	switch (parsed.kind) {
		case 'index':
			return [{ rule: 'image-index', detail: { ...common, count: 0 } }]
		case 'other':
			if (oversize.length > 0) return oversize
			return isManifestType(mediaType)
				? [{ rule: 'artifact-manifest', detail: { ...common, count: 0 } }]
				: [{ rule: 'manifest-type', detail: common }]
		case 'image':
			return [...checkImage(parsed.manifest, { ...options, common }), ...oversize]
	}
}

function checkImage(
	{ config, layers, subject }: ImageManifest,
	options: {
		readonly version: string
		readonly allowedMediaTypes?: readonly string[] | undefined
		readonly common: RuleDetail
	},
): readonly Breach[] {
	const { version, common, allowedMediaTypes = defaultAllowedMediaTypes } = options
	const found: Breach[] = []
	const add = (rule: string, detail: RuleDetail): void => {
		found.push({ rule, detail: { ...common, ...detail } })
	}
	if (layers.length !== 1) add('layers-total', { count: layers.length })
	if (layers.length > ArgocdLimit.layers) add('layers-maximum', { count: layers.length })
	const content = layers.filter(({ mediaType }) =>
		isContentLayer(mediaType, { version, configType: config.mediaType }),
	)
	const judged = layers.length === 1 && inVersionRanges(version, oneLayer) ? layers : content
	for (const { mediaType } of judged) {
		if (!allowedMediaTypes.includes(mediaType)) add('layer-media-type', { mediaType })
	}
	if (content.length !== 1) {
		const types = [...new Set(layers.map(({ mediaType }) => mediaType))].join(', ')
		add('layer-count', {
			count: content.length,
			...(content.length === 0 && { detail: types === '' ? 'no layer' : types }),
		})
	}
	if (subject !== undefined) add('subject', { name: subject.digest })
	for (const blob of [config, ...layers]) {
		if (content.includes(blob)) continue
		const title = blob.annotations?.[TITLE]
		if (title === undefined) {
			if (blob.size > ArgocdLimit.unnamedBlobBytes)
				add('blob-size', { mediaType: blob.mediaType, size: blob.size })
		} else if (title.startsWith('/') || title.split('/').includes('..')) {
			add('blob-title', { name: title })
		}
	}
	return found
}
