import { beforeAll, expect, it } from 'vitest'
import { createRoad, trustRegistries, until } from './road.ts'
import { onRealStack } from './stack/index.ts'

onRealStack('the ways to name a version', (stack) => {
	beforeAll(() => trustRegistries(stack))

	it.concurrent('a tag: moved by sync, listed by history, gone back from by rollback, removed', async () => {
		const road = createRoad(stack, 'revision-tag')
		road.write('1.0.0')
		const first = await road.push('v1.0.0')
		expect(first.refreshed).toEqual([])
		await road.ok('deploy', road.name, road.at('v1.0.0'))
		const running = { sync: 'Synced', health: 'Healthy' }
		expect(await road.seen()).toMatchObject({
			...running,
			targetRevision: 'v1.0.0',
			revision: first.digest,
			sourceType: 'Directory',
			resources: ['Deployment revision-tag', 'Service revision-tag'],
		})
		expect(await road.run('deploy', road.name, road.at('v1.0.0'))).toMatchObject({ code: 0 })

		road.write('2.0.0')
		const refused = await road.run('push', 'manifests', road.at('v1.0.0'))
		expect(refused.code).toBe(1)
		expect(refused.stderr).toContain('v1.0.0')
		const second = await road.push('v2.0.0')
		expect(second.refreshed).toEqual([])
		const absent = await road.run('sync', road.name, 'v3.0.0')
		expect(absent.code).toBe(7)
		expect(await road.seen()).toMatchObject({ targetRevision: 'v1.0.0' })
		await road.ok('sync', road.name, 'v2.0.0')
		expect(await road.seen()).toMatchObject({
			...running,
			targetRevision: 'v2.0.0',
			revision: second.digest,
		})
		expect(await road.deployed()).toBe('2.0.0')

		const { history } = await road.json('history', road.name)
		expect(history).toMatchObject([
			{ revision: second.digest, targetRevision: 'v2.0.0', tags: ['v2.0.0'], current: true },
			{ revision: first.digest, targetRevision: 'v1.0.0', tags: ['v1.0.0'], current: false },
		])
		const revisions = 'jsonpath={.status.history[*].revision}'
		expect(await stack.kubectl('get', 'application', road.name, '-n', 'argocd', '-o', revisions)).toBe(
			`${first.digest} ${second.digest}`,
		)
		await road.ok('rollback', road.name)
		expect(await road.seen()).toMatchObject({ ...running, targetRevision: 'v1.0.0', revision: first.digest })
		expect(await road.deployed()).toBe('1.0.0')
		await road.ok('rollback', road.name, '--to', '1')
		expect(await road.seen()).toMatchObject({ ...running, targetRevision: 'v2.0.0', revision: second.digest })

		await road.ok('undeploy', road.name)
		const left = await stack.kubectl('get', 'applications,secrets', '-n', 'argocd', '-o', 'name')
		expect(left).not.toContain(road.name)
		expect(await stack.kubectl('get', 'deployments,services', '-n', road.name, '-o', 'name')).toBe('')
	})

	it.concurrent('a moving tag: a push deploys it at once, and leaves the spec as it is', async () => {
		const road = createRoad(stack, 'revision-moving')
		road.write('1.0.0')
		const first = await road.push('latest')
		await road.ok('deploy', road.name, road.at('latest'))
		expect(await road.status()).toMatchObject({ sync: 'Synced', revision: first.digest })
		const spec = (): Promise<string> =>
			stack.kubectl('get', 'application', road.name, '-n', 'argocd', '-o', 'jsonpath={.spec}')
		const before = await spec()
		road.write('1.1.0')
		const second = await road.push('latest')
		expect(second.refreshed).toEqual([road.name])
		await until(
			() => road.seen(),
			({ revision, sync, health }) => revision === second.digest && sync === 'Synced' && health === 'Healthy',
		)
		expect(await spec()).toBe(before)
		expect(await road.deployed()).toBe('1.1.0')
		expect(await road.json('sync', road.name)).toMatchObject({
			sync: { from: 'latest', targetRevision: 'latest', sync: { sync: 'Synced', revision: second.digest } },
		})

		await road.ok('rollback', road.name)
		expect(await road.seen()).toMatchObject({
			targetRevision: `latest@${first.digest}`,
			revision: first.digest,
			sync: 'Synced',
		})
		road.write('1.2.0')
		expect(await road.push('latest')).toMatchObject({ refreshed: [] })
		expect(await road.deployed()).toBe('1.0.0')
		await road.ok('undeploy', road.name)
	})

	it.concurrent('a digest, and a tag with its digest: no push moves them', async () => {
		const road = createRoad(stack, 'revision-digest')
		road.write('1.0.0')
		const first = await road.push('latest')
		await road.ok('deploy', road.name, road.at(first.digest))
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			targetRevision: first.digest,
			revision: first.digest,
		})
		road.write('1.1.0')
		const second = await road.push('latest')
		expect(second.refreshed).toEqual([])
		await road.ok('deploy', road.name, road.at('latest'), '--pin')
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			targetRevision: `latest@${second.digest}`,
			revision: second.digest,
		})
		expect(await road.deployed()).toBe('1.1.0')
		road.write('1.2.0')
		const third = await road.push('latest')
		expect(third.refreshed).toEqual([])
		expect(await road.json('sync', road.name)).toMatchObject({
			sync: { sync: { revision: second.digest } },
		})
		expect(await road.deployed()).toBe('1.1.0')
		await road.ok('sync', road.name, third.digest)
		expect(await road.seen()).toMatchObject({ targetRevision: third.digest, revision: third.digest })
		await road.ok('undeploy', road.name)
	})

	it.concurrent('a range: follows what is pushed into it, and nothing outside', async () => {
		const road = createRoad(stack, 'revision-range')
		road.write('1.0.0')
		const first = await road.push('1.0.0')
		await road.ok('deploy', road.name, road.at('1.0.0'))
		await road.ok('sync', road.name, '^1.0.0')
		expect(await road.seen()).toMatchObject({ targetRevision: '^1.0.0', revision: first.digest })
		road.write('2.0.0')
		expect(await road.push('2.0.0')).toMatchObject({ refreshed: [] })
		road.write('1.1.0')
		const next = await road.push('1.1.0')
		expect(next.refreshed).toEqual([road.name])
		await until(
			() => road.seen(),
			({ revision, sync, health }) => revision === next.digest && sync === 'Synced' && health === 'Healthy',
		)
		expect(await road.deployed()).toBe('1.1.0')
		expect(await road.status()).toMatchObject({ targetRevision: '^1.0.0', revision: next.digest })
		const unmatched = await road.run('sync', road.name, '^9.0.0')
		expect(unmatched.code).toBe(7)
		expect(unmatched.stderr).toContain('^9.0.0')
		await road.ok('rollback', road.name)
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			// That version was named before the range was.
			targetRevision: '1.0.0',
			revision: first.digest,
		})
		await road.ok('rollback', road.name)
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			targetRevision: `1.1.0@${next.digest}`,
			revision: next.digest,
		})
		await road.ok('undeploy', road.name)
	})
})
