import { beforeAll, expect, it } from 'vitest'
import { createRoad, type Road, trustRegistries, until } from './road.ts'
import { onRealStack } from './stack/index.ts'

interface Finding {
	readonly check: string
	readonly status: string
	readonly seen: string
	readonly why?: string
	readonly fix?: string
}

onRealStack('who may deploy what to where', (stack) => {
	beforeAll(() => trustRegistries(stack))

	const { host } = stack.registries.tls
	const everywhere = { server: '*', namespace: '*' }
	const applyProject = async (name: string, spec: object): Promise<void> => {
		await stack.apply({
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'AppProject',
			metadata: { name, namespace: 'argocd' },
			spec: { clusterResourceWhitelist: [{ group: '*', kind: '*' }], ...spec },
		})
	}
	const removeProject = async (name: string): Promise<void> => {
		await stack.kubectl('delete', 'appproject', name, '-n', 'argocd')
	}
	const startIn = async (road: Road, project: string): Promise<void> => {
		road.write('1.0.0')
		await road.push('v1.0.0')
		const ended = await road.run('deploy', road.name, road.at('v1.0.0'), '--project', project)
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain(project)
	}
	const causes = async (road: Road): Promise<readonly string[]> => {
		const { explanations } = await road.status()
		return (explanations as readonly { readonly cause: string }[]).map(({ cause }) => cause)
	}
	const faults = async (road: Road): Promise<readonly Finding[]> => {
		const ended = await road.run('doctor', road.name, '--json')
		expect(ended.code).toBe(1)
		const { findings } = JSON.parse(ended.stdout) as { readonly findings: readonly Finding[] }
		return findings.filter(({ status }) => status === 'fault')
	}

	it.concurrent('a project whose "*" stops at the slash before the repository', async () => {
		const road = createRoad(stack, 'project-source', { repository: 'team/project-source' })
		await applyProject('one-level', { sourceRepos: [`oci://${host}/*`], destinations: [everywhere] })
		await startIn(road, 'one-level')
		expect(await causes(road)).toEqual(['source-forbidden'])
		const [fault, ...others] = await faults(road)
		expect(others).toEqual([])
		expect(fault).toMatchObject({
			check: 'application',
			seen: expect.stringContaining(`oci://${host}/team/project-source`),
			why: expect.stringContaining('does not cross a slash'),
			fix: expect.stringContaining('kubectl edit appproject one-level -n argocd'),
		})
		expect(await stack.kubectl('get', 'namespaces', '-o', 'name')).not.toContain('project-source')

		await applyProject('one-level', { sourceRepos: [`oci://${host}/**`], destinations: [everywhere] })
		await road.ok('sync', road.name)
		expect(await causes(road)).toEqual([])
		await road.ok('undeploy', road.name)
		await removeProject('one-level')
	})

	it.concurrent('a project that names another destination', async () => {
		const road = createRoad(stack, 'project-destination')
		const allowed = (namespace: string): object => ({
			sourceRepos: ['*'],
			destinations: [{ server: 'https://kubernetes.default.svc', namespace }],
		})
		await applyProject('one-place', allowed('elsewhere'))
		await startIn(road, 'one-place')
		expect(await causes(road)).toEqual(['destination-forbidden'])
		expect(await faults(road)).toMatchObject([
			{ check: 'application', fix: 'Add it: kubectl edit appproject one-place -n argocd' },
		])
		await applyProject('one-place', allowed(road.name))
		await road.ok('deploy', road.name, road.at('v1.0.0'), '--project', 'one-place')
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await road.ok('undeploy', road.name)
		await removeProject('one-place')
	})

	it.concurrent('a project that does not exist', async () => {
		const road = createRoad(stack, 'project-missing')
		await startIn(road, 'no-such-project')
		expect(await causes(road)).toEqual(['project-missing'])
		await road.ok('deploy', road.name, road.at('v1.0.0'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await road.ok('undeploy', road.name)
	})

	it.concurrent('an Application of an ApplicationSet is moved there, not by sync, rollback or undeploy', async () => {
		const road = createRoad(stack, 'project-owned')
		road.write('1.0.0')
		await road.push('v1.0.0')
		await stack.apply({
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'ApplicationSet',
			metadata: { name: 'project-set', namespace: 'argocd' },
			spec: {
				generators: [{ list: { elements: [{ app: road.name }] } }],
				template: {
					metadata: { name: '{{app}}', finalizers: ['resources-finalizer.argocd.argoproj.io'] },
					spec: {
						project: 'default',
						source: { repoURL: `oci://${host}/${road.name}`, targetRevision: 'v1.0.0', path: '.' },
						destination: { server: 'https://kubernetes.default.svc', namespace: '{{app}}' },
						syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
					},
				},
			},
		})
		const list = ['get', 'applications', '-n', 'argocd', '-o', 'name'] as const
		await until(
			() => stack.kubectl(...list),
			(found) => found.includes(`/${road.name}`),
		)
		// A refresh changes nothing that the set has written.
		await road.ok('sync', road.name)
		road.write('2.0.0')
		await road.push('v2.0.0')
		const refused = {
			sync: ['v2.0.0'],
			rollback: [],
			undeploy: [],
			deploy: [road.at('v2.0.0')],
		}
		for (const [command, args] of Object.entries(refused)) {
			const ended = await road.run(command, road.name, ...args)
			expect(ended.code, `${command}: ${ended.stderr}`).toBe(1)
			expect(ended.stderr).toContain('kubectl edit applicationset project-set -n argocd')
		}
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy', targetRevision: 'v1.0.0' })
		await stack.kubectl('delete', 'applicationset', 'project-set', '-n', 'argocd')
	})
})
