import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DevLine, type RunningDev, startDev } from '../e2e/follow.ts'
import { createRoad, type Road, trustRegistries } from './road.ts'
import { onRealStack } from './stack/index.ts'

const APP = 'followed'

onRealStack('dev', (stack) => {
	const { tls } = stack.registries
	let road: Road
	let dev: RunningDev

	const follow = (...args: readonly string[]): RunningDev =>
		startDev(['manifests', `${tls.host}/${APP}:dev`, ...tls.flags, '--cluster', stack.cluster, ...args], {
			cwd: road.project.directory,
			env: { KUBECONFIG: stack.kubernetes.kubeconfig, ...tls.env },
		})
	const edit = (change: (text: string) => string): void => {
		const path = join(road.manifests, 'deployment.yaml')
		writeFileSync(path, change(readFileSync(path, 'utf8')))
	}
	const is =
		(event: string) =>
		(line: DevLine): boolean =>
			line.event === event

	beforeAll(async () => {
		await trustRegistries(stack)
		road = createRoad(stack, APP)
		mkdirSync(road.manifests, { recursive: true })
		road.write('1.0')
		dev = follow()
	})
	afterAll(async () => {
		await dev.interrupt()
		await road.run('undeploy', APP)
	})

	it('deploys what is there, and each save after it', async () => {
		const first = await dev.until(is('healthy'))
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			targetRevision: 'dev',
			revision: first['digest'],
		})
		const from = dev.lines.length
		road.write('2.0')
		const second = await dev.until(is('healthy'), from)
		expect(await road.seen()).toMatchObject({ health: 'Healthy', revision: second['digest'] })
		expect(await road.deployed()).toBe('2.0')
		expect(JSON.stringify(dev.lines.slice(from).find(is('changes')))).toContain(':2.0')
		expect(Number(second['ms'])).toBeGreaterThan(0)
	})

	it('pushes nothing that does not parse', async () => {
		const from = dev.lines.length
		writeFileSync(join(road.manifests, 'broken.yaml'), 'a: [\n')
		await dev.until(is('refused'), from)
		rmSync(join(road.manifests, 'broken.yaml'))
		await dev.until(is('unchanged'), from)
		expect(dev.lines.slice(from).map(({ event }) => event)).not.toContain('pushed')
	})

	it('says what Kubernetes refuses, and goes on when it is mended', async () => {
		const from = dev.lines.length
		edit((text) => text.replace('"replicas": 1', '"replicas": -1'))
		const { resources } = await dev.until(is('unhealthy'), from)
		expect(JSON.stringify(resources)).toMatch(/spec\.replicas/)
		edit((text) => text.replace('"replicas": -1', '"replicas": 2'))
		const healthy = await dev.until(is('healthy'), from)
		expect(await road.seen()).toMatchObject({ sync: 'Synced', revision: healthy['digest'] })
	})

	it('warns of what only looks well, once', async () => {
		const patch = async (chart: string | null): Promise<unknown> => {
			const change = JSON.stringify({ spec: { source: { chart } } })
			return await stack.kubectl('patch', 'application', APP, '-n', 'argocd', '--type=merge', '-p', change)
		}
		await patch('web')
		const from = dev.lines.length
		for (const version of ['3.0', '4.0']) {
			const saved = dev.lines.length
			road.write(version)
			await dev.until(is('healthy'), saved)
		}
		const warnings = dev.lines.slice(from).filter(is('warning'))
		expect(warnings).toMatchObject([{ message: expect.stringContaining('chart: web beside an oci:// URL') }])
		await patch(null)
	})

	it('takes no Application that follows something else, unless it is told to', async () => {
		await dev.interrupt()
		await road.push('v1.0.0')
		await road.ok('sync', APP, 'v1.0.0')
		dev = follow()
		const { error } = await dev.until(is('ended'))
		expect(error).toMatchObject({ code: 'REVISION_KEPT' })
		expect((await dev.ended).code).toBe(1)
		dev = follow('--force')
		expect(await dev.until(is('started'))).toMatchObject({ previousRevision: 'v1.0.0' })
		await dev.until(is('healthy'))
		expect(await road.seen()).toMatchObject({ targetRevision: 'dev' })
	})
})
