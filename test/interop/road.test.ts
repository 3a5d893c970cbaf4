import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, processesWith, type Project } from '../e2e/program.ts'
import { kubectlOf, type Kubectl } from './kubectl.ts'

const APP = ['application', 'oci-demo-app', '--namespace=argocd'] as const
const NAMESPACE = '--namespace=oci-demo-app'
const HEALTHY = /^Synced Healthy/

/** The first day as the README tells it, with the real kubectl beside the built program. */
describe.sequential('a first day with kubectl', () => {
	let project: Project
	let kubectl: Kubectl

	beforeAll(() => {
		project = createProject()
		kubectl = kubectlOf(project)
	})
	afterAll(() => project.remove())

	const state = '--output=jsonpath={.status.sync.status} {.status.health.status} {.status.sync.revision}'
	const application = (wanted = HEALTHY): Promise<string> => kubectl.until(wanted, 'get', ...APP, state)
	const file = (name: string): string => join(project.directory, 'sample-manifests', name)
	const edit = (from: string, to: string): void => {
		const text = readFileSync(file('deployment.yaml'), 'utf8')
		expect(text).toContain(from)
		writeFileSync(file('deployment.yaml'), text.replace(from, to))
	}
	/** @returns the digest that was pushed */
	const push = async (tag: string): Promise<string> =>
		(await project.ok('push', 'sample-manifests', `oci-demo-app:${tag}`)).split('@')[1] ?? ''
	const deploymentUid = (): Promise<string> =>
		kubectl.ok('get', 'deployment', 'oci-demo-app', NAMESPACE, '--output=jsonpath={.metadata.uid}')

	it('up: the Application is Synced and Healthy, and its pods run', async () => {
		await project.ok('up')
		const applications = await kubectl.ok('get', 'applications', '--namespace=argocd')
		expect(applications).toMatch(/^NAME +SYNC STATUS +HEALTH STATUS\s+oci-demo-app +Synced +Healthy$/)
		const pods = (await kubectl.ok('get', 'pods', NAMESPACE)).split('\n')
		expect(pods).toHaveLength(3)
		for (const pod of pods.slice(1)) expect(pod).toMatch(/^oci-demo-app-\S+ +1\/1 +Running +0 /)
	})

	it('says sandbox wherever somebody looks closer', async () => {
		expect(await kubectl.ok('describe', ...APP)).toMatch(/Events:[^]*sandbox/)
		const [pod = ''] = (await kubectl.ok('get', 'pods', NAMESPACE, '--output=name')).split('\n')
		for (const command of [
			['logs', pod],
			['exec', pod, '--', 'ls'],
			['port-forward', pod, '8080:80'],
		]) {
			const { code, stderr } = await kubectl.run(NAMESPACE, ...command)
			expect(code).not.toBe(0)
			expect(stderr).toContain('sandbox: no container runs here')
		}
	})

	it('an edit is pushed, synchronised and rolled out, while a watch looks on', async () => {
		const watch = spawn('kubectl', ['get', ...APP, '--watch', '--output=json'], {
			env: { ...process.env, KUBECONFIG: join(project.directory, '.lading/kubeconfig') },
		})
		let seen = ''
		watch.stdout.setEncoding('utf8').on('data', (text: string) => void (seen += text))
		try {
			edit('replicas: 2', 'replicas: 3')
			const digest = await push('v1.1.0')
			await project.ok('sync', 'oci-demo-app', 'v1.1.0')
			expect(await kubectl.ok('rollout', 'status', 'deployment/oci-demo-app', NAMESPACE)).toContain(
				'successfully rolled out',
			)
			expect(await application()).toContain(digest)
			await expect.poll(() => seen, { timeout: 30_000 }).toContain(`"revision": "${digest}"`)
		} finally {
			watch.kill()
		}
	})

	it('what kubectl changes or deletes is put back', async () => {
		await kubectl.ok('scale', 'deployment/oci-demo-app', '--replicas=1', NAMESPACE)
		const replicas = '--output=jsonpath={.spec.replicas} {.status.readyReplicas}'
		await kubectl.until(/^3 3$/, 'get', 'deployment', 'oci-demo-app', NAMESPACE, replicas)
		await application()
		const uid = await deploymentUid()
		await kubectl.ok('delete', 'deployment', 'oci-demo-app', NAMESPACE)
		await kubectl.until(/^3 3$/, 'get', 'deployment', 'oci-demo-app', NAMESPACE, replicas)
		expect(await deploymentUid()).not.toBe(uid)
		await application()
	})

	it('what is taken out of the artifact is pruned, with all that it owns', async () => {
		const service = readFileSync(file('service.yaml'))
		rmSync(file('service.yaml'))
		await push('v1.2.0')
		await project.ok('sync', 'oci-demo-app', 'v1.2.0')
		await kubectl.until(/^$/, 'get', 'services,endpointslices', NAMESPACE, '--output=name')
		expect(await kubectl.ok('get', 'deployments', NAMESPACE, '--output=name')).not.toBe('')
		writeFileSync(file('service.yaml'), service)
	})

	it('a moving tag is followed: when asked to refresh, and by itself', async () => {
		await push('latest')
		await project.ok('deploy', 'oci-demo-app', 'oci-demo-app:latest')
		edit('replicas: 3', 'replicas: 1')
		const unrefreshed = ['push', 'sample-manifests', 'oci-demo-app:latest', '--no-refresh']
		const second = (await project.ok(...unrefreshed)).split('@')[1] ?? ''
		await kubectl.ok('annotate', ...APP, 'argocd.argoproj.io/refresh=normal')
		await application(new RegExp(`^Synced Healthy ${second}`))
		const annotations = await kubectl.ok('get', ...APP, '--output=jsonpath={.metadata.annotations}')
		expect(annotations).not.toContain('refresh')

		const settings = JSON.stringify({
			data: { 'timeout.reconciliation': '1s', 'timeout.reconciliation.jitter': '0s' },
		})
		await kubectl.ok('patch', 'configmap', 'argocd-cm', '--namespace=argocd', `--patch=${settings}`)
		// The new interval counts from the next look on.
		await kubectl.ok('annotate', ...APP, 'argocd.argoproj.io/refresh=normal')
		edit('replicas: 1', 'replicas: 2')
		const third = (await project.ok(...unrefreshed)).split('@')[1] ?? ''
		await application(new RegExp(`^Synced Healthy ${third}`))
	})

	it('a Kustomize directory is rendered', async () => {
		const directory = join(project.directory, 'kustomized')
		mkdirSync(directory)
		const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: "1"}\n'
		writeFileSync(join(directory, 'settings.yaml'), configMap)
		const kustomization = 'namePrefix: team-\nresources: [settings.yaml]\n'
		writeFileSync(join(directory, 'kustomization.yaml'), kustomization)
		await project.ok('push', 'kustomized', 'kustomized:v1')
		await project.ok('deploy', 'kustomized', 'kustomized:v1')
		const data = ['get', 'configmap', 'team-settings', '--namespace=kustomized']
		expect(await kubectl.ok(...data, '--output=jsonpath={.data.a}')).toBe('1')
	})

	it('an Application that is deleted takes along what it deployed', async () => {
		await kubectl.ok('delete', ...APP)
		expect((await kubectl.run('get', ...APP)).stderr).toContain('NotFound')
		expect((await kubectl.run('get', 'namespace', 'oci-demo-app')).stderr).toContain('NotFound')
	})

	it('down leaves nothing', async () => {
		await project.ok('down')
		expect(processesWith(join(project.directory, '.lading'))).toEqual([])
	})
})
