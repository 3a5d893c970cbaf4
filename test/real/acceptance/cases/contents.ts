import { type Case, type CaseOptions, configMap, files, good, of, one, plain } from './case.ts'

const text = (name: string, file: string, content: string, options: CaseOptions = {}): Case =>
	files(name, { [file]: content }, options)
const MARKER = '+argocd:skip-file-rendering'
const json = (value: unknown): string => JSON.stringify(value)
const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' } }
const NEEDED = ['path-missing', 'path-absolute', 'path-outside', 'path-not-directory'] as const
const below = plain({ path: 'k8s/app/one.yaml', content: configMap('one') }, { path: 'file', content: 'x' })

const paths: readonly Case[] = [
	of('path-below', below, { path: 'k8s/app', keeps: NEEDED }),
	of('path-with-slash', below, { path: 'k8s/app/' }),
	of('path-with-dots', below, { path: './k8s/../k8s/app' }),
	of('path-missing', below, { path: 'k8s/web', breaks: ['path-missing'] }),
	of('path-absolute', below, { path: '/k8s', breaks: ['path-absolute'] }),
	of('path-outside', below, { path: '../k8s', breaks: ['path-outside'] }),
	of('path-to-a-file', below, { path: 'file', breaks: ['path-not-directory'] }),
	of(
		'path-through-a-link',
		plain({ path: 'a/one.yaml', content: configMap('one') }, { path: 'b', type: '2', link: 'a' }),
		{ path: 'b' },
	),
	of('path-recursive', below, {
		path: 'k8s',
		recurse: true,
		keeps: ['subdirectories-ignored', 'nothing-to-deploy'],
	}),
	of('path-not-recursive', below, { path: 'k8s', breaks: ['nothing-to-deploy'] }),
	of(
		'wrapped-in-a-directory',
		plain({ path: 'small/' }, { path: 'small/one.yaml', content: configMap('one') }),
		{ breaks: ['nothing-to-deploy'] },
	),
	files(
		'some-below',
		{ 'one.yaml': configMap('one'), 'a/two.yaml': configMap('two') },
		{ breaks: ['subdirectories-ignored'] },
	),
	files('include', { 'one.yaml': configMap('one'), 'two.yaml': configMap('two') }, { include: 'one.*' }),
	files(
		'exclude',
		{ 'one.yaml': configMap('one'), 'two.yaml': configMap('two') },
		{ exclude: '{two,three}.yaml' },
	),
	files(
		'include-and-exclude',
		{ 'one.yaml': configMap('one'), 'a/two.yaml': configMap('two') },
		{ include: '**/*.yaml', exclude: 'a/*', recurse: true },
	),
	files(
		'include-that-does-not-compile',
		{ 'one.yaml': configMap('one') },
		{ include: '[', breaks: ['nothing-to-deploy'] },
	),
]

