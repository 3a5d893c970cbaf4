import { absoluteSymlinks } from './extract-tree.ts'
import type { VersionRange } from './version.ts'
import { inVersionRanges } from './version.ts'

export type Severity = 'refuse' | 'warn' | 'note'

/** What a rule is told of its case: only the fields its texts use are there. */
export interface RuleDetail {
	readonly file?: string | undefined
	readonly line?: number | undefined
	/** Digest of the manifest, for messages that name it. */
	readonly digest?: string | undefined
	readonly mediaType?: string | undefined
	readonly count?: number | undefined
	/** Bytes. */
	readonly size?: number | undefined
	readonly name?: string | undefined
	readonly detail?: string | undefined
	/** `FILE:LINE`, where there is more than one. */
	readonly places?: readonly string[] | undefined
	/** Words of Argo CD's that the place which found the fault knows best. */
	readonly argocd?: string | undefined
}

export interface RuleMessage {
	readonly versions: readonly VersionRange[]
	readonly text: (detail: RuleDetail) => string
}

/** One row of the acceptance table. */
export interface Rule {
	/** Stable: scripts and configuration name it. */
	readonly code: string
	/** What holds when the rule is kept. */
	readonly summary: string
	/** The versions of Argo CD it holds for. */
	readonly versions: readonly VersionRange[]
	readonly severity: Severity
	/** What is wrong and why it matters. */
	readonly message: (detail: RuleDetail) => string
	/** Argo CD's own words by version; empty where it says nothing and takes the artifact. */
	readonly argocd: readonly RuleMessage[]
	/** What to do. */
	readonly fix: string
	/** Whether Argo CD was seen doing so, or its source was read. */
	readonly evidence: 'ran' | 'read'
}

const ALL: readonly VersionRange[] = [{ from: '3.1.0' }]
/** Exactly one layer in all, and its type must be an allowed one whatever it is. */
export const oneLayer: readonly VersionRange[] = [{ from: '3.1.0', below: '3.1.6' }]
const CONTENT_LAYERS: readonly VersionRange[] = [{ from: '3.1.6' }]
/** `tar.gzip` counts as the ending of a content layer. */
export const dockerLayerSuffix: readonly VersionRange[] = [
	{ from: '3.2.7', below: '3.3.0' },
	{ from: '3.3.1' },
]
/** A Helm configuration makes only the chart layer count. */
export const helmConfigCounts: readonly VersionRange[] = [{ from: '3.3.0' }]
/** The manifest is decoded from a limited reader. */
const LIMITED_MANIFEST: readonly VersionRange[] = [
	{ from: '3.3.15', below: '3.4.0' },
	{ from: '3.4.10', below: '3.5.0' },
	{ from: '3.5.4' },
]

const digestOf = ({ digest = 'sha256:…' }: RuleDetail): string => digest
const extraction = (detail: RuleDetail): string =>
	`cannot extract contents of oci image with revision ${digestOf(detail)}: failed to perform "Push" on destination: `
const saving = (detail: RuleDetail): string =>
	`could not save oci digest ${digestOf(detail)}: failed to perform "Successors" on source: `
const decompressing = (detail: RuleDetail): string =>
	`${extraction(detail)}could not decompress layer: ${detail.argocd ?? ''}`
const given = (detail: RuleDetail): string => detail.argocd ?? ''
const always = (text: (detail: RuleDetail) => string): readonly RuleMessage[] => [{ versions: ALL, text }]
const where = ({ file, line }: RuleDetail): string =>
	`${file ?? 'a file'}${line === undefined ? '' : `:${line}`}`
/** Nothing for an object that was rendered: it has no file of its own. */
const before = (detail: RuleDetail): string => (detail.file === undefined ? '' : `${where(detail)}: `)
const MAX_PLACES = 5
/** ` (a.yaml:1, b.yaml:9)` */
const among = ({ places = [] }: RuleDetail): string =>
	places.length === 0
		? ''
		: ` (${places.slice(0, MAX_PLACES).join(', ')}${places.length > MAX_PLACES ? ', …' : ''})`
/** Argo CD takes it and says nothing. */
const SILENT: readonly RuleMessage[] = []

const noContentLayer: readonly RuleMessage[] = [
	{ versions: oneLayer, text: ({ count = 0 }) => `expected only a single oci layer, got ${count}` },
	{ versions: CONTENT_LAYERS, text: () => 'expected only a single oci content layer, got 0' },
]

