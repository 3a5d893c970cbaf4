import { describe, expect, it } from 'vitest'
import { createDocker } from './docker.ts'
import { inspected, playback, recorded } from './recorded.fixture.ts'
import { attach, ensureRegistryContainer, type RegistryContainerSpec } from './registry-container.ts'

const spec: RegistryContainerSpec = {
	name: 'kind-registry',
	image: 'registry:3',
	port: 5001,
	volume: 'lading-registry-1a2b3c4d',
	project: '/p/.lading',
	certificate: { certFile: '/p/server.crt', keyFile: '/p/server.key', fingerprint: 'AA:BB' },
}
const labels = {
	'app.kubernetes.io/managed-by': 'lading',
	'lading.project': '/p/.lading',
	'lading.certificate': 'AA:BB',
}
const make = [
	'docker create --name kind-registry --restart unless-stopped --label app.kubernetes.io/managed-by=lading --label lading.project=/p/.lading --label lading.certificate=AA:BB --env REGISTRY_HTTP_ADDR=:5000 --env REGISTRY_HTTP_TLS_CERTIFICATE=/lading-registry.crt --env REGISTRY_HTTP_TLS_KEY=/lading-registry.key --env REGISTRY_STORAGE_DELETE_ENABLED=true --env OTEL_TRACES_EXPORTER=none --volume lading-registry-1a2b3c4d:/var/lib/registry --publish 127.0.0.1:5001:5000 registry:3',
	'docker cp /p/server.key kind-registry:/lading-registry.key',
	'docker cp /p/server.crt kind-registry:/lading-registry.crt',
	'docker start kind-registry',
]

async function ensure(
	answers: Parameters<typeof playback>[0],
): Promise<{ readonly outcome: string; readonly calls: readonly string[] }> {
	const { run, calls } = playback({ 'docker version': recorded.dockerVersion, ...answers })
	const outcome = await ensureRegistryContainer(createDocker({ run, platform: 'linux' }), spec)
	const looks = /^docker (?:version|container inspect|volume inspect)/
	return { outcome, calls: calls.filter((line) => !looks.test(line)) }
}
const works = { 'docker create': '', 'docker cp': '', 'docker start': '', 'docker volume create': '' }

describe('ensureRegistryContainer', () => {
	it('makes a volume, a container with its certificate, and starts it', async () => {
		const { outcome, calls } = await ensure({
			...works,
			'docker container inspect': recorded.noContainer,
			'docker volume inspect': recorded.noVolume,
		})
		expect(outcome).toBe('made')
		expect(calls).toEqual([
			'docker volume create --label app.kubernetes.io/managed-by=lading --label lading.project=/p/.lading lading-registry-1a2b3c4d',
			...make,
		])
	})

	it('does nothing where it runs as it was asked for', async () => {
		const there = inspected({ labels, port: 5001 })
		expect(await ensure({ 'docker container inspect': there })).toEqual({ outcome: 'unchanged', calls: [] })
	})

	it('starts one that was stopped', async () => {
		const there = inspected({ labels, port: 5001, status: 'exited' })
		expect(await ensure({ ...works, 'docker container inspect': there })).toEqual({
			outcome: 'started',
			calls: ['docker start kind-registry'],
		})
	})

	it.each([
		['another port', { port: 5000 }],
		['another image', { image: 'registry:2' }],
		['another certificate', { labels: { ...labels, 'lading.certificate': 'CC' } }],
		['one whose maker was interrupted', { status: 'created' as const }],
	])('makes it anew on the same volume: %s', async (_, differs) => {
		const { outcome, calls } = await ensure({
			...works,
			'docker rm': '',
			'docker container inspect': inspected({ labels, port: 5001, ...differs }),
			'docker volume inspect': JSON.stringify([{ Name: spec.volume, Labels: labels }]),
		})
		expect(outcome).toBe('made')
		expect(calls).toEqual(['docker rm --force --volumes kind-registry', ...make])
	})

	it('leaves one alone that is somebody else’s', async () => {
		const there = inspected({ labels: { ...labels, 'lading.project': '/other/.lading' }, port: 5000 })
		const refused = ensure({ 'docker container inspect': there })
		await expect(refused).rejects.toMatchObject({ code: 'NAME_TAKEN' })
	})

	it('says what Docker says when it does not start', async () => {
		const refused = ensure({
			...works,
			'docker container inspect': recorded.noContainer,
			'docker volume inspect': recorded.noVolume,
			'docker start': recorded.portTaken,
		})
		await expect(refused).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			message: expect.stringContaining('port is already allocated'),
		})
	})
})

describe('attach', () => {
	it('attaches once', async () => {
		const { run, calls } = playback({
			'docker container inspect': [inspected(), inspected({ networks: ['bridge', 'kind'] })],
			'docker network connect': '',
		})
		const docker = createDocker({ run, platform: 'linux' })
		const pair = { network: 'kind', container: 'kind-registry' }
		expect(await attach(docker, pair)).toBe(true)
		expect(await attach(docker, pair)).toBe(false)
		expect(calls.filter((line) => line.includes('connect'))).toEqual([
			'docker network connect kind kind-registry',
		])
	})
})