const yaml: readonly Case[] = [
	text('yml', 'one.yml', configMap('one'), {
		keeps: ['yaml-unparsable', 'kind-missing', 'file-ignored', 'api-version-missing', 'name-missing'],
	}),
	text('capital-extension', 'one.YAML', configMap('one'), { breaks: ['nothing-to-deploy'] }),
	text('no-extension', 'one', configMap('one'), { breaks: ['nothing-to-deploy'] }),
	text('two-documents', 'both.yaml', `${configMap('one')}---\n${configMap('two')}`),
	text('separators', 'one.yaml', `---\n---\n# nothing\n---\n${configMap('one')}---\n`),
	text('byte-order-mark', 'one.yaml', `\ufeff${configMap('one')}`),
	text('carriage-returns', 'one.yaml', configMap('one').replaceAll('\n', '\r\n')),
	files('utf-16', { 'one.yaml': Buffer.from(`\ufeff${configMap('one')}`, 'utf16le') }),
	text('json-in-yaml', 'one.yaml', json(service)),
	text(
		'list',
		'list.yaml',
		json({ apiVersion: 'v1', kind: 'List', items: [service, { ...service, kind: 'ConfigMap' }] }),
	),
	text('empty-list', 'list.yaml', json({ apiVersion: 'v1', kind: 'List', items: [] }), {
		breaks: ['nothing-to-deploy'],
	}),
	text('typed-list', 'list.yaml', json({ apiVersion: 'v1', kind: 'ServiceList', items: [service] })),
	text('comments-only', 'one.yaml', '# nothing here\n', { breaks: ['nothing-to-deploy'] }),
	text('empty-file', 'one.yaml', '', { breaks: ['nothing-to-deploy'] }),
	text('broken-yaml', 'x.yaml', 'a: [1, 2\nb: 3\n', { breaks: ['nothing-to-deploy', 'file-ignored'] }),
	text('broken-manifest', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [x\n', {
		breaks: ['yaml-unparsable'],
	}),
	text('broken-after-good', 'x.yaml', `${configMap('one')}---\na: [1\n`, { breaks: ['yaml-unparsable'] }),
	text('tab', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n', {
		breaks: ['yaml-unparsable'],
	}),
	text('template', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n', {
		breaks: ['yaml-unparsable'],
	}),
	text('duplicate-key', 'x.yaml', `${configMap('one')}data: {a: b}\ndata: {a: c}\n`),
	text('anchors', 'x.yaml', `${configMap('one')}data: &a {x: y}\nmore: *a\n`),
	text('merge-key', 'x.yaml', `a: &a {name: one}\napiVersion: v1\nkind: ConfigMap\nmetadata: {<<: *a}\n`),
	text('no-kind', 'x.yaml', 'apiVersion: v1\nmetadata:\n  name: x\n', {
		breaks: ['nothing-to-deploy', 'file-ignored'],
	}),
	text('no-kind-after-good', 'x.yaml', `${configMap('one')}---\na: b\n`, { breaks: ['kind-missing'] }),
	text('kind-in-a-comment', 'x.yaml', '# kind: x\napiVersion: v1\nmetadata: {name: x}\n', {
		breaks: ['kind-missing'],
	}),
	text('kind-a-number', 'x.yaml', 'apiVersion: v1\nkind: 1\nmetadata: {name: x}\n', {
		breaks: ['kind-missing'],
	}),
	text('a-list', 'x.yaml', '- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n', {
		breaks: ['kind-missing'],
	}),
	text('a-word', 'x.yaml', 'word\n', { breaks: ['nothing-to-deploy', 'file-ignored'] }),
	text('no-api-version', 'x.yaml', 'kind: ConfigMap\nmetadata:\n  name: x\n', {
		breaks: ['api-version-missing'],
	}),
	text('api-version-a-number', 'x.yaml', 'apiVersion: 1\nkind: ConfigMap\nmetadata:\n  name: x\n'),
	text('api-version-of-three', 'x.yaml', 'apiVersion: a/b/c\nkind: X\nmetadata:\n  name: x\n', {
		breaks: ['kind-missing'],
	}),
	text('no-name', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', { breaks: ['name-missing'] }),
	text('no-metadata', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\n', { breaks: ['name-missing'] }),
	text('generated-name', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n', {
		breaks: ['generated-name'],
	}),
	text(
		'generated-name-of-a-hook',
		'x.yaml',
		'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-, annotations: {argocd.argoproj.io/hook: PreSync}}\n',
		{ keeps: ['generated-name'] },
	),
	text('label-a-number', 'x.yaml', configMap('one', '  labels: {version: 1.0}\n'), {
		breaks: ['metadata-text'],
	}),
	text('label-text', 'x.yaml', configMap('one', "  labels: {version: '1.0'}\n"), {
		keeps: ['metadata-text'],
	}),
	text('name-a-truth', 'x.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yes}\n', {
		breaks: ['metadata-text'],
	}),
	files(
		'twice',
		{ 'a.yaml': configMap('one'), 'b.yaml': configMap('one') },
		{ breaks: ['resource-repeated'] },
	),
	files(
		'same-name-other-kind',
		{ 'a.yaml': configMap('one'), 'b.yaml': json(service) },
		{ keeps: ['resource-repeated'] },
	),
	text('a-custom-resource', 'x.yaml', 'apiVersion: acme.io/v1\nkind: Widget\nmetadata: {name: x}\n'),
	text(
		'a-plain-secret',
		'x.yaml',
		'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: b}\n',
		{ breaks: ['secret-plain'] },
	),
	text('a-secret-of-nothing', 'x.yaml', 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n', {
		keeps: ['secret-plain'],
	}),
	text('annotations-too-large', 'x.yaml', configMap('one', `data: {a: ${'x'.repeat(262_144)}}\n`), {
		breaks: ['needs-server-side'],
	}),
	text(
		'annotations-too-large-client-side',
		'x.yaml',
		configMap('one', `data: {a: ${'x'.repeat(262_144)}}\n`),
		{ clientSide: true, breaks: ['last-applied-size'] },
	),
	text('annotations-not-too-large', 'x.yaml', configMap('one', `data: {a: ${'x'.repeat(200_000)}}\n`), {
		keeps: ['needs-server-side', 'last-applied-size'],
	}),
]

