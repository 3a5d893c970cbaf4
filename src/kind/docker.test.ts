import { describe, expect, it } from 'vitest'
import { createDocker, type Docker } from './docker.ts'
import { inspected, playback, recorded } from './recorded.fixture.ts'

const dockerThat = (
	answers: Parameters<typeof playback>[0],
): { readonly docker: Docker; readonly calls: string[] } => {
	const { run, calls } = playback({ 'docker version': recorded.dockerVersion, ...answers })
	return { docker: createDocker({ run, platform: 'linux' }), calls }
}

describe('docker', () => {
	it('tells that it does not run from that there is no such thing', async () => {
		const none = dockerThat({
			'docker container inspect': recorded.noContainer,
			'docker volume inspect': recorded.noVolume,
			'docker network inspect': recorded.noNetwork,
		})
		expect(await none.docker.container('nosuch')).toBeUndefined()
		expect(await none.docker.volume('nosuch')).toBeUndefined()
		expect(await none.docker.network('nosuch')).toBeUndefined()
		const down = dockerThat({
			'docker version': recorded.dockerDown,
			'docker container inspect': { ...recorded.dockerDown, stdout: '[]\n' },
		})
		await expect(down.docker.container('nosuch')).rejects.toMatchObject({
			code: 'DOCKER_NOT_RUNNING',
			hint: 'sudo systemctl start docker',
			message: expect.stringContaining('Cannot connect to the Docker daemon'),
		})
	})

	it('reads a container', async () => {
		const { docker } = dockerThat({
			'docker container inspect kind-registry': inspected({
				labels: { 'lading.project': '/p' },
				mounts: ['/var/lib/registry'],
				networks: ['bridge', 'kind'],
				port: 5001,
			}),
		})
		expect(await docker.container('kind-registry')).toMatchObject({
			name: 'kind-registry',
			image: 'registry:3',
			running: true,
			labels: { 'lading.project': '/p' },
			mounts: ['/var/lib/registry'],
			networks: ['bridge', 'kind'],
			ports: { '5000/tcp': 5001 },
		})
	})

	it('counts those that stand still as attached to a network', async () => {
		const { docker } = dockerThat({
			'docker network inspect kind': '[{"Name": "kind", "Containers": {}}]',
			'docker ps --all --filter network=kind --format {{.Names}}': 'lading-control-plane\n',
		})
		expect(await docker.network('kind')).toEqual(['lading-control-plane'])
	})

	it('says why an image cannot be had', async () => {
		const { docker } = dockerThat({ 'docker create': recorded.noImage })
		const spec = { name: 'r', image: 'nosuch/image:1', labels: {}, env: {}, volumes: {}, ports: {} }
		await expect(docker.create(spec)).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			message: expect.stringMatching(/r cannot be made of nosuch\/image:1: Error response.*no such host/),
			hint: expect.stringContaining('docker pull nosuch/image:1'),
		})
	})

	it('does not ask to remove what is not there: docker rm --force answers yes to that', async () => {
		const { docker, calls } = dockerThat({ 'docker container inspect': recorded.noContainer })
		expect(await docker.remove('nosuch')).toBe(false)
		expect(calls.some((line) => line.startsWith('docker rm'))).toBe(false)
	})

	it('refuses an answer that it cannot read', async () => {
		const { docker } = dockerThat({ 'docker container inspect': '[{"Id": 5}]' })
		await expect(docker.container('x')).rejects.toMatchObject({ code: 'TOOL_FAILED' })
	})
})