const manifestRules: readonly Rule[] = [
	{
		code: 'argocd-too-old',
		summary: 'Argo CD knows oci:// sources',
		versions: [{ from: '0.0.0', below: '3.1.0' }],
		severity: 'refuse',
		message: () => 'Argo CD before 3.1.0 reads oci:// as a Git address',
		argocd: [
			{
				versions: [{ from: '0.0.0', below: '3.1.0' }],
				text: () => 'failed to list refs: unsupported scheme "oci"',
			},
		],
		fix: 'Update Argo CD to 3.1.6 or later.',
		evidence: 'read',
	},
	{
		code: 'manifest-type',
		summary: 'The manifest is an OCI or Docker image manifest',
		versions: ALL,
		severity: 'refuse',
		message: ({ mediaType }) =>
			`the registry serves the manifest as ${mediaType}, which Argo CD does not take for a manifest`,
		argocd: always(
			(detail) =>
				`error fetching oci manifest for digest ${digestOf(detail)}: ${digestOf(detail)}: not found`,
		),
		fix: 'Push one OCI image manifest (application/vnd.oci.image.manifest.v1+json): lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'image-index',
		summary: 'The reference names a manifest and not an index of several',
		versions: ALL,
		severity: 'refuse',
		message: ({ mediaType }) => `this is ${mediaType}, which lists manifests and has no layers of its own`,
		argocd: noContentLayer,
		fix: 'Deploy one of the manifests it lists by digest, or push the directory as one manifest: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'artifact-manifest',
		summary: 'The manifest is not of the withdrawn OCI artifact type',
		versions: ALL,
		severity: 'refuse',
		message: () =>
			'this is an OCI artifact manifest, a type that was withdrawn; Argo CD sees no layers in it',
		argocd: noContentLayer,
		fix: 'Push it again as an image manifest: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'manifest-size',
		summary: 'The manifest has at most 4 MiB',
		versions: ALL,
		severity: 'refuse',
		message: ({ size }) => `the manifest has ${size} bytes; 4194304 is the limit`,
		argocd: [
			{
				versions: LIMITED_MANIFEST,
				text: (detail) => `error decoding oci manifest for digest ${digestOf(detail)}: unexpected EOF`,
			},
			{
				versions: ALL,
				text: (detail) =>
					`${saving(detail)}read failed: content size ${detail.size} exceeds push size limit 4194304: size exceeds limit`,
			},
		],
		fix: 'Take annotations out of the manifest.',
		evidence: 'ran',
	},
	{
		code: 'layers-total',
		summary: 'There is exactly one layer in all',
		versions: oneLayer,
		severity: 'refuse',
		message: ({ count }) =>
			`the manifest has ${count} layers; Argo CD before 3.1.6 takes exactly one, whatever its type`,
		argocd: [{ versions: oneLayer, text: ({ count }) => `expected only a single oci layer, got ${count}` }],
		fix: 'Update Argo CD to 3.1.6 or later, or push the files as one layer: lading push DIR REFERENCE',
		evidence: 'read',
	},
	{
		code: 'layers-maximum',
		summary: 'There are at most 10 layers',
		versions: CONTENT_LAYERS,
		severity: 'refuse',
		message: ({ count }) => `the manifest has ${count} layers; Argo CD takes at most 10`,
		argocd: [
			{ versions: CONTENT_LAYERS, text: ({ count }) => `expected no more than 10 oci layers, got ${count}` },
		],
		fix: 'Push the files as one layer: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'layer-media-type',
		summary: 'The layer’s media type is allowed',
		versions: ALL,
		severity: 'refuse',
		message: ({ mediaType }) => `the layer is of the type ${mediaType}, which this Argo CD does not allow`,
		argocd: always(
			({ mediaType }) => `oci layer media type ${mediaType} is not in the list of allowed media types`,
		),
		fix: 'Push it as application/vnd.oci.image.layer.v1.tar (lading push does), or add the type to reposerver.oci.layer.media.types in argocd-cmd-params-cm together with the defaults, and restart the repo-server.',
		evidence: 'ran',
	},
	{
		code: 'layer-count',
		summary: 'Exactly one layer is a tar',
		versions: CONTENT_LAYERS,
		severity: 'refuse',
		message: ({ count = 0, detail }) =>
			count === 0
				? `no layer is a tar or tar+gzip${detail === undefined ? '' : `: there is ${detail}`}; Argo CD finds nothing to unpack`
				: `${count} layers are tars; Argo CD unpacks exactly one`,
		argocd: [
			{
				versions: CONTENT_LAYERS,
				text: ({ count }) => `expected only a single oci content layer, got ${count}`,
			},
		],
		fix: 'Push the directory as one tar layer: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'subject',
		summary: 'The manifest has no subject',
		versions: ALL,
		severity: 'refuse',
		message: ({ name }) =>
			`the manifest points at ${name} as its subject: Argo CD pulls that too, merges its files into the manifests, and fails once it is gone`,
		argocd: SILENT,
		fix: 'Deploy the artifact itself; signatures and SBOMs point at it, not the other way round.',
		evidence: 'ran',
	},
	{
		code: 'blob-size',
		summary: 'A blob without a title has at most 4 MiB',
		versions: ALL,
		severity: 'refuse',
		message: ({ mediaType, size }) =>
			`a blob of the type ${mediaType} has ${size} bytes and no title annotation; Argo CD holds it in memory, up to 4194304`,
		argocd: always(
			(detail) =>
				`${extraction(detail)}content size ${detail.size} exceeds push size limit 4194304: size exceeds limit`,
		),
		fix: 'Attach it to the artifact as a referrer instead, or give the layer an org.opencontainers.image.title annotation.',
		evidence: 'ran',
	},
	{
		code: 'blob-title',
		summary: 'A blob’s title stays inside the directory',
		versions: ALL,
		severity: 'refuse',
		message: ({ name }) => `the title annotation "${name}" of a blob leads out of the directory`,
		argocd: always(
			(detail) => `${extraction(detail)}failed to resolve path for writing: path traversal disallowed`,
		),
		fix: 'Push the artifact again with a plain file name as title.',
		evidence: 'ran',
	},
]

