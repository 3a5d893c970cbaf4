import { describe, expect, it } from 'vitest'
import type { Tree, TreeEntry, TreeProblem } from '../artifact/index.ts'
import { parseManifests } from '../manifests/index.ts'
import { digestOf, emptyDescriptor, type ImageManifest, MediaType } from '../oci/index.ts'
import { checkArtifact, type CheckOptions } from './check-artifact.ts'
import { comparisonErrorOf } from './comparison-error.ts'
import type { ManifestFacts } from './manifest-facts.ts'
import { acceptanceRules } from './rules.ts'

const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n'
const DIGEST = digestOf('x')

type Content = string | Omit<TreeEntry, 'path'>

function treeOf(contents: Readonly<Record<string, Content>>, problem?: TreeProblem): Tree {
	const entries = Object.entries(contents).map(([path, content]): TreeEntry =>
		typeof content === 'string'
			? { path, type: 'file', size: Buffer.byteLength(content) }
			: { path, ...content },
	)
	return {
		entries,
		...(problem !== undefined && { problem }),
		read: (path) => {
			const content = contents[path]
			return typeof content === 'string' ? Buffer.from(content) : undefined
		},
	}
}

const link = (linkTarget: string): Content => ({ type: 'symlink', size: 0, linkTarget })

function check(tree: Tree, options: Partial<CheckOptions> = {}, manifest?: ManifestFacts) {
	return checkArtifact({ tree, ...(manifest && { manifest }) }, { parse: parseManifests, ...options })
}

const codes = (verdict: ReturnType<typeof check>): string[] => verdict.findings.map(({ rule }) => rule)

function manifest(
	parts: Partial<ImageManifest> & { layerTypes?: readonly string[] } = {},
	size = 500,
): ManifestFacts {
	const { layerTypes = [MediaType.layerTar], ...rest } = parts
	return {
		mediaType: MediaType.imageManifest,
		size,
		digest: DIGEST,
		parsed: {
			kind: 'image',
			manifest: {
				schemaVersion: 2,
				config: emptyDescriptor,
				layers: layerTypes.map((mediaType) => ({ mediaType, digest: DIGEST, size: 10 })),
				...rest,
			},
		},
	}
}

describe('the table of rules', () => {
	it('has each code once', () => {
		const all = acceptanceRules.map(({ code }) => code)
		expect(all.length).toBeGreaterThan(40)
		expect(new Set(all).size).toBe(all.length)
	})

	it('tells a fix and a reason for each', () => {
		for (const rule of acceptanceRules) {
			expect(rule.fix).not.toBe('')
			expect(rule.message({})).not.toBe('')
			expect(rule.versions.length).toBeGreaterThan(0)
		}
	})
})

