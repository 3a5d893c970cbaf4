import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { createKind, withMark, withRegistryDirectory } from './kind-tool.ts'
import { playback, recorded } from './recorded.fixture.ts'

describe('kind', () => {
	it('reads what kind answers', async () => {
		const { run } = playback({
			'kind version': recorded.kindVersion,
			'kind get nodes': [recorded.noNodes, 'lading-control-plane\n'],
		})
		const kind = createKind({ run })
		expect(await kind.version()).toBe('0.33.0')
		expect(await kind.nodes('lading')).toEqual([])
		expect(await kind.nodes('lading')).toEqual(['lading-control-plane'])
	})

	it('lets kind neither write into the user’s kubeconfig nor remove by a name, and marks the nodes', async () => {
		const { run, calls } = playback({ 'kind create': '' })
		await createKind({ run }).create({
			name: 'lading',
			kubeconfig: '/p/.lading/kubeconfig',
			mark: 'm1',
			image: 'kindest/node:v1.37.0',
		})
		const [line, config] = calls[0]?.split(' < ') ?? []
		expect(line).toBe(
			'kind create cluster --name lading --kubeconfig /p/.lading/kubeconfig --retain --image kindest/node:v1.37.0 --config -',
		)
		expect(load(config ?? '')).toMatchObject({
			nodes: [{ extraMounts: [{ containerPath: '/opt/lading/m1' }] }],
		})
	})

	it('passes on what stops kind', async () => {
		const { run } = playback({
			'kind create': {
				status: 1,
				stderr:
					'Creating cluster "lading" ...\n • Ensuring node image (nosuch:1) 🖼  ...\n ✗ Ensuring node image (nosuch:1) 🖼\nERROR: failed to create cluster: failed to pull image "nosuch:1": command "docker pull nosuch:1" failed with error: exit status 1\n',
			},
		})
		await expect(
			createKind({ run }).create({ name: 'lading', kubeconfig: 'k', mark: 'm1' }),
		).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			message: expect.stringMatching(/^kind cannot make the cluster lading: ERROR: failed to create cluster/),
		})
	})
})

describe('withRegistryDirectory', () => {
	const patchesOf = (text: string): unknown =>
		(load(text) as { containerdConfigPatches?: unknown }).containerdConfigPatches

	it('makes containerd read certs.d, and keeps what the user has', () => {
		expect(patchesOf(withRegistryDirectory(undefined))).toEqual([expect.stringContaining('config_path')])
		const own =
			'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}]\n'
		const result = load(withRegistryDirectory(own)) as { nodes: unknown[] }
		expect(result.nodes).toHaveLength(2)
		expect(patchesOf(withRegistryDirectory(own))).toHaveLength(1)
		const patched = `${own}containerdConfigPatches:\n- 'config_path = "/x"'\n`
		expect(withRegistryDirectory(patched)).toBe(patched)
	})

	it.each(['kind: [', 'kind: Deployment', 'apiVersion: kind.x-k8s.io/v1alpha4', '- a'])(
		'refuses %j',
		(text) => {
			expect(() => withRegistryDirectory(text)).toThrow('the kind configuration is not valid')
		},
	)
})

describe('withMark', () => {
	const mount = { hostPath: '/lib/modules', containerPath: '/opt/lading/m1', readOnly: true }

	it('makes the one node that kind would make, with the mark', () => {
		expect(load(withMark('kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n', 'm1'))).toEqual({
			kind: 'Cluster',
			apiVersion: 'kind.x-k8s.io/v1alpha4',
			nodes: [{ role: 'control-plane', extraMounts: [mount] }],
		})
	})

	it('keeps the nodes and the mounts that the user has', () => {
		const own = [
			'kind: Cluster',
			'apiVersion: kind.x-k8s.io/v1alpha4',
			'nodes:',
			'- {role: control-plane, image: "kindest/node:v1.37.0"}',
			'- {role: worker, extraMounts: [{hostPath: /a, containerPath: /b}]}',
		].join('\n')
		expect(load(withMark(own, 'm1'))).toMatchObject({
			nodes: [
				{ role: 'control-plane', image: 'kindest/node:v1.37.0', extraMounts: [mount] },
				{ role: 'worker', extraMounts: [{ hostPath: '/a', containerPath: '/b' }, mount] },
			],
		})
	})
})
