import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { KubeObject } from '../../src/cluster/index.ts'
import type { Project } from '../e2e/program.ts'
import { trustRegistries, until } from './road.ts'
import { onRealStackAlone } from './stack/index.ts'

const REPOSITORIES = ['ant', 'bee', 'cat', 'dog']
const PLACES = Array.from({ length: 50 }, (_, index) => `place-${String(index).padStart(2, '0')}`)

interface State {
	readonly name: string
	readonly sync: string
	readonly health: string
	readonly revision: string
}

/** What Kubernetes has of each. */
interface Application extends KubeObject {
	readonly status?: {
		readonly sync?: { readonly status: string; readonly revision?: string }
		readonly health?: { readonly status?: string }
	}
}

onRealStackAlone('two hundred Applications of one ApplicationSet', (stack) => {
	const { tls } = stack.registries
	const cluster = ['--cluster', stack.cluster]
	const digests = new Map<string, string>()
	let project: Project

	const push = async (repository: string, version: string): Promise<readonly string[]> => {
		const directory = join(project.directory, repository)
		mkdirSync(directory, { recursive: true })
		const metadata = { name: repository }
		const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { version } }
		writeFileSync(join(directory, 'version.yaml'), JSON.stringify(object))
		const reference = `${tls.host}/many/${repository}:latest`
		const pushed = await project.json('push', directory, reference, ...tls.flags, ...cluster)
		digests.set(repository, String(pushed.digest))
		return pushed.refreshed as readonly string[]
	}
	/** Name, sync, health and digest of each, by kubectl. */
	const seen = async (): Promise<readonly State[]> => {
		const columns =
			'NAME:.metadata.name,SYNC:.status.sync.status,HEALTH:.status.health.status,REVISION:.status.sync.revision'
		const select = ['-n', 'argocd', '-l', 'test=many', '--no-headers', '-o', `custom-columns=${columns}`]
		const table = await stack.kubectl('get', 'applications', ...select)
		return table.split('\n').map((line) => {
			const [name = '', sync = '', health = '', revision = ''] = line.split(/\s+/)
			return { name, sync, health, revision }
		})
	}
	/** Of those that are there, the ones that are not yet as they shall be, and what Argo CD says of them. */
	const open = async (): Promise<{ readonly count: number; readonly open: readonly Application[] }> => {
		const type = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' }
		const api = await stack.api()
		const { items } = await api.list(type, { namespace: 'argocd', labelSelector: 'test=many' })
		return { count: items.length, open: items.filter((each) => !isThere(each)) }
	}
	const isThere = ({ metadata, status: { sync, health } = {} }: Application): boolean =>
		sync?.status === 'Synced' &&
		health?.status === 'Healthy' &&
		sync.revision === digests.get(metadata.name.split('-')[1] ?? '')
	const untilAllAreThere = async (): Promise<void> => {
		const all = REPOSITORIES.length * PLACES.length
		const options = { timeoutMs: 300_000, lookMs: 2000 }
		await until(open, ({ count, open: missing }) => count === all && missing.length === 0, options)
	}
	const say = (line: string): void => {
		process.stderr.write(`${line}\n`)
	}

	beforeAll(async () => {
		project = stack.project()
		await trustRegistries(stack)
		for (const repository of REPOSITORIES) await push(repository, '1')
		const started = performance.now()
		await stack.apply({
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'ApplicationSet',
			metadata: { name: 'many', namespace: 'argocd' },
			spec: {
				generators: [
					{
						matrix: {
							generators: [
								{ list: { elements: REPOSITORIES.map((repository) => ({ repository })) } },
								{ list: { elements: PLACES.map((place) => ({ place })) } },
							],
						},
					},
				],
				template: {
					metadata: {
						name: 'many-{{repository}}-{{place}}',
						labels: { test: 'many', 'app.kubernetes.io/managed-by': 'lading' },
					},
					spec: {
						project: 'default',
						source: {
							repoURL: `oci://${tls.host}/many/{{repository}}`,
							targetRevision: 'latest',
							path: '.',
						},
						destination: { server: 'https://kubernetes.default.svc', namespace: 'many-{{place}}' },
						syncPolicy: {
							automated: { prune: true, selfHeal: true },
							// To validate, Argo CD reads the types of Kubernetes anew for every object: half of its work.
							syncOptions: ['CreateNamespace=true', 'Validate=false'],
						},
					},
				},
			},
		})
		await untilAllAreThere()
		say(`200 Applications Synced after ${seconds(started)}`)
	}, 420_000)

	it('status lists all of them, as Kubernetes does', async () => {
		const started = performance.now()
		const { applications } = await project.json('status', ...cluster)
		say(`status of 200 Applications: ${seconds(started)}`)
		const told = (applications as readonly State[])
			.filter(({ name }) => name.startsWith('many-'))
			.map(({ name, sync, health, revision }) => ({ name, sync, health, revision }))
		const expected = await seen()
		expect(expected).toHaveLength(200)
		expect(told.toSorted(byName)).toEqual(expected.toSorted(byName))
	})

	it('a push refreshes exactly those that follow it', async () => {
		const started = performance.now()
		const refreshed = await push('cat', '2')
		say(`push that refreshes 50 Applications: ${seconds(started)}`)
		expect(refreshed.toSorted()).toEqual(PLACES.map((place) => `many-cat-${place}`))
		await untilAllAreThere()
		say(`and all 50 Synced after ${seconds(started)}`)
		expect(new Set((await seen()).map(({ revision }) => revision)).size).toBe(REPOSITORIES.length)
		const versions = await stack.kubectl(
			'get',
			'configmaps',
			'-A',
			'-o',
			'jsonpath={range .items[?(@.metadata.name=="cat")]}{.data.version}{end}',
		)
		expect(versions).toBe('2'.repeat(PLACES.length))
	})

	it('none of them is moved from here', async () => {
		const refused = await project.run('sync', 'many-ant-place-00', 'v2', ...tls.flags, ...cluster)
		expect(refused.code).toBe(1)
		expect(refused.stderr).toContain('kubectl edit applicationset many -n argocd')
		await stack.kubectl('delete', 'applicationset', 'many', '-n', 'argocd')
	})
})

function byName(one: State, other: State): number {
	return one.name < other.name ? -1 : 1
}

function seconds(started: number): string {
	return `${((performance.now() - started) / 1000).toFixed(1)} s`
}