const layerRules: readonly Rule[] = [
	{
		code: 'layer-not-gzip',
		summary: 'A layer of a gzip type is gzip',
		versions: ALL,
		severity: 'refuse',
		message: () => 'the layer says it is tar+gzip, but its bytes are not gzip',
		argocd: always((detail) =>
			decompressing({ ...detail, argocd: detail.argocd ?? 'error reading file: gzip: invalid header' }),
		),
		fix: 'Push it with a media type that tells the truth: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'layer-not-tar',
		summary: 'The layer is a tar',
		versions: ALL,
		severity: 'refuse',
		message: ({ detail }) => `the layer is no tar${detail === undefined ? '' : ` (${detail})`}`,
		argocd: always((detail) =>
			decompressing({
				...detail,
				argocd: 'error while iterating on tar reader: archive/tar: invalid tar header',
			}),
		),
		fix: 'Push the directory itself: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'entry-name',
		summary: 'Names fit into a file system',
		versions: ALL,
		severity: 'refuse',
		message: ({ file }) =>
			file === undefined
				? 'the name of an entry is longer than 4095 bytes, or lies more than 100 directories deep'
				: `${file.slice(0, 80)}… has a name of more than 255 bytes in its path`,
		argocd: always((detail) =>
			decompressing({
				...detail,
				argocd: detail.argocd ?? 'error creating nested folders: mkdir /tmp/<path>: file name too long',
			}),
		),
		fix: 'Push the directory itself: lading push DIR REFERENCE',
		evidence: 'read',
	},
	{
		code: 'layer-truncated',
		summary: 'The tar is whole',
		versions: ALL,
		severity: 'refuse',
		message: () => 'the tar ends in the middle',
		argocd: always((detail) =>
			decompressing({
				...detail,
				argocd: detail.argocd ?? 'error while iterating on tar reader: unexpected EOF',
			}),
		),
		fix: 'Push the directory again: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'layer-gzip-corrupt',
		summary: 'The gzip of the layer is sound',
		versions: ALL,
		severity: 'refuse',
		message: () => 'the layer starts like gzip and breaks later',
		argocd: always((detail) =>
			decompressing({
				...detail,
				argocd: detail.argocd ?? 'error while iterating on tar reader: flate: corrupt input',
			}),
		),
		fix: 'Push the directory again: lading push DIR REFERENCE',
		evidence: 'read',
	},
	{
		code: 'entries-maximum',
		summary: 'lading can look at every entry',
		versions: ALL,
		severity: 'warn',
		message: ({ count }) =>
			`the layer has more than ${count} entries; only the first ${count} were looked at`,
		argocd: SILENT,
		fix: 'Ship manifests only.',
		evidence: 'ran',
	},
	{
		code: 'extracted-size',
		summary: 'At most 1,000,000,000 bytes come out of the layer',
		versions: ALL,
		severity: 'refuse',
		message: ({ file }) =>
			`more than 1,000,000,000 bytes come out of the layer${file === undefined ? '' : ` (the limit falls at ${file})`}`,
		argocd: always((detail) =>
			decompressing({ ...detail, argocd: detail.argocd ?? 'error writing tgz file: unexpected EOF' }),
		),
		fix: 'Ship manifests only, or raise reposerver.oci.manifest.max.extracted.size in argocd-cmd-params-cm and restart the repo-server.',
		evidence: 'ran',
	},
	{
		code: 'extracted-size-silent',
		summary: 'No entry begins exactly at the limit of extraction',
		versions: ALL,
		severity: 'refuse',
		message: ({ file }) =>
			`1,000,000,000 bytes end exactly before ${file ?? 'an entry'}: Argo CD stops there without an error and may prune what comes after`,
		argocd: SILENT,
		fix: 'Ship manifests only, or raise reposerver.oci.manifest.max.extracted.size in argocd-cmd-params-cm.',
		evidence: 'ran',
	},
	...(
		[
			[
				'path-escape',
				'Every entry stays inside the directory',
				'leads out of the directory',
				'Pack the directory again without "..": lading push DIR REFERENCE',
				ALL,
			],
			[
				'path-through-symlink',
				'No entry lies behind a symlink',
				'lies behind a symlink that Argo CD does not follow',
				'Put the files in a real directory.',
				ALL,
			],
			[
				'path-conflict',
				'No entry stands where another kind of entry stands',
				'stands where another entry already is',
				'Pack every path once.',
				ALL,
			],
			[
				'symlink-escape',
				'Every symlink stays inside the artifact',
				'is a symlink that leads out of the artifact',
				'Copy the file into the directory, or link to one inside it.',
				ALL,
			],
			[
				'symlink-before-directory',
				'A symlink comes after its directory',
				'comes before the directory it lies in',
				'Pack directories before what is in them: lading push DIR REFERENCE',
				ALL,
			],
		] as const
	).map(([code, summary, what, fix, versions]): Rule => ({
		code,
		summary,
		versions,
		severity: 'refuse',
		message: (detail) => `${where(detail)} ${what}${detail.name === undefined ? '' : `: ${detail.name}`}`,
		argocd: always((detail) =>
			detail.argocd?.startsWith('oci image ') === true ? given(detail) : decompressing(detail),
		),
		fix,
		evidence: 'ran',
	})),
	{
		code: 'symlink-unsupported',
		summary: 'There is no symlink at all',
		versions: absoluteSymlinks,
		severity: 'refuse',
		message: (detail) =>
			`${where(detail)} is a symlink; Argo CD before 3.1.6 makes it absolute and then refuses it`,
		argocd: [{ versions: absoluteSymlinks, text: given }],
		fix: 'Replace it by a copy, or update Argo CD to 3.1.6 or later.',
		evidence: 'read',
	},
	{
		code: 'entry-dropped',
		summary: 'There are only files, directories and symlinks',
		versions: ALL,
		severity: 'warn',
		message: (detail) => `${where(detail)} is a ${detail.name}: Argo CD leaves it out without a word`,
		argocd: SILENT,
		fix: 'Pack it as a plain file: lading push DIR REFERENCE',
		evidence: 'ran',
	},
	{
		code: 'helm-layer-directory',
		summary: 'A chart layer holds one directory',
		versions: ALL,
		severity: 'refuse',
		message: ({ count }) =>
			`a layer of the Helm chart type must hold one directory and nothing else; this one has ${count} entries at its top`,
		argocd: always((detail) => `${extraction(detail)}expected 1 directory, found ${detail.count}`),
		fix: 'Package it with "helm package", or push the directory as plain manifests: lading push DIR REFERENCE',
		evidence: 'ran',
	},
]