const jsons: readonly Case[] = [
	text('json', 'one.json', json(service), {
		keeps: ['json-unparsable', 'json-several', 'json-not-kubernetes'],
	}),
	text('json-list', 'list.json', json({ apiVersion: 'v1', kind: 'List', items: [service] })),
	text('json-broken', 'one.json', '{"apiVersion": "v1", kind: Service}', { breaks: ['json-unparsable'] }),
	text('json-several', 'one.json', `${json(service)}\n${json(service)}`, { breaks: ['json-several'] }),
	text('json-behind', 'one.json', `${json(service)} more`, { breaks: ['json-several'] }),
	text('json-array', 'one.json', json([service]), { breaks: ['json-not-kubernetes'] }),
	text('json-empty', 'one.json', '', { breaks: ['json-not-kubernetes'] }),
	text('json-word', 'one.json', '"word"', { breaks: ['json-not-kubernetes'] }),
	text('json-null', 'one.json', 'null', { breaks: ['json-not-kubernetes'] }),
	files(
		'json-stray',
		{ 'one.yaml': configMap('one'), 'package.json': '{"name": "x", "version": "1.0.0"}' },
		{ breaks: ['json-not-kubernetes'] },
	),
	files(
		'json-oci-manifest',
		{
			'one.yaml': configMap('one'),
			'index.json':
				'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}',
		},
		{ breaks: ['json-not-kubernetes'] },
	),
	files('json-comment', { 'one.json': `// comment\n${json(service)}` }, { breaks: ['json-unparsable'] }),
]

const special: readonly Case[] = [
	files('skip-marker', { 'one.yaml': configMap('one'), 'two.yaml': `# ${MARKER}\nnot: [a manifest\n` }),
	files('skip-marker-in-json', { 'one.yaml': configMap('one'), 'x.json': `{"about": "${MARKER}"}` }),
	files(
		'skip-marker-everywhere',
		{ 'one.yaml': `# ${MARKER}\n${configMap('one')}` },
		{ breaks: ['nothing-to-deploy'] },
	),
	files(
		'jsonnet',
		{ 'one.jsonnet': "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'one'}}" },
		{ breaks: ['jsonnet'], beyondSandbox: true },
	),
	files(
		'source-override',
		{ 'one.yaml': configMap('one'), '.argocd-source.yaml': '{}' },
		{ breaks: ['source-override'], beyondSandbox: true },
	),
	of('no-source-override', good, {
		breaksIn: { 'argocd-too-old': '3.0.23' },
		keeps: [
			'source-override',
			'jsonnet',
			'not-rendered',
			'argocd-too-old',
			'symlink-unsupported',
			'layers-total',
		],
	}),
	files(
		'kustomize-not-rendered',
		{ 'kustomization.yaml': 'resources: [one.yaml]\n', 'one.yaml': configMap('one') },
		{ breaks: ['not-rendered'], noTools: true, beyondSandbox: true },
	),
	files(
		'kustomize',
		{ 'kustomization.yaml': 'resources: [one.yaml]\nnamePrefix: a-\n', 'one.yaml': configMap('one') },
		{ keeps: ['not-rendered'] },
	),
	files(
		'chart',
		{ 'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n', 'templates/one.yaml': configMap('one') },
		{},
	),
	files('readme', { 'one.yaml': configMap('one'), 'README.md': '# hello' }),
	files(
		'values',
		{ 'one.yaml': configMap('one'), 'values.yaml': 'replicas: 1\n' },
		{ breaks: ['file-ignored'] },
	),
	of(
		'link-as-manifest',
		plain(
			{ path: 'a/one.txt', content: configMap('one') },
			{ path: 'one.yaml', type: '2', link: 'a/one.txt' },
		),
	),
	of('one-file', plain(one)),
	files(
		'ten-megabytes',
		{ 'one.yaml': configMap('one', `# ${'x'.repeat(9_999_000)}\n`) },
		{ keeps: ['directory-size'] },
	),
	files(
		'over-ten-megabytes',
		{
			'a.yaml': configMap('one', `# ${'x'.repeat(6_000_000)}\n`),
			'b.yaml': configMap('two', `# ${'x'.repeat(6_000_000)}\n`),
		},
		{ breaks: ['directory-size'] },
	),
	files(
		'one-file-over-ten-megabytes',
		{ 'a.yaml': configMap('one', `# ${'x'.repeat(17_000_000)}\n`) },
		{ breaks: ['directory-size'] },
	),
]

export const contentCases: readonly Case[] = [...paths, ...yaml, ...jsons, ...special]
