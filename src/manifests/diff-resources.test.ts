import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffResources, formatDiff } from './diff-resources.ts'
import { diffValues } from './diff-values.ts'
import { parseManifests } from './parse-manifests.ts'
import { type ManifestObject, toResources } from './resources.ts'

function objects(...texts: readonly string[]): readonly ManifestObject[] {
	return toResources(parseManifests(Buffer.from(texts.join('\n---\n')), 'a.yaml')).resources.map(
		(each) => each.object,
	)
}

const deployment = (image: string, extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        ${extra}
        - name: app
          image: ${image}
          ports: [{containerPort: 80}]
`

function lines(before: readonly ManifestObject[], after: readonly ManifestObject[]): string[] {
	return formatDiff(diffResources(before, after)).map(
		(line) => `${'  '.repeat(line.depth)}${line.kind} ${line.text}`,
	)
}

describe('diffResources', () => {
	it('sees no difference in order and place', () => {
		const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}'
		expect(lines(objects(deployment('a:1'), service), objects(service, deployment('a:1')))).toEqual([])
	})

	it('names fields by the keys of their lists', () => {
		expect(
			lines(objects(deployment('a:1')), objects(deployment('a:2', '- {name: proxy, image: p:1}'))),
		).toEqual([
			'changed Deployment.apps shop/web',
			'  changed spec.template.spec.containers[name=app].image: "a:1" → "a:2"',
			'  added spec.template.spec.containers[name=proxy]: {"name":"proxy","image":"p:1"}',
		])
	})

	it('counts another version of the API as a change of the same object', () => {
		const ingress = (version: string): string =>
			`apiVersion: networking.k8s.io/${version}\nkind: Ingress\nmetadata: {name: web}`
		expect(lines(objects(ingress('v1beta1')), objects(ingress('v1')))).toEqual([
			'changed Ingress.networking.k8s.io web',
			'  changed apiVersion: "networking.k8s.io/v1beta1" → "networking.k8s.io/v1"',
		])
	})

	it('lists what came and went', () => {
		const named = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}`
		expect(lines(objects(named('a'), named('b')), objects(named('b'), named('c')))).toEqual([
			'removed ConfigMap a',
			'added ConfigMap c',
		])
	})

	it('says when only the order of a keyed list changed', () => {
		const pod = (env: string): string =>
			`apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {env: [${env}]}`
		expect(
			lines(
				objects(pod('{name: A, value: x}, {name: B, value: y}')),
				objects(pod('{name: B, value: y}, {name: A, value: x}')),
			),
		).toEqual(['changed Pod a', '  reordered spec.env: in another order'])
	})

	it('quotes keys that are no words', () => {
		const map = (value: string): string =>
			`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {app.conf: ${value}}`
		expect(lines(objects(map('x')), objects(map('z')))[1]).toBe('  changed data["app.conf"]: "x" → "z"')
	})

	it('takes the plain text of a Secret and its base64 for the same', () => {
		const secret = (fields: Readonly<Record<string, unknown>>): ManifestObject => ({
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: { name: 's' },
			...fields,
		})
		const [plain, encoded] = [secret({ stringData: { k: 'x' } }), secret({ data: { k: 'eA==' } })]
		expect(diffResources([plain], [encoded])).toEqual([])
		expect(diffResources([plain], [secret({ data: { k: 'eQ==' } })])).toMatchObject([
			{ fields: [{ kind: 'changed', before: '***', after: '***' }] },
		])
	})

	it('never shows the value of a Secret, in any of its places', () => {
		const secret = (value: string, more = ''): string =>
			`apiVersion: v1\nkind: Secret\nmetadata: {name: s${more}}\ndata: {k: ${value}}\nstringData: {t: ${value}}`
		const applied = (value: string): string =>
			`, annotations: {kubectl.kubernetes.io/last-applied-configuration: "${value}"}`
		const variants = [
			secret('TOPSECRET1'),
			secret('TOPSECRET2'),
			secret('TOPSECRET3', applied('TOPSECRET4')),
			secret('TOPSECRET5', applied('TOPSECRET6')),
			'apiVersion: v1\nkind: Secret\nmetadata: {name: s}',
			'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: [TOPSECRET7]',
		]
		for (const before of ['', ...variants]) {
			for (const after of ['', ...variants]) {
				const diff = diffResources(objects(before), objects(after))
				expect(JSON.stringify(diff) + JSON.stringify(formatDiff(diff))).not.toContain('TOPSECRET')
				expect(diff).toHaveLength(before === after ? 0 : 1)
			}
		}
	})
})

describe('diffValues', () => {
	const json = fc.jsonValue({ maxDepth: 4 })

	it('finds nothing between equal values and something between others', () => {
		fc.assert(
			fc.property(json, json, (left, right) => {
				expect(diffValues(left, JSON.parse(JSON.stringify(left)))).toEqual([])
				const same = canonical(left) === canonical(right)
				expect(diffValues(left, right).length === 0).toBe(same)
			}),
		)
	})
})

function canonical(value: unknown): string {
	return JSON.stringify(value, (_, each: unknown) =>
		typeof each === 'object' && each !== null && !Array.isArray(each)
			? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
			: each,
	)
}