describe('checkArtifact on a manifest', () => {
	const tar = MediaType.layerTar
	const zstd = 'application/vnd.oci.image.layer.v1.tar+zstd'
	const docker = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
	const flux = 'application/vnd.cncf.flux.content.v1.tar+gzip'
	const spdx = 'application/spdx+json'
	const extraction = `cannot extract contents of oci image with revision ${DIGEST}: failed to perform "Push" on destination: `

	const cases: readonly (readonly [string, ManifestFacts, string, string | undefined, string | undefined])[] =
		[
			['plain tar', manifest(), '3.6.1', undefined, undefined],
			['tar+gzip', manifest({ layerTypes: [MediaType.layerTarGzip] }), '3.6.1', undefined, undefined],
			['an SBOM beside', manifest({ layerTypes: [tar, spdx] }), '3.6.1', undefined, undefined],
			[
				'an SBOM beside, 3.1.0',
				manifest({ layerTypes: [tar, spdx] }),
				'3.1.5',
				'layers-total',
				'expected only a single oci layer, got 2',
			],
			[
				'three tars',
				manifest({ layerTypes: [tar, tar, tar] }),
				'3.6.1',
				'layer-count',
				'expected only a single oci content layer, got 3',
			],
			[
				'no layer',
				manifest({ layerTypes: [] }),
				'3.6.1',
				'layer-count',
				'expected only a single oci content layer, got 0',
			],
			[
				'zstd',
				manifest({ layerTypes: [zstd] }),
				'3.6.1',
				'layer-count',
				'expected only a single oci content layer, got 0',
			],
			[
				'twelve layers',
				manifest({ layerTypes: [tar, ...Array.from({ length: 11 }, () => spdx)] }),
				'3.6.1',
				'layers-maximum',
				'expected no more than 10 oci layers, got 12',
			],
			[
				'docker layer',
				manifest({ layerTypes: [docker] }),
				'3.6.1',
				'layer-media-type',
				`oci layer media type ${docker} is not in the list of allowed media types`,
			],
			[
				'docker layer before the suffix',
				manifest({ layerTypes: [docker] }),
				'3.3.0',
				'layer-count',
				'expected only a single oci content layer, got 0',
			],
			[
				'flux layer',
				manifest({ layerTypes: [flux] }),
				'3.6.1',
				'layer-media-type',
				`oci layer media type ${flux} is not in the list of allowed media types`,
			],
			[
				'helm config, OCI tar',
				manifest({ config: { ...emptyDescriptor, mediaType: MediaType.helmConfig } }),
				'3.6.1',
				'layer-count',
				'expected only a single oci content layer, got 0',
			],
			[
				'helm config, OCI tar, 3.2',
				manifest({ config: { ...emptyDescriptor, mediaType: MediaType.helmConfig } }),
				'3.2.11',
				undefined,
				undefined,
			],
			[
				'a layer of any type, 3.1.0',
				manifest({ layerTypes: ['application/yaml'] }),
				'3.1.0',
				'layer-media-type',
				'oci layer media type application/yaml is not in the list of allowed media types',
			],
			['a subject', manifest({ subject: emptyDescriptor }), '3.6.1', 'subject', undefined],
			[
				'4 MiB and a byte',
				manifest({}, 4_194_305),
				'3.6.1',
				'manifest-size',
				`error decoding oci manifest for digest ${DIGEST}: unexpected EOF`,
			],
			[
				'4 MiB and a byte, 3.2',
				manifest({}, 4_194_305),
				'3.2.0',
				'manifest-size',
				`could not save oci digest ${DIGEST}: failed to perform "Successors" on source: read failed: content size 4194305 exceeds push size limit 4194304: size exceeds limit`,
			],
			[
				'a large blob',
				manifest({
					layers: [
						{ mediaType: tar, digest: DIGEST, size: 1 },
						{ mediaType: spdx, digest: DIGEST, size: 5_242_880 },
					],
				}),
				'3.6.1',
				'blob-size',
				`${extraction}content size 5242880 exceeds push size limit 4194304: size exceeds limit`,
			],
			[
				'a large blob with a title',
				manifest({
					layers: [
						{ mediaType: tar, digest: DIGEST, size: 1 },
						{
							mediaType: spdx,
							digest: DIGEST,
							size: 5_242_880,
							annotations: { 'org.opencontainers.image.title': 'sbom.json' },
						},
					],
				}),
				'3.6.1',
				undefined,
				undefined,
			],
			[
				'a title outside',
				manifest({
					layers: [
						{ mediaType: tar, digest: DIGEST, size: 1 },
						{
							mediaType: spdx,
							digest: DIGEST,
							size: 1,
							annotations: { 'org.opencontainers.image.title': '../../x' },
						},
					],
				}),
				'3.6.1',
				'blob-title',
				`${extraction}failed to resolve path for writing: path traversal disallowed`,
			],
			[
				'an index',
				{
					mediaType: MediaType.imageIndex,
					size: 9,
					parsed: { kind: 'index', manifest: { schemaVersion: 2, manifests: [] } },
				},
				'3.6.1',
				'image-index',
				'expected only a single oci content layer, got 0',
			],
			[
				'an artifact manifest',
				{
					mediaType: MediaType.ociArtifactManifest,
					size: 9,
					parsed: { kind: 'other', mediaType: MediaType.ociArtifactManifest },
				},
				'3.6.1',
				'artifact-manifest',
				'expected only a single oci content layer, got 0',
			],
			[
				'plain JSON',
				{
					mediaType: 'application/json',
					size: 9,
					digest: DIGEST,
					parsed: { kind: 'other', mediaType: 'application/json' },
				},
				'3.6.1',
				'manifest-type',
				`error fetching oci manifest for digest ${DIGEST}: ${DIGEST}: not found`,
			],
			[
				'an old Argo CD',
				manifest(),
				'3.0.23',
				'argocd-too-old',
				'failed to list refs: unsupported scheme "oci"',
			],
		]
	it.each(cases)('%s', (_name, facts, version, code, words) => {
		const verdict = checkArtifact({ manifest: facts }, { parse: parseManifests, version })
		expect(verdict.accepted).toBe(code === undefined)
		expect(verdict.findings.map(({ rule }) => rule)).toEqual(code === undefined ? [] : [code])
		expect(verdict.findings[0]?.argocdMessage).toBe(words)
	})

	it('follows a list of media types that was configured', () => {
		const facts = manifest({ layerTypes: [flux] })
		expect(
			checkArtifact({ manifest: facts }, { parse: parseManifests, allowedMediaTypes: [flux] }).accepted,
		).toBe(true)
	})
})