const generationRule = (
	code: string,
	summary: string,
	texts: { readonly what: string; readonly fix: string; readonly evidence: 'ran' | 'read' },
): Rule => ({
	code,
	summary,
	versions: ALL,
	severity: 'refuse',
	message: (detail) =>
		`${where(detail)} ${texts.what}${detail.detail === undefined ? '' : `: ${detail.detail}`}`,
	argocd: always(given),
	fix: texts.fix,
	evidence: texts.evidence,
})

/** What Argo CD makes no objects of: a path, or a file. */
const generationRules: readonly Rule[] = [
	generationRule('path-absolute', 'The path is relative', {
		what: 'cannot be the path',
		fix: 'Give a path relative to the artifact’s root: --path DIR',
		evidence: 'ran',
	}),
	generationRule('path-outside', 'The path lies inside the artifact', {
		what: 'cannot be the path',
		fix: 'Give a path inside the artifact: --path DIR',
		evidence: 'ran',
	}),
	generationRule('path-missing', 'The path is in the artifact', {
		what: 'cannot be the path',
		fix: 'Give a directory that is there (lading inspect REFERENCE lists them), or "." for the root.',
		evidence: 'ran',
	}),
	generationRule('path-not-directory', 'The path is a directory', {
		what: 'cannot be the path',
		fix: 'Give the directory the file lies in.',
		evidence: 'ran',
	}),
	generationRule('symlink-loop', 'No manifest is a symlink that leads back to itself', {
		what: 'is a symlink that leads nowhere',
		fix: 'Replace it by the file it should lead to.',
		evidence: 'ran',
	}),
	generationRule('directory-size', 'Manifests have at most 10,000,000 bytes together', {
		what: 'passes 10,000,000 bytes of manifests in one directory source',
		fix: 'Split them over several Applications, or raise reposerver.max.combined.directory.manifests.size in argocd-cmd-params-cm.',
		evidence: 'ran',
	}),
	generationRule('yaml-unparsable', 'Every manifest parses', {
		what: 'does not parse',
		fix: 'Mend the file.',
		evidence: 'ran',
	}),
	generationRule('kind-missing', 'Every document of a manifest has a kind', {
		what: 'cannot be read as a Kubernetes object',
		fix: 'Give it a kind, or take it out of the directory.',
		evidence: 'ran',
	}),
	generationRule('json-unparsable', 'JSON files parse', {
		what: 'is no JSON',
		fix: 'Mend the file, or keep it out with a .ladingignore.',
		evidence: 'ran',
	}),
	generationRule('json-several', 'A JSON file holds one object', {
		what: 'cannot be read',
		fix: 'Put each object in a file of its own, or use YAML with --- between them.',
		evidence: 'ran',
	}),
	generationRule('json-not-kubernetes', 'JSON files are Kubernetes objects', {
		what: 'is no Kubernetes object, and Argo CD does not pass over JSON as it does over YAML',
		fix: 'Keep it out with a .ladingignore, or move it out of the path.',
		evidence: 'ran',
	}),
]

