import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject } from '../e2e/program.ts'
import { machine } from './stack/index.ts'
import { docker, namesOf, ok } from './tools.ts'

const { nodeImage, registryImage, argocdManifest } = machine()
const project = createProject()
const { directory } = project
const kubeconfig = join(directory, 'own-kubeconfig')
const own = async (...args: readonly string[]): Promise<string> =>
	await ok(directory, 'kubectl', '--kubeconfig', kubeconfig, ...args)

beforeAll(async () => {
	await ok(
		directory,
		'kind',
		'create',
		'cluster',
		'--name',
		'mine',
		'--image',
		nodeImage,
		'--kubeconfig',
		kubeconfig,
	)
	await docker('create', '--name', 'kind-registry', registryImage)
})

afterAll(async () => {
	// From the directory of the project, and so before it is removed.
	await ok(directory, 'kind', 'delete', 'cluster', '--name', 'mine', '--kubeconfig', kubeconfig)
	await docker('rm', '--force', '--volumes', 'kind-registry')
	await project.remove()
})

describe.sequential('a cluster and a registry of the user’s own', () => {
	it('gets no Argo CD from lading, and is told how', async () => {
		const refused = await project.run('up', '--cluster', 'kind:mine')
		expect(refused.code).toBe(6)
		expect(refused.stderr).toContain("the kind cluster mine is not lading's, and has no Argo CD in argocd")
		expect(refused.stderr).toContain('kubectl --context kind-mine create namespace argocd')
	})

	it('is used as it is', async () => {
		await own('create', 'namespace', 'argocd')
		await own('apply', '-n', 'argocd', '--server-side', '-f', argocdManifest)
		const text = await project.ok('up', '--cluster', 'kind:mine')
		expect(text).toContain('oci-demo-app is Synced and Healthy')
		const url = await own(
			'get',
			'application',
			'oci-demo-app',
			'-n',
			'argocd',
			'-o',
			'jsonpath={.spec.source.repoURL}',
		)
		expect(url).toMatch(/^oci:\/\/lading-registry-[0-9a-f]{8}:5000\/oci-demo-app$/)
		expect(await project.ok('cluster', 'status')).toContain('never removed')
	})

	it('stays, with what is in it, when lading goes', async () => {
		await project.ok('down')
		expect([...(await namesOf('container'))].sort()).toEqual(['kind-registry', 'mine-control-plane'])
		expect(await namesOf('network')).toContain('kind')
		expect(await own('get', 'applications', '-A', '-o', 'name')).toBe('')
		expect(await own('get', 'configmaps', '-n', 'kube-public', '-o', 'name')).not.toContain('local-registry')
		await own('get', 'deployment', 'argocd-repo-server', '-n', 'argocd')
		expect(existsSync(join(directory, '.lading'))).toBe(false)
		expect(readFileSync(kubeconfig, 'utf8')).toContain('kind-mine')
	})
})