describe('checkArtifact on the layer', () => {
	const cases: readonly (readonly [string, Tree, string | undefined, string | undefined, string?])[] = [
		['plain', treeOf({ 'a.yaml': SERVICE }), undefined, undefined],
		[
			'./ before names',
			treeOf({ './': { type: 'directory', size: 0 }, './a.yaml': SERVICE }),
			undefined,
			undefined,
		],
		['an absolute name', treeOf({ '/abs.yaml': SERVICE }), undefined, undefined],
		[
			'no gzip',
			treeOf({}, { kind: 'not-gzip' }),
			'layer-not-gzip',
			'error reading file: gzip: invalid header',
		],
		[
			'no tar',
			treeOf({}, { kind: 'not-tar' }),
			'layer-not-tar',
			'error while iterating on tar reader: archive/tar: invalid tar header',
		],
		[
			'gzip under a tar type',
			treeOf({}, { kind: 'tar-truncated' }),
			'layer-truncated',
			'error while iterating on tar reader: unexpected EOF',
		],
		[
			'a bomb',
			treeOf({ 'a.yaml': { type: 'file', size: 1_100_000_000 } }),
			'extracted-size',
			'error writing tgz file: unexpected EOF',
		],
		[
			'a bomb found on reading',
			treeOf({}, { kind: 'too-large', limit: 1e9 }),
			'extracted-size',
			'error writing tgz file: unexpected EOF',
		],
		[
			'the limit between entries',
			treeOf({ 'a.txt': { type: 'file', size: 999_999_488 }, 'b.yaml': SERVICE }),
			'extracted-size-silent',
			undefined,
		],
		[
			'dotdot',
			treeOf({ '../../evil.yaml': SERVICE }),
			'path-escape',
			'error creating nested folders: mkdirat ../..: path escapes from parent',
		],
		[
			'dotdot, before os.Root',
			treeOf({ '../../evil.yaml': SERVICE }),
			'path-escape',
			'illegal filepath in archive: /evil.yaml',
			'3.3.9',
		],
		['an absolute symlink', treeOf({ passwd: link('/etc/passwd'), 'a.yaml': SERVICE }), undefined, undefined],
		[
			'a symlink outwards',
			treeOf({ 'l.yaml': link('../../../../../etc/passwd') }),
			'symlink-escape',
			'error checking symlink "../../../../../etc/passwd" target: statat ../../../../../etc/passwd: path escapes from parent',
		],
		[
			'any symlink, 3.1.0',
			treeOf({ 'l.yaml': link('a.yaml'), 'a.yaml': SERVICE }),
			'symlink-unsupported',
			'oci image contains out-of-bounds symlinks. file: l.yaml',
			'3.1.0',
		],
		[
			'a write through a symlink',
			treeOf({ d: link('/tmp'), 'd/escape.yaml': SERVICE }),
			'path-through-symlink',
			'error creating nested folders: mkdirat d: file exists',
		],
		[
			'a symlink under a symlink',
			treeOf({ 'dir/up': link('..'), 'dir/up/x': link('y'), 'a.yaml': SERVICE }),
			'path-through-symlink',
			'illegal symlink parent directory "dir/up" for "dir/up/x"',
		],
		[
			'a symlink before its directory',
			treeOf({ 'd/l.yaml': link('../a.yaml'), 'a.yaml': SERVICE }),
			undefined,
			undefined,
		],
	]
	const unpacking = (words: string): string =>
		`cannot extract contents of oci image with revision ${DIGEST}: failed to perform "Push" on destination: could not decompress layer: ${words}`

	for (const [name, tree, code, words, version = '3.6.1'] of cases) {
		it(`judges ${name}`, () => {
			const { findings } = check(tree, { version, recurse: true }, manifest())
			const refusal = findings.find(({ severity }) => severity === 'refuse')
			expect(refusal?.rule).toBe(code)
			expect(refusal?.argocdMessage).toBe(
				words === undefined || words.startsWith('oci image') ? words : unpacking(words),
			)
		})
	}

	it('refuses a symlink before its directory where Argo CD does', () => {
		const tree = treeOf({ 'd/l.yaml': link('../a.yaml'), 'a.yaml': SERVICE })
		expect(codes(check(tree, { version: '3.5.4' }))).toContain('symlink-before-directory')
		expect(codes(check(tree, { version: '3.5.5' }))).not.toContain('symlink-before-directory')
	})

	it('names hard links and devices, which Argo CD drops', () => {
		const verdict = check(
			treeOf({
				'a.yaml': SERVICE,
				h: { type: 'hardlink', size: 0, linkTarget: '/etc/passwd' },
				p: { type: 'other', size: 0 },
			}),
		)
		expect(verdict.accepted).toBe(true)
		expect(codes(verdict)).toEqual(['entry-dropped', 'entry-dropped'])
		expect(verdict.skipped.map(({ path }) => path)).toEqual(['h', 'p'])
	})

	it('strips the directory of a chart layer, and wants exactly one', () => {
		const chart = manifest({
			config: { ...emptyDescriptor, mediaType: MediaType.helmConfig },
			layerTypes: [MediaType.helmChart],
		})
		expect(check(treeOf({ 'web/Chart.yaml': 'name: web' }), {}, chart).sourceType).toBe('Helm')
		const two = check(treeOf({ 'web/Chart.yaml': 'name: web', 'other/x': 'x' }), {}, chart)
		expect(two.findings[0]).toMatchObject({ rule: 'helm-layer-directory', severity: 'refuse' })
		expect(two.findings[0]?.argocdMessage).toMatch(/: expected 1 directory, found 2$/)
		const up = check(treeOf({ 'web/Chart.yaml': 'name: web', 'web/up': link('../other') }), {}, chart)
		expect(up.findings[0]?.argocdMessage).toBe('oci image contains out-of-bounds symlinks. file: up')
	})
})