const contentRules: readonly Rule[] = [
	{
		code: 'nothing-to-deploy',
		summary: 'There is something to deploy',
		versions: ALL,
		severity: 'refuse',
		message: ({ detail }) =>
			`nothing would be deployed${detail === undefined ? '' : `: ${detail}`}; Argo CD would call that Synced and Healthy`,
		argocd: SILENT,
		fix: 'Name the directory with --path, read subdirectories with --recurse, or add manifests.',
		evidence: 'ran',
	},
	{
		code: 'subdirectories-ignored',
		summary: 'No manifest lies in a subdirectory, or they are read too',
		versions: ALL,
		severity: 'warn',
		message: ({ count, file }) =>
			`${count} manifest${count === 1 ? '' : 's'} in subdirectories would not be deployed, such as ${file}`,
		argocd: SILENT,
		fix: 'Deploy with --recurse, or move them up.',
		evidence: 'ran',
	},
	{
		code: 'file-ignored',
		summary: 'Every YAML file is a manifest',
		versions: ALL,
		severity: 'warn',
		message: ({ file, detail }) => `Argo CD would pass over ${file} without a word: ${detail}`,
		argocd: SILENT,
		fix: 'Give each document apiVersion, kind and metadata, or keep the file out with a .ladingignore.',
		evidence: 'ran',
	},
	{
		code: 'api-version-missing',
		summary: 'Every object has an apiVersion',
		versions: ALL,
		severity: 'refuse',
		message: (detail) => `${before(detail)}${detail.name} has no apiVersion`,
		argocd: SILENT,
		fix: 'Add apiVersion: v1, or the one of its kind (kubectl api-resources lists them).',
		evidence: 'ran',
	},
	{
		code: 'name-missing',
		summary: 'Every object has a name',
		versions: ALL,
		severity: 'refuse',
		message: (detail) => `${before(detail)}a ${detail.name} has no metadata.name`,
		argocd: SILENT,
		fix: 'Add metadata.name.',
		evidence: 'ran',
	},
	{
		code: 'metadata-text',
		summary: 'Labels, annotations and names are text',
		versions: ALL,
		severity: 'refuse',
		message: (detail) =>
			`${before(detail)}${detail.name} has ${detail.detail}, and Kubernetes takes text only there`,
		argocd: SILENT,
		fix: 'Put it in quotes.',
		evidence: 'ran',
	},
	{
		code: 'generated-name',
		summary: 'No object but a hook is named by the cluster',
		versions: ALL,
		severity: 'refuse',
		message: (detail) =>
			`${before(detail)}a ${detail.name} has only metadata.generateName; Argo CD cannot apply it, and the sync fails`,
		argocd: SILENT,
		fix: 'Give it a name, or make it a hook (argocd.argoproj.io/hook).',
		evidence: 'ran',
	},
	{
		code: 'resource-repeated',
		summary: 'Every object is there once',
		versions: ALL,
		severity: 'warn',
		message: (detail) =>
			`${before(detail)}${detail.name} is there ${detail.count} times${among(detail)}; Argo CD deploys the last`,
		argocd: always(
			({ detail, count }) => `Resource ${detail} appeared ${count} times among application resources.`,
		),
		fix: 'Remove all but one.',
		evidence: 'ran',
	},
	{
		code: 'last-applied-size',
		summary: 'The annotations of an object have at most 262,144 bytes with its last applied form',
		versions: ALL,
		severity: 'refuse',
		message: (detail) =>
			`${before(detail)}${detail.name} would carry ${detail.size} bytes of annotations once applied; Kubernetes takes 262,144`,
		argocd: always(() => 'metadata.annotations: Too long: may not be more than 262144 bytes'),
		fix: 'Deploy with --server-side, or annotate the object argocd.argoproj.io/sync-options: ServerSideApply=true',
		evidence: 'ran',
	},
	{
		code: 'needs-server-side',
		summary: 'No object needs server-side apply',
		versions: ALL,
		severity: 'warn',
		message: (detail) =>
			`${before(detail)}${detail.name} is too large for client-side apply (${detail.size} bytes of annotations, 262,144 are taken)`,
		argocd: always(() => 'metadata.annotations: Too long: may not be more than 262144 bytes'),
		fix: 'Deploy it with --server-side, or annotate the object argocd.argoproj.io/sync-options: ServerSideApply=true',
		evidence: 'ran',
	},
	{
		code: 'secret-plain',
		summary: 'No Secret with plain data is shipped',
		versions: ALL,
		severity: 'warn',
		message: (detail) =>
			`${before(detail)}Secret ${detail.name} is shipped readable for everyone who can pull the artifact`,
		argocd: SILENT,
		fix: 'Ship an ExternalSecret or a SealedSecret instead.',
		evidence: 'read',
	},
	{
		code: 'source-override',
		summary: 'No .argocd-source file changes the source',
		versions: ALL,
		severity: 'note',
		message: ({ file }) =>
			`${file} changes how Argo CD renders the directory; the list of resources here does not follow it`,
		argocd: SILENT,
		fix: 'Nothing, if it is meant.',
		evidence: 'read',
	},
	{
		code: 'jsonnet',
		summary: 'No jsonnet is rendered',
		versions: ALL,
		severity: 'note',
		message: ({ file }) => `${file} is evaluated by Argo CD; the resources it makes are not listed here`,
		argocd: SILENT,
		fix: 'Nothing, if it is meant.',
		evidence: 'read',
	},
	{
		code: 'not-rendered',
		summary: 'Kustomize and Helm directories were rendered',
		versions: ALL,
		severity: 'note',
		message: ({ name }) =>
			`Argo CD renders this directory with ${name}; it was not rendered here, so its resources are not listed`,
		argocd: SILENT,
		fix: 'Install helm for Helm, kubectl or kustomize for Kustomize, and check again.',
		evidence: 'ran',
	},
]

/** All that Argo CD demands of an artifact, and what lading refuses beside it. */
export const acceptanceRules: readonly Rule[] = [
	...manifestRules,
	...layerRules,
	...generationRules,
	...contentRules,
]

const GENERATION_CODES: ReadonlySet<string> = new Set(generationRules.map(({ code }) => code))

/** Whether a finding of this rule means that objects are missing, as a path or a file makes none. */
export function losesObjects(code: string): boolean {
	return GENERATION_CODES.has(code)
}

/** Argo CD's words for a case in a version, or `undefined` where it says nothing. */
export function argocdMessage(
	rule: Rule,
	{ version, detail }: { readonly version: string; readonly detail: RuleDetail },
): string | undefined {
	const text = rule.argocd.find(({ versions }) => inVersionRanges(version, versions))?.text(detail)
	return text === '' ? undefined : text
}
