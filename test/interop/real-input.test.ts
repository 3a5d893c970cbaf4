import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Project } from '../e2e/program.ts'
import { openGoModule, type GoModule } from './go-module.ts'
import { kubectlOf, type Kubectl } from './kubectl.ts'

const ADDONS = 'cluster/addons/'
/** What the scripts that install the add-ons fill in: such a file is a template, not a manifest. */
const PLACEHOLDER = /\{\{|__PILLAR__|\$[A-Z_]{2,}/

interface Report {
	readonly accepted: boolean
	readonly findings: readonly { readonly rule: string; readonly severity: string; readonly file?: string }[]
	readonly resources: readonly { readonly kind: string; readonly name: string; readonly file: string }[]
}

/** Manifests that were written for other eyes than ours, over the whole road. */
describe.sequential('real manifests', () => {
	let project: Project
	let kubectl: Kubectl
	let argo: GoModule
	let kubernetes: GoModule

	beforeAll(async () => {
		project = createProject()
		kubectl = kubectlOf(project)
		argo = await openGoModule('github.com/argoproj/argo-cd/v3', 'v3.6.1')
		kubernetes = await openGoModule('k8s.io/kubernetes', 'v1.37.2')
		await project.ok('up')
	}, 180_000)
	afterAll(async () => {
		await argo.close()
		await kubernetes.close()
		await project.remove()
	})

	const write = (path: string, bytes: Uint8Array): void => {
		const full = join(project.directory, path)
		mkdirSync(dirname(full), { recursive: true })
		writeFileSync(full, bytes)
	}
	const check = async (...args: string[]): Promise<Report> =>
		JSON.parse((await project.run('check', ...args, '--json')).stdout) as Report
	const statusOf = (name: string): Promise<string> => {
		const fields = '{.status.sync.status} {.status.health.status} {.status.sync.revision}'
		return kubectl.ok('get', 'app', name, '--namespace=argocd', `--output=jsonpath=${fields}`)
	}
	const pods = (namespace: string): Promise<string> =>
		kubectl.ok('get', 'pods', `--namespace=${namespace}`, '--no-headers')

	it("Argo CD's own manifests: checked, pushed, deployed, Healthy", async () => {
		write('argo/install.yaml', await argo.read('manifests/install.yaml'))
		const report = await check('argo')
		expect(report.accepted).toBe(true)
		// Its Secret is made by an init container.
		const redis = { rule: 'reference-missing', severity: 'note' }
		expect(report.findings).toMatchObject([{ rule: 'needs-server-side', severity: 'warn' }, redis])
		expect(report.resources).toHaveLength(60)
		expect((await check('argo', '--server-side')).findings).toMatchObject([redis])

		const [, digest = ''] = (await project.ok('push', 'argo', 'argo:v3.6.1')).split('@')
		await project.ok('deploy', 'argo', 'argo:v3.6.1', '--server-side', '--namespace=argo')
		expect(await statusOf('argo')).toBe(`Synced Healthy ${digest}`)
		expect((await pods('argo')).match(/ 1\/1 +Running /g)).toHaveLength(7)
		const crds = await kubectl.ok(
			'get',
			'crds',
			'--output=name',
			'--selector=app.kubernetes.io/part-of=argocd',
		)
		expect(crds.split('\n')).toHaveLength(3)
	})

	it('without server-side apply it is refused before anything is made, with the way out', async () => {
		const { code, stderr } = await project.run('deploy', 'client', 'argo:v3.6.1')
		expect(code).toBe(1)
		expect(stderr).toContain('--server-side')
		expect((await project.run('status', 'client')).code).toBe(7)
	})

	it('the add-ons of Kubernetes: every one whose files are manifests', async () => {
		const files = kubernetes.files.filter((path) => path.startsWith(ADDONS) && path.endsWith('.yaml'))
		expect(files.length).toBeGreaterThan(50)
		const contents = new Map<string, Buffer>()
		for (const path of files) contents.set(path.slice(ADDONS.length), await kubernetes.read(path))
		const addonOf = (path: string): string => path.split('/')[0] ?? ''
		const templates = new Set(
			[...contents].filter(([, bytes]) => PLACEHOLDER.test(bytes.toString())).map(([path]) => addonOf(path)),
		)
		const whole = [...contents].filter(([path]) => !templates.has(addonOf(path)))
		const addons = [...new Set(whole.map(([path]) => addonOf(path)))]
		expect(addons).toEqual(expect.arrayContaining(['calico-policy-controller', 'volumesnapshots', 'rbac']))
		for (const [path, bytes] of whole) write(join('addons', path), bytes)

		const report = await check('addons', '--recurse')
		// Written by others and in use: whatever is said of them but that two are there twice is a false alarm.
		expect(report.findings.filter(({ rule }) => rule !== 'resource-repeated')).toEqual([])
		const seen = new Set(report.resources.map(({ file }) => file))
		expect(whole.map(([path]) => path).filter((path) => !seen.has(path))).toEqual([])

		const [, digest = ''] = (await project.ok('push', 'addons', 'addons:v1.37.2', '--recurse')).split('@')
		await project.ok('deploy', 'addons', 'addons:v1.37.2', '--recurse', '--namespace=kube-system')
		expect(await statusOf('addons')).toBe(`Synced Healthy ${digest}`)
		for (const line of (await pods('kube-system')).split('\n')) expect(line).toMatch(/ (\d)\/\1 +Running /)
	})

	it('its templates are refused, or taken as what they are', async () => {
		const templates = kubernetes.files.filter((path) =>
			/cluster\/addons\/(fluentd-gcp|metadata-agent)\/.*\.yaml$/.test(path),
		)
		for (const path of templates) write(path.replace(ADDONS, 'templates/'), await kubernetes.read(path))
		const report = await check('templates', '--recurse')
		expect(report.accepted).toBe(false)
		const refused = report.findings.filter(({ severity }) => severity === 'refuse')
		expect(refused.map(({ rule, file }) => `${rule} ${file}`).toSorted()).toEqual([
			'yaml-unparsable fluentd-gcp/fluentd-gcp-ds.yaml',
			'yaml-unparsable metadata-agent/stackdriver/metadata-agent.yaml',
		])
	})
})
