import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { Project } from '../e2e/program.ts'
import { onRealStack, writeSample } from './stack/index.ts'

const APP = 'road'

onRealStack('the road', (stack) => {
	const { tls } = stack.registries
	const cluster = ['--cluster', stack.cluster]
	let project: Project
	let digest: string

	beforeAll(() => {
		project = stack.project()
		writeSample(join(project.directory, 'manifests'), { name: APP, replicas: 2 })
	})

	const application = async (): Promise<unknown> => {
		const { applications } = await project.json('status', APP, ...cluster)
		return applications
	}

	it('trust lets Argo CD believe the registry', async () => {
		const ended = await project.run('trust', tls.host, ...tls.flags, ...cluster)
		expect(ended.code, ended.stderr).toBe(0)
	})

	it('push and deploy end with what was pushed, Synced and Healthy', async () => {
		const line = await project.ok('push', 'manifests', `${tls.host}/${APP}:v1.0.0`, ...tls.flags)
		digest = /@(sha256:[a-f0-9]{64})$/.exec(line)?.[1] ?? `no digest in ${line}`
		const ended = await project.run('deploy', APP, `${tls.host}/${APP}:v1.0.0`, ...tls.flags, ...cluster)
		expect(ended.code, ended.stderr).toBe(0)
		expect(await application()).toMatchObject([
			{ name: APP, sync: 'Synced', health: 'Healthy', targetRevision: 'v1.0.0', revision: digest },
		])
	})

	it('Kubernetes and Argo CD say the same', async () => {
		const path = '{.status.sync.status} {.status.sync.revision} {.status.health.status}'
		const seen = await stack.kubectl('get', 'application', APP, '-n', 'argocd', '-o', `jsonpath=${path}`)
		expect(seen).toBe(`Synced ${digest} Healthy`)
		const pods = await stack.kubectl('get', 'pods', '-n', APP, '-o', 'name')
		expect(pods.split('\n')).toHaveLength(2)
	})

	it('undeploy removes the Application and what it deployed', async () => {
		await project.ok('undeploy', APP, ...cluster)
		const left = ['get', 'applications,deployments,services', '-o', 'name', '-n']
		expect(await stack.kubectl(...left, 'argocd')).not.toContain(APP)
		expect(await stack.kubectl(...left, APP)).toBe('')
	})
})
