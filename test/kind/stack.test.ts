import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { program } from '../e2e/program.ts'
import { machine } from './stack/index.ts'

const { nodeImage, registryImage, argocdManifest, argocdVersion } = machine()
const directory = mkdtempSync(join(tmpdir(), 'stack-'))
const env = { KUBECONFIG: join(directory, 'kubeconfig') }
const cluster = 'stack-itself'
const WORKLOADS = [
	...[
		'redis',
		'repo-server',
		'server',
		'applicationset-controller',
		'notifications-controller',
		'dex-server',
	].map((name) => `deployment/argocd-${name}`),
	'statefulset/argocd-application-controller',
]

async function ok(command: string, ...args: readonly string[]): Promise<string> {
	const { code, stdout, stderr } = await program(command, args, { cwd: directory, env })
	if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
	return stdout.trim()
}

afterAll(async () => {
	await program('kind', ['delete', 'cluster', '--name', cluster], { cwd: directory, env })
	rmSync(directory, { recursive: true, force: true })
})

// What the other files of this folder stand on, without lading: when these fail, look here first.
describe.sequential('the machine of the tests on kind', () => {
	it('has an engine that nothing else uses, with these images alone', async () => {
		expect(await ok('docker', 'ps', '--all', '--quiet')).toBe('')
		const images = await ok('docker', 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
		expect(images.split('\n').sort()).toEqual([nodeImage, registryImage].sort())
	})

	it('runs the registry', async () => {
		const id = await ok('docker', 'run', '--detach', '--publish', '127.0.0.1::5000', registryImage)
		try {
			const port = await ok('docker', 'port', id, '5000/tcp')
			await expect.poll(() => fetch(`http://${port}/v2/`).then(({ status }) => status, String)).toBe(200)
		} finally {
			await ok('docker', 'rm', '--force', '--volumes', id)
		}
	})

	it('makes a cluster', async () => {
		await ok('kind', 'create', 'cluster', '--name', cluster, '--image', nodeImage, '--wait', '300s')
		await ok(
			'kubectl',
			'--namespace=kube-system',
			'rollout',
			'status',
			'deployment/coredns',
			'--timeout=240s',
		)
		expect(await ok('kubectl', 'get', 'nodes', '--output=name')).toBe(`node/${cluster}-control-plane`)
	})

	it('has all that Argo CD wants for its own manifest as it is', async () => {
		await ok('kubectl', 'create', 'namespace', 'argocd')
		await ok('kubectl', 'apply', '--namespace=argocd', '--server-side', '--filename', argocdManifest)
		for (const workload of WORKLOADS)
			await ok('kubectl', '--namespace=argocd', 'rollout', 'status', workload, '--timeout=400s')
		const server = ['--namespace=argocd', 'exec', 'deployment/argocd-server', '--']
		expect(await ok('kubectl', ...server, 'argocd', 'version', '--client', '--short')).toContain(
			argocdVersion,
		)
	})

	it('runs the image of the sample, which a Pod gets by its real name', async () => {
		await ok('kubectl', 'run', 'web', '--image=nginx:1.29-alpine', '--image-pull-policy=Always')
		await ok('kubectl', 'wait', '--for=condition=Ready', 'pod/web', '--timeout=120s')
		expect(await ok('kubectl', 'exec', 'web', '--', 'curl', '-sf', 'http://127.0.0.1/')).toContain('nginx')
	})

	it('deletes the cluster', async () => {
		await ok('kind', 'delete', 'cluster', '--name', cluster)
		expect(await ok('docker', 'ps', '--all', '--quiet')).toBe('')
	})
})
