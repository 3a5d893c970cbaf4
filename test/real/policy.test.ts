import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { createRoad, type Road, trustRegistries, until } from './road.ts'
import { onRealStack } from './stack/index.ts'

/** More bytes than an annotation may have. */
const LARGE = 300_000

/** A CustomResourceDefinition of more than `bytes` bytes, most of them descriptions. */
function largeCrd(group: string, bytes: number): object {
	const properties = Object.fromEntries(
		Array.from({ length: 100 }, (_, index) => [
			`field${index}`,
			{ type: 'string', description: 'x'.repeat(bytes / 100) },
		]),
	)
	const names = { kind: 'Large', listKind: 'LargeList', plural: 'larges', singular: 'large' }
	const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } }
	return {
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		metadata: { name: `larges.${group}` },
		spec: {
			group,
			names,
			scope: 'Namespaced',
			versions: [{ name: 'v1', served: true, storage: true, schema }],
		},
	}
}

onRealStack('how an Application is synced', (stack) => {
	beforeAll(() => trustRegistries(stack))

	const names = (road: Road): Promise<string> =>
		stack.kubectl('get', 'deployments,services', '-n', road.name, '-o', 'name')
	const both = (road: Road): string => `deployment.apps/${road.name}\nservice/${road.name}`
	const causes = async (road: Road): Promise<readonly string[]> => {
		const { explanations } = await road.status()
		return (explanations as readonly { readonly cause: string }[]).map(({ cause }) => cause)
	}
	const start = async (name: string, ...flags: readonly string[]): Promise<Road> => {
		const road = createRoad(stack, name)
		road.write('1.0.0')
		await road.push('latest')
		await road.ok('deploy', name, road.at('latest'), ...flags)
		return road
	}
	const pushWithoutService = async (road: Road): Promise<string> => {
		rmSync(join(road.manifests, 'service.yaml'))
		const { digest, refreshed } = await road.push('latest')
		expect(refreshed).toEqual([road.name])
		return digest
	}

	it.concurrent('what is no longer in the artifact is pruned', async () => {
		const road = await start('policy-prune')
		expect(await names(road)).toBe(both(road))
		const digest = await pushWithoutService(road)
		await road.ok('sync', road.name)
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			revision: digest,
			resources: ['Deployment policy-prune'],
		})
		expect(await names(road)).toBe('deployment.apps/policy-prune')
		await road.ok('undeploy', road.name)
	})

	it.concurrent('with --no-prune it stays, and that is told', async () => {
		const road = await start('policy-keep', '--no-prune')
		const digest = await pushWithoutService(road)
		const ended = await road.run('sync', road.name)
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('Service policy-keep')
		expect(await road.seen()).toMatchObject({ sync: 'OutOfSync', revision: digest })
		expect(await causes(road)).toEqual(['not-pruned'])
		expect(await names(road)).toBe(both(road))
		// What it says next is what does it.
		expect(ended.stderr).toContain(`lading sync ${road.name} --prune`)
		await road.ok('sync', road.name, '--prune')
		expect(await road.seen()).toMatchObject({ sync: 'Synced', revision: digest })
		expect(await names(road)).toBe('deployment.apps/policy-keep')
		await road.ok('undeploy', road.name)
	})

	it.concurrent('what someone changes or deletes in the cluster is healed', async () => {
		const road = await start('policy-heal')
		const replicas = (): Promise<string> =>
			stack.kubectl('get', 'deployment', road.name, '-n', road.name, '-o', 'jsonpath={.spec.replicas}')
		await stack.kubectl('scale', 'deployment', road.name, '-n', road.name, '--replicas=3')
		await until(replicas, (value) => value === '1')
		await stack.kubectl('delete', 'service', road.name, '-n', road.name)
		await until(
			() => names(road),
			(value) => value === both(road),
		)
		await road.ok('sync', road.name)
		expect(await road.status()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await road.ok('undeploy', road.name)
	})

	it.concurrent('with --manual nothing happens until sync asks for it', async () => {
		const road = await start('policy-manual', '--manual')
		await until(
			() => road.seen(),
			({ sync }) => sync === 'OutOfSync',
		)
		// Under load Argo CD may still have the refresh that was asked of it before it.
		const told = await until(
			() => causes(road),
			(found) => !found.includes('not-compared'),
		)
		expect(told).toEqual(['manual-sync'])
		expect(await names(road)).toBe('')
		await road.ok('sync', road.name)
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		expect(await names(road)).toBe(both(road))
		const digest = await pushWithoutService(road)
		await until(
			() => road.seen(),
			({ sync, revision }) => sync === 'OutOfSync' && revision === digest,
		)
		const left = await road.run('sync', road.name)
		expect(left.code).toBe(1)
		expect(left.stderr).toContain(`lading sync ${road.name} --prune`)
		expect(await names(road)).toBe(both(road))
		await road.ok('sync', road.name, '--prune')
		expect(await names(road)).toBe('deployment.apps/policy-manual')
		await road.ok('undeploy', road.name)
	})

	it.concurrent('an object too large for an annotation is refused, explained, and applied on the server side', async () => {
		const road = createRoad(stack, 'policy-large')
		road.write('1.0.0')
		writeFileSync(join(road.manifests, 'crd.yaml'), JSON.stringify(largeCrd('policy.example.com', LARGE)))
		const pushed = await road.run('push', 'manifests', road.at('v1.0.0'))
		expect(pushed.code, pushed.stderr).toBe(0)
		expect(pushed.stderr).toContain('Deploy it with --server-side')
		const refused = await road.run('deploy', road.name, road.at('v1.0.0'))
		expect(refused.code).toBe(1)
		expect(refused.stderr).toContain('Deploy with --server-side')

		// As with an Application that was not made by lading: what Argo CD says then.
		const yaml = await road.ok('deploy', road.name, road.at('v1.0.0'), '--print')
		const file = join(road.project.directory, 'application.yaml')
		writeFileSync(file, yaml)
		await stack.kubectl('apply', '-f', file)
		await until(
			() => causes(road),
			(found) => found.includes('annotation-size'),
		)
		expect((await road.run('status', road.name)).stdout).toContain('--server-side')

		await road.ok('deploy', road.name, road.at('v1.0.0'), '--server-side')
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		const size = await stack.kubectl('get', 'crd', 'larges.policy.example.com', '-o', 'json')
		expect(size.length).toBeGreaterThan(LARGE)
		// Argo CD never deletes a definition: with it would go every object of its kind.
		const removed = await road.run('undeploy', road.name)
		expect(removed.code, removed.stderr).toBe(0)
		expect(removed.stderr).toContain('kubectl delete crd larges.policy.example.com')
		expect(await stack.kubectl('get', 'deployments', '-n', road.name, '-o', 'name')).toBe('')
		await stack.kubectl('delete', 'crd', 'larges.policy.example.com')
	})
})
