import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { explain, explanationRows, parseApplication } from '../../src/argocd/index.ts'
import { MediaType } from '../../src/oci/index.ts'
import { type Ended, program, type Project } from '../e2e/program.ts'
import { tar } from './acceptance/tar.ts'
import { onRealStack } from './stack/index.ts'
import { request } from './stack/until.ts'

const labelsOf = (app: string): object => ({ matchLabels: { app } })
const template = (app: string, spec: object = {}): object => ({
	metadata: { labels: { app } },
	spec: { containers: [{ name: 'web', image: 'example.com/web' }], ...spec },
})
/** No node has it. */
const nowhere = { nodeSelector: { 'lading.test/disk': 'golden' } }
const deployment = (name: string, spec: object): object => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name },
	spec: { selector: labelsOf(name), ...spec },
})
const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

onRealStack('what is deployed and does not run', (stack) => {
	const { tls } = stack.registries
	const cluster = ['--cluster', stack.cluster]
	const flags = [...tls.flags, ...cluster]
	const deployed: string[] = []
	const projects = new Map<string, Project>()
	/** One for each: two commands in one project wait for each other. */
	const projectOf = (name: string): Project => {
		const project = projects.get(name) ?? stack.projectHere()
		projects.set(name, project)
		return project
	}

	beforeAll(() => stack.projectHere().ok('trust', tls.host, ...flags))
	afterAll(async () => {
		await Promise.all(deployed.map((name) => projectOf(name).run('undeploy', name, ...cluster)))
	})

	async function push(name: string, objects: readonly object[], tag = 'v1'): Promise<string> {
		const directory = join(projectOf(name).directory, `${name}-${tag}`)
		mkdirSync(directory, { recursive: true })
		for (const [index, object] of objects.entries())
			writeFileSync(join(directory, `${index}.yaml`), JSON.stringify(object, undefined, 2))
		await projectOf(name).ok('push', directory, `${tls.host}/${name}:${tag}`, ...tls.flags)
		return `${tls.host}/${name}:${tag}`
	}

	async function deploy(name: string, objects: readonly object[], ...more: string[]): Promise<Ended> {
		const reference = await push(name, objects)
		deployed.push(name)
		return await projectOf(name).run('deploy', name, reference, ...flags, ...more)
	}

	/** `sync` that gives up soon, though not before Argo CD has looked once. */
	async function giveUp(name: string): Promise<Ended> {
		for (const timeout of ['4s', '7s', '15s']) {
			const ended = await projectOf(name).run('sync', name, ...flags, '--timeout', timeout)
			if (!/not compared it yet|Missing after/.test(ended.stderr)) return ended
		}
		return await projectOf(name).run('sync', name, ...flags, '--timeout', '60s')
	}

	it.concurrent('a pod that no node takes: timed out, and why it is still Progressing', async () => {
		const name = 'homeless'
		await deploy(name, [deployment(name, { template: template(name, nowhere) })], '--no-wait')
		const ended = await giveUp(name)
		expect(ended.code, ended.stderr).toBe(8)
		expect(ended.stderr).toContain('is Synced')
		expect(ended.stderr).toMatch(/Progressing after \d+ s/)
		expect(ended.stderr).toMatch(/Pod homeless-\S+: Unschedulable: 0\/1 nodes are available/)
		expect(ended.stderr).toContain(`lading status ${name}`)
		const status = await projectOf(name).run('status', name, '--exit-code', ...cluster)
		expect(status.code).toBe(1)
		expect(status.stdout).toContain('Unschedulable')
		const doctor = await projectOf(name).run('doctor', name, ...flags)
		expect(doctor.stdout).toContain('Unschedulable')
	})

	it.concurrent('a Deployment past its deadline: Degraded, and why', async () => {
		const name = 'too-late'
		const spec = { progressDeadlineSeconds: 1, minReadySeconds: 0, template: template(name, nowhere) }
		const ended = await deploy(name, [deployment(name, spec)], '--timeout', '60s')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('is Synced and Degraded')
		expect(ended.stderr).toContain('Unschedulable')
		expect(ended.stderr).toContain(`lading status ${name}`)
		const doctor = await projectOf(name).run('doctor', name, ...flags)
		expect(doctor.code).toBe(1)
		expect(doctor.stdout).toContain('Unschedulable')
	})

	it.concurrent('pods that a quota does not allow: they are named', async () => {
		const name = 'too-many'
		await stack.apply(
			{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
			{
				apiVersion: 'v1',
				kind: 'ResourceQuota',
				metadata: { name: 'none', namespace: name },
				spec: { hard: { pods: '0' } },
			},
		)
		await deploy(name, [deployment(name, { template: template(name) })], '--no-wait')
		const ended = await giveUp(name)
		expect(ended.code, ended.stderr).toBe(8)
		expect(ended.stderr).toContain('exceeded quota: none')
	})

	it.concurrent('a hook that fails: the sync fails with it, and it is named', async () => {
		const name = 'migrate'
		const job = {
			apiVersion: 'batch/v1',
			kind: 'Job',
			metadata: { name, annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
			spec: {
				activeDeadlineSeconds: 1,
				template: template(name, { ...nowhere, restartPolicy: 'Never' }),
			},
		}
		const reference = await push(name, [configMap(name), job])
		deployed.push(name)
		await projectOf(name).ok('deploy', name, reference, ...flags, '--manual')
		const ended = await projectOf(name).run('sync', name, ...flags, '--timeout', '60s')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('A hook failed, and the sync with it. Job migrate: ')
		expect(ended.stderr).toContain('Job was active longer than specified deadline')
		const { applications } = await projectOf(name).json('status', name, ...cluster)
		expect(applications).toMatchObject([
			{ explanations: [{ cause: 'manual-sync' }, { cause: 'hook-failed' }] },
		])
		expect((await projectOf(name).run('doctor', name, ...flags)).stdout).toContain('A hook failed')
	})

	it.concurrent('a wave that does not get well: the next is not applied', async () => {
		const name = 'in-waves'
		const annotations = { 'argocd.argoproj.io/sync-wave': '1' }
		const first = deployment(name, { progressDeadlineSeconds: 1, template: template(name, nowhere) })
		const reference = await push(name, [first, { ...configMap(name), metadata: { name, annotations } }])
		deployed.push(name)
		await projectOf(name).ok('deploy', name, reference, ...flags, '--manual')
		const ended = await projectOf(name).run('sync', name, ...flags, '--timeout', '60s')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('exceeded its progress deadline')
		const { applications } = await projectOf(name).json('status', name, ...cluster)
		expect(JSON.stringify(applications)).toContain('"cause":"tasks-failed"')
	})

	it.concurrent('a version without objects: Argo CD deletes nothing, and says so', async () => {
		const name = 'emptied'
		const first = await deploy(name, [configMap(name)])
		expect(first.code, first.stderr).toBe(0)
		// lading pushes no such thing.
		const directory = stack.directory('empty')
		writeFileSync(join(directory, 'empty.tar'), tar({ path: 'notes.txt', content: 'nothing' }))
		const layer = `empty.tar:${MediaType.layerTar}`
		const oras = ['push', '--ca-file', tls.caPath ?? '', `${tls.host}/${name}:v2`, layer]
		const pushed = await program(join(stack.data.bin, 'oras'), oras, { cwd: directory })
		expect(pushed.code, pushed.stderr).toBe(0)
		const ended = await projectOf(name).run('sync', name, 'v2', ...flags, '--timeout', '30s')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('does not delete everything by itself')
		expect(ended.stderr).toContain(`lading undeploy ${name}`)
	})

	it.concurrent('a namespace that is being deleted', async () => {
		const name = 'leaving'
		await stack.apply(
			{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
			{ ...configMap('held'), metadata: { name: 'held', namespace: name, finalizers: ['lading.test/held'] } },
		)
		await stack.kubectl('delete', 'namespace', name, '--wait=false')
		const reference = await push(name, [configMap(name)])
		deployed.push(name)
		await projectOf(name).ok('deploy', name, reference, ...flags, '--manual')
		const ended = await projectOf(name).run('sync', name, ...flags, '--timeout', '60s')
		const release = [
			'patch',
			'configmap',
			'held',
			'-n',
			name,
			'--type=merge',
			'-p',
			'{"metadata":{"finalizers":null}}',
		]
		await stack.kubectl(...release)
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain(`The namespace ${name} is being deleted.`)
		expect(ended.stderr).toContain(`kubectl get namespace ${name}`)
	})

	it.concurrent('a sync to another revision than auto-sync has: the words of Argo CD’s API are known', async () => {
		const name = 'kept'
		const first = await deploy(name, [configMap(name)])
		expect(first.code, first.stderr).toBe(0)
		const answer = await request(`${stack.argocd.url}/api/v1/applications/${name}/sync`, {
			method: 'POST',
			headers: { authorization: `Bearer ${stack.argocd.token}`, 'content-type': 'application/json' },
			body: JSON.stringify({ revision: 'v2' }),
			caPath: stack.argocd.caPath,
		})
		expect(answer.status).toBe(400)
		const row = explanationRows.find(({ cause }) => cause === 'auto-sync-blocks')
		expect(answer.body).toMatch(row?.pattern ?? /$^/)
	})

	it.concurrent('two hundred resources that fail are told once', async () => {
		// Each of them is in the status; a person reads one.
		const name = 'many'
		const object = (index: number): object => ({
			apiVersion: 'nope.example/v1',
			kind: 'Nope',
			metadata: { name: `${name}-${index}` },
		})
		const reference = await push(
			name,
			Array.from({ length: 200 }, (_, index) => object(index)),
		)
		deployed.push(name)
		await projectOf(name).ok('deploy', name, reference, ...flags, '--manual')
		const ended = await projectOf(name).run('sync', name, ...flags, '--timeout', '60s')
		expect(ended.code, ended.stderr).toBe(1)
		const live = await stack.kubectl('get', 'application', name, '-n', 'argocd', '-o', 'json')
		const found = explain(parseApplication(JSON.parse(live)))
		expect(found.map(({ cause }) => cause)).toEqual(['manual-sync', 'crd-missing'])
	})
})
