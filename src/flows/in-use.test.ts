import { expect, it } from 'vitest'
import { parseApplication } from '../argocd/index.ts'
import { namedBy } from './in-use.ts'

const [OLD, NEW] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`)
const listTags = async (repository: string): Promise<readonly string[]> =>
	repository === 'charts/shop' ? ['1.2.0', '1.3.0_beta', '2.0.0'] : ['v1', 'v2']

async function uses(spec: object, more: object = {}): Promise<ReadonlySet<string>> {
	const application = parseApplication({
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: { name: 'shop', namespace: 'argocd' },
		spec: { project: 'default', destination: {}, ...spec },
		...more,
	})
	const found = await namedBy(application, { listTags })
	expect(new Set(found.map(({ by }) => by))).toEqual(new Set(['Application argocd/shop']))
	return new Set(
		found.map(({ repository, names }) => ('digest' in names ? names.digest : `${repository}:${names.tag}`)),
	)
}

it('is what spec, status, history and operation name, whichever way', async () => {
	const source = { repoURL: 'oci://kind-registry:5000/app', targetRevision: 'v2' }
	const status = {
		sync: { status: 'Synced', revision: NEW },
		history: [{ id: 0, revision: OLD, source: { ...source, targetRevision: 'v1' } }],
	}
	const operation = { sync: { revision: 'v0' } }
	expect(await uses({ source }, { status, operation })).toEqual(
		new Set([OLD, NEW, 'app:v0', 'app:v1', 'app:v2']),
	)
})

it('is a Helm chart too, which Argo CD names by version and without a scheme', async () => {
	const sources = [
		{ repoURL: 'kind-registry:5000/charts', chart: 'shop', targetRevision: '^1.0.0' },
		{ repoURL: 'https://git.example.com/x.git', ref: 'values' },
	]
	const status = {
		sync: { status: 'Synced', revisions: ['1.2.0', 'abcdef'] },
		history: [{ id: 1, revisions: ['1.1.0', '123'], sources }],
	}
	const found = await uses({ sources }, { status })
	for (const tag of ['1.1.0', '1.2.0']) expect(found).toContain(`charts/shop:${tag}`)
	expect(found).not.toContain('charts/shop:2.0.0')
})