describe('checkArtifact on the manifests', () => {
	it('lists what would be deployed, with file and line', () => {
		const verdict = check(
			treeOf({
				'b.yaml': `---\n${SERVICE}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n`,
			}),
		)
		expect(verdict.resources.map(({ object: _object, ...rest }) => rest)).toEqual([
			{ group: '', version: 'v1', kind: 'Service', name: 'web', file: 'b.yaml', line: 2 },
			{
				group: 'apps',
				version: 'v1',
				kind: 'Deployment',
				namespace: 'shop',
				name: 'web',
				file: 'b.yaml',
				line: 6,
			},
		])
	})

	const empty: readonly (readonly [string, Tree, RegExp])[] = [
		['an empty tar', treeOf({}), /artifact is empty/],
		['subdirectories only', treeOf({ 'a/b.yaml': SERVICE }), /subdirectories/],
		['YAML without kind', treeOf({ 'values.yaml': 'replicas: 1\n' }), /apiVersion and kind/],
		['broken YAML that is no manifest', treeOf({ 'x.yaml': 'a: [1,\n' }), /apiVersion and kind/],
		['a README', treeOf({ 'README.md': 'hello' }), /no \.yaml/],
		[
			'the skip marker',
			treeOf({ 'a.yaml': `# +argocd:skip-file-rendering\n${SERVICE}` }),
			/asks to be skipped/,
		],
		[
			'a list without items',
			treeOf({ 'a.yaml': 'apiVersion: v1\nkind: ConfigMapList\nitems:\n' }),
			/nothing would be deployed/,
		],
	]
	it.each(empty)('refuses %s, which Argo CD calls Synced and Healthy', (_name, tree, why) => {
		const verdict = check(tree)
		expect(verdict.accepted).toBe(false)
		const finding = verdict.findings.find(({ rule }) => rule === 'nothing-to-deploy')
		expect(finding?.message).toMatch(why)
		expect(finding?.argocdMessage).toBeUndefined()
	})

	const refused: readonly (readonly [
		string,
		Readonly<Record<string, Content>>,
		string,
		RegExp | undefined,
		Partial<CheckOptions>?,
	])[] = [
		[
			'broken YAML with apiVersion, kind, metadata',
			{ 'x.yaml': 'apiVersion: v1\nkind: X\nmetadata: {name: [\n' },
			'yaml-unparsable',
			/^Failed to unmarshal "x\.yaml": failed to unmarshal manifest: error converting YAML to JSON: yaml: /,
		],
		[
			'a broken document after a good one',
			{ 'x.yaml': `${SERVICE}---\na: [\n` },
			'yaml-unparsable',
			/^Failed to unmarshal/,
		],
		[
			'a document without kind after a good one',
			{ 'x.yaml': `${SERVICE}---\na: 1\n` },
			'kind-missing',
			/Object 'Kind' is missing/,
		],
		[
			'stray JSON',
			{ 'a.yaml': SERVICE, 'package.json': '{"name": "x"}' },
			'json-not-kubernetes',
			/^failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing/,
		],
		[
			'a JSON array',
			{ 'a.json': '[1]' },
			'json-not-kubernetes',
			/^Failed to unmarshal "a\.json": json: cannot unmarshal array into Go value of type map\[string\]interface \{\}$/,
		],
		[
			'a symlink to itself',
			{ 'a.yaml': SERVICE, 'b.yaml': link('b.yaml') },
			'symlink-loop',
			/EvalSymlinks: too many links$/,
		],
		['an empty JSON file', { 'a.json': '' }, 'json-not-kubernetes', /^Failed to unmarshal "a\.json": EOF$/],
		[
			'JSON objects in a row',
			{ 'a.json': '{"kind":"A","metadata":{}}\n{"kind":"B"}' },
			'json-several',
			/^Found multiple objects in "a\.json"\. Only single objects/,
		],
		['JSON that ends early', { 'a.json': '{"a":' }, 'json-unparsable', /^Failed to unmarshal "a\.json"/],
		[
			'a YAML list',
			{ 'a.yaml': `${SERVICE}---\n- apiVersion: v1\n` },
			'kind-missing',
			/while decoding JSON: json: cannot unmarshal array into Go value/,
		],
		[
			'an apiVersion with two slashes',
			{ 'a.yaml': 'apiVersion: a/b/c\nkind: X\nmetadata: {name: x}\n' },
			'kind-missing',
			/Object 'Kind' is missing/,
		],
		[
			'a kind that is a number',
			{ 'a.yaml': 'apiVersion: v1\nkind: 5\nmetadata: {name: x}\n' },
			'kind-missing',
			/Object 'Kind' is missing/,
		],
		['YAML in a JSON file', { 'a.json': SERVICE }, 'json-unparsable', /^Failed to unmarshal "a\.json"/],
		[
			'several objects in JSON',
			{ 'a.json': '{"kind":"A"}\n---\n{"kind":"B"}' },
			'json-several',
			/^Found multiple objects in "a\.json"\. Only single objects/,
		],
		[
			'an absolute path',
			{ 'a.yaml': SERVICE },
			'path-absolute',
			/^\/k8s: app path is absolute$/,
			{ path: '/k8s' },
		],
		[
			'a path outside',
			{ 'a.yaml': SERVICE },
			'path-outside',
			/^\.\.\/k8s: app path outside root$/,
			{ path: '../k8s' },
		],
		[
			'a path that is not there',
			{ 'a.yaml': SERVICE },
			'path-missing',
			/^k8s: app path does not exist$/,
			{ path: 'k8s' },
		],
		[
			'a path that is a file',
			{ 'a.yaml': SERVICE },
			'path-not-directory',
			/^a\.yaml: app path is not a directory$/,
			{ path: 'a.yaml' },
		],
		[
			'10 MB of YAML',
			{ 'a.yaml': { type: 'file', size: 10_000_001 } },
			'directory-size',
			/exceeded max combined manifest file size$/,
		],
		['no name', { 'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {}\n' }, 'name-missing', undefined],
		['no apiVersion', { 'a.yaml': 'kind: Service\nmetadata: {name: x}\n' }, 'api-version-missing', undefined],
		[
			'an object too large to apply',
			{ 'a.yaml': `${SERVICE}data: {x: ${'y'.repeat(262_144)}}\n` },
			'last-applied-size',
			/Too long: may not be more than 262144 bytes/,
			{ serverSide: false },
		],
	]
	for (const [name, contents, code, words, options = {}] of refused) {
		it(`refuses ${name}`, () => {
			const verdict = check(treeOf(contents), options)
			expect(verdict.accepted).toBe(false)
			const finding = verdict.findings.find(({ severity }) => severity === 'refuse')
			expect(finding?.rule).toBe(code)
			expect(finding?.argocdMessage ?? '').toMatch(words ?? /^$/)
		})
	}

	const remarked: readonly (readonly [
		string,
		Readonly<Record<string, Content>>,
		readonly string[],
		Partial<CheckOptions>?,
	])[] = [
		[
			'a large object, not knowing how it is applied',
			{ 'a.yaml': `${SERVICE}data: {x: ${'y'.repeat(262_144)}}\n` },
			['needs-server-side'],
		],
		[
			'a large object, applied server-side',
			{ 'a.yaml': `${SERVICE}data: {x: ${'y'.repeat(262_144)}}\n` },
			[],
			{ serverSide: true },
		],
		[
			'a Secret with data',
			{ 'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: x}\n' },
			['secret-plain'],
		],
		['a Secret without', { 'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n' }, []],
		['the same twice', { 'a.yaml': SERVICE, 'b.yaml': SERVICE }, ['resource-repeated']],
		['a subdirectory beside', { 'a.yaml': SERVICE, 'sub/b.yaml': SERVICE }, ['subdirectories-ignored']],
		['values beside', { 'a.yaml': SERVICE, 'values.yaml': 'x: 1\n' }, ['file-ignored']],
		[
			'an override',
			{ 'a.yaml': SERVICE, '.argocd-source-web.yaml': 'x: 1\n' },
			['source-override', 'file-ignored'],
		],
		['jsonnet', { 'a.jsonnet': '{}' }, ['jsonnet']],
		['Kustomize', { 'kustomization.yaml': 'resources: []' }, ['not-rendered']],
		['Helm', { 'Chart.yaml': 'name: x' }, ['not-rendered']],
		[
			'Kustomize elsewhere',
			{ 'a.yaml': SERVICE, 'sub/kustomization.yaml': 'resources: []' },
			['subdirectories-ignored'],
		],
		[
			'a hook with a generated name',
			{
				'a.yaml':
					'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-, annotations: {argocd.argoproj.io/hook: PreSync}}\n',
			},
			[],
		],
	]
	for (const [name, contents, expected, options = {}] of remarked) {
		it(`takes ${name}`, () => {
			const verdict = check(treeOf(contents), options)
			expect(verdict.accepted).toBe(true)
			expect(codes(verdict)).toEqual(expected)
		})
	}

	it.each([
		['a generated name', '{generateName: x-}', 'generated-name'],
		['no name', '{}', 'name-missing'],
		['a name that YAML takes for a boolean', '{name: yes}', 'metadata-text'],
		['a label that is a number', '{name: x, labels: {version: 1.0}}', 'metadata-text'],
		['an annotation that is a boolean', '{name: x, annotations: {a: true}}', 'metadata-text'],
	])('refuses %s, which fails in the sync and not before', (_, metadata, rule) => {
		const verdict = check(treeOf({ 'a.yaml': `apiVersion: batch/v1\nkind: Job\nmetadata: ${metadata}\n` }))
		expect(verdict.accepted).toBe(false)
		expect(codes(verdict)).toEqual([rule])
		expect(comparisonErrorOf(verdict)).toBeUndefined()
	})

	it('judges what a renderer made of the directory', () => {
		const tree = treeOf({ 'kustomization.yaml': 'resources: []' })
		expect(codes(check(tree, { rendered: [] }))).toEqual(['nothing-to-deploy'])
		const verdict = check(tree, {
			rendered: [{ group: '', version: 'v1', kind: 'Service', name: 'x', object: {} }],
		})
		expect(verdict.accepted).toBe(true)
		expect(verdict.resources).toHaveLength(1)
	})

	it('names no file for an object that a renderer made', () => {
		const object = { stringData: { password: 'x' } }
		const { findings } = check(treeOf({ 'kustomization.yaml': 'resources: []' }), {
			rendered: [{ group: '', version: 'v1', kind: 'Secret', name: 's', object }],
		})
		expect(findings.map(({ message }) => message)).toEqual([
			'Secret s is shipped readable for everyone who can pull the artifact',
		])
	})

	it.each([
		[
			{ 'x.json': '[1]' },
			'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = FailedPrecondition desc = Failed to unmarshal "x.json": json: cannot unmarshal array into Go value of type map[string]interface {}',
		],
		[
			{ 'x.json': '{}' },
			"Failed to load target state: failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing in '{…}'",
		],
		[
			{ 'x.json': 'null' },
			"Failed to load target state: failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing in '{…}'",
		],
		[{ 'a.yaml': SERVICE }, undefined],
		[{}, undefined],
		[{ 'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {}\n' }, undefined],
	])('gives the ComparisonError of %j', (contents, expected) => {
		expect(comparisonErrorOf(check(treeOf(contents)))).toBe(expected)
	})

	it('gives the ComparisonError of a path and of a layer count', () => {
		expect(comparisonErrorOf(check(treeOf({ 'a.yaml': SERVICE }), { path: 'k8s' }))).toBe(
			'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = k8s: app path does not exist',
		)
		expect(comparisonErrorOf(check(treeOf({}), {}, manifest({ layerTypes: [] })))).toMatch(
			/desc = expected only a single oci content layer, got 0$/,
		)
	})

	it('does not look into files when told not to', () => {
		expect(
			check(treeOf({ 'x.yaml': 'apiVersion: v1\nkind: X\nmetadata: [\n' }), { contents: false }).accepted,
		).toBe(true)
	})
})
