import { describe, expect, it } from 'vitest'
import { createDocker, type Docker } from './docker.ts'
import { ensureNodeRegistry, readsCertsDirectory } from './node-registry.ts'
import { playback } from './recorded.fixture.ts'

const registry = {
	server: 'kind-registry:5000',
	names: ['kind-registry:5000', 'localhost:5001'],
	ca: 'PEM\n',
}
const dockerThat = (
	answers: Parameters<typeof playback>[0],
): { readonly docker: Docker; readonly calls: string[] } => {
	const { run, calls } = playback(answers)
	return { docker: createDocker({ run, platform: 'linux' }), calls }
}
const hosts = (name: string): string =>
	`server = "https://kind-registry:5000"\n\n[host."https://kind-registry:5000"]\n  capabilities = ["pull", "resolve"]\n  ca = "/etc/containerd/certs.d/${name}/ca.crt"\n`

describe('ensureNodeRegistry', () => {
	it('writes hosts.toml and the CA under both names of the registry', async () => {
		const { docker, calls } = dockerThat({ 'docker exec node cat': { status: 1 }, 'docker exec': '' })
		expect(await ensureNodeRegistry(docker, 'node', registry)).toBe(true)
		const directory = '/etc/containerd/certs.d'
		expect(calls.slice(1)).toEqual([
			`docker exec node mkdir -p ${directory}/kind-registry:5000 ${directory}/localhost:5001`,
			`docker exec --interactive node cp /dev/stdin ${directory}/kind-registry:5000/ca.crt < PEM\n`,
			`docker exec --interactive node cp /dev/stdin ${directory}/kind-registry:5000/hosts.toml < ${hosts('kind-registry:5000')}`,
			`docker exec --interactive node cp /dev/stdin ${directory}/localhost:5001/ca.crt < PEM\n`,
			`docker exec --interactive node cp /dev/stdin ${directory}/localhost:5001/hosts.toml < ${hosts('localhost:5001')}`,
		])
	})

	it('writes nothing that is there already', async () => {
		const present = `PEM\n${hosts('kind-registry:5000')}PEM\n${hosts('localhost:5001')}`
		const { docker, calls } = dockerThat({ 'docker exec node cat': present })
		expect(await ensureNodeRegistry(docker, 'node', registry)).toBe(false)
		expect(calls).toHaveLength(1)
	})

	it.each([
		['      config_path = "/etc/containerd/certs.d"\n', true],
		["    config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n", true],
		['      config_path = ""\n', false],
		['', false],
	])('knows by %j whether containerd looks there', async (dump, expected) => {
		const { docker } = dockerThat({ 'docker exec node containerd config dump': dump })
		expect(await readsCertsDirectory(docker, 'node')).toBe(expected)
	})
})
