import { createServer } from 'node:net'
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startDockerRegistry, stopDockerRegistry } from '../../src/flows/docker-registry.ts'
import { down } from '../../src/flows/down.ts'
import type { DockerRegistryState } from '../../src/flows/state.ts'
import { type Answer, inspected, type PlayedAnswer, recorded } from '../../src/kind/recorded.fixture.ts'
import {
	createProject,
	nodes,
	ON_NETWORK,
	type PlayedProject,
	REGISTRIES,
	servePlayedRegistry,
} from './played-kind.ts'

let project: PlayedProject
let servers: { close(): Promise<void> }[] = []

beforeEach(() => {
	project = createProject()
})
afterEach(async () => {
	for (const server of servers) await server.close()
	servers = []
	project.remove()
})

const registry = (): DockerRegistryState | undefined => {
	const state = project.workspace.state().registry
	return state?.kind === 'docker' ? state : undefined
}
const labels = (): Record<string, string> => ({
	'app.kubernetes.io/managed-by': 'lading',
	'lading.project': project.workspace.directory,
})

interface Engine {
	readonly answers: Readonly<Record<string, PlayedAnswer | readonly PlayedAnswer[]>>
	/** Of this machine; once it is made. */
	readonly port: () => number
}

/** Docker that makes one container, which serves as soon as it is started. */
function engine(name: string): Engine {
	let port = 0
	let fingerprint = ''
	let status: 'created' | 'running' | undefined
	let volume: Answer = recorded.noVolume
	const container = (): Answer =>
		status === undefined
			? recorded.noContainer
			: inspected({
					name,
					port,
					status,
					labels: { ...labels(), 'lading.certificate': fingerprint },
					networks: ['bridge', 'kind'],
				})
	return {
		port: () => port,
		answers: {
			[`docker container inspect ${name}`]: container,
			'docker container inspect r1': container,
			[REGISTRIES]: () => (status === undefined ? '' : 'r1\n'),
			'docker volume inspect': () => volume,
			'docker volume create': () => {
				volume = JSON.stringify([{ Labels: labels() }])
				return ''
			},
			'docker volume rm': '',
			'docker create': (call) => {
				port = Number(/127\.0\.0\.1:(\d+):5000/.exec(call)?.[1])
				fingerprint = /lading\.certificate=(\S+)/.exec(call)?.[1] ?? ''
				status = 'created'
				return ''
			},
			'docker cp': '',
			'docker start': async () => {
				servers.push(await servePlayedRegistry(project.workspace, port))
				status = 'running'
				return ''
			},
			'docker stop': '',
			[`docker rm --force --volumes ${name}`]: () => {
				status = undefined
				return ''
			},
		},
	}
}

const verbs = (calls: readonly string[]): readonly string[] =>
	calls.map((call) => /^docker (?:(?:volume|network) )?\w+/.exec(call)?.[0] ?? call)

describe('startDockerRegistry', () => {
	it('makes the container and its volume, and finds nothing to do afterwards', async () => {
		const { answers, port } = engine('kind-registry')
		const first = project.play(answers)
		const started = await startDockerRegistry(first.session)
		const endpoint = { push: `localhost:${port()}`, cluster: 'kind-registry:5000' }
		expect(started).toMatchObject({ container: 'kind-registry', started: true, endpoint })
		expect(verbs(first.changes())).toEqual([
			'docker volume create',
			'docker create',
			'docker cp',
			'docker cp',
			'docker start',
		])
		expect(first.changes()[0]).toContain(`--label lading.project=${project.workspace.directory}`)
		expect(registry()).toEqual({
			kind: 'docker',
			endpoint,
			container: 'kind-registry',
			volume: expect.stringMatching(/^lading-registry-[0-9a-f]{8}$/),
			image: 'registry:3',
		})
		expect(existsSync(project.workspace.paths.ca)).toBe(true)
		const again = project.play(answers)
		expect(await startDockerRegistry(again.session)).toMatchObject({ started: false, endpoint })
		expect(again.changes()).toEqual([])
	})

	it('leaves a kind-registry of somebody else’s alone, and has another name', async () => {
		const foreign = inspected({ labels: { 'lading.project': '/other/.lading' } })
		const { answers } = engine('lading-registry-')
		const play = project.play({ 'docker container inspect kind-registry': foreign, ...answers })
		const { container } = await startDockerRegistry(play.session)
		expect(container).toMatch(/^lading-registry-[0-9a-f]{8}$/)
		expect(play.changes().filter((call) => call.includes('kind-registry'))).toEqual([])
	})

	it('tells of an image that cannot be had, does not keep it, and is taken up again', async () => {
		const { answers } = engine('kind-registry')
		const play = project.play({ ...answers, 'docker create': recorded.noImage })
		await expect(startDockerRegistry(play.session, { image: 'nosuch/image:1' })).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			hint: expect.stringContaining('docker pull nosuch/image:1'),
		})
		expect(registry()).toMatchObject({ container: 'kind-registry', image: 'registry:3' })
		const next = project.play(answers)
		expect(await startDockerRegistry(next.session)).toMatchObject({ started: true, image: 'registry:3' })
		expect(verbs(next.changes())).not.toContain('docker volume create')
	})

	it('removes the container that a taken port keeps from starting, and tries another port', async () => {
		const { answers } = engine('kind-registry')
		let blocked = 0
		const play = project.play({
			...answers,
			'docker start': [
				async () => {
					blocked = Number(registry()?.endpoint.push.split(':')[1])
					const other = createServer()
					await new Promise<void>((done) => other.listen(blocked, '127.0.0.1', done))
					servers.push({ close: async () => await new Promise((done) => other.close(() => done())) })
					return recorded.portTaken
				},
				answers['docker start'] as PlayedAnswer,
			],
		})
		await startDockerRegistry(play.session)
		expect(verbs(play.changes()).filter((verb) => /rm|start|create$/.test(verb))).toEqual([
			'docker volume create',
			'docker create',
			'docker start',
			'docker rm',
			'docker create',
			'docker start',
		])
		expect(registry()?.endpoint.push).not.toBe(`localhost:${blocked}`)
	})
})

describe('stopDockerRegistry', () => {
	it('stops it, and leaves a volume of somebody else’s', async () => {
		const { answers } = engine('kind-registry')
		await startDockerRegistry(project.play(answers).session)
		const stop = project.play(answers)
		expect(await stopDockerRegistry(stop.session, { keepData: true })).toBe(true)
		expect(stop.changes()).toEqual(['docker stop -t 10 kind-registry'])
		expect(registry()).toBeDefined()
		const foreign = JSON.stringify([{ Labels: { 'lading.project': '/other/.lading' } }])
		const end = project.play({ ...answers, 'docker volume inspect': foreign })
		expect(await stopDockerRegistry(end.session, { keepData: false })).toBe(true)
		expect(end.changes()).toEqual(['docker rm --force --volumes kind-registry'])
		expect(registry()).toBeUndefined()
	})
})

describe('down', () => {
	const withCluster = (): void =>
		void project.workspace.update((state) => ({
			...state,
			cluster: { kind: 'kind', name: 'lading', ours: true, created: true, ids: ['n1'], network: 'kind' },
		}))

	it('removes cluster, registry, volume and network, and nothing is kept', async () => {
		const { answers } = engine('kind-registry')
		await startDockerRegistry(project.play(answers).session)
		withCluster()
		const { volume } = registry() ?? {}
		const play = project.play({ ...answers, ...nodes([{ id: 'n1' }]) })
		expect(await down(play.session)).toEqual({
			applications: [],
			sandbox: false,
			kind: 'removed',
			registry: 'removed',
			artifacts: 0,
		})
		expect(play.changes()).toEqual([
			'docker rm --force --volumes n1',
			'docker rm --force --volumes kind-registry',
			`docker volume rm ${volume}`,
			'docker network rm kind',
		])
		expect(existsSync(project.workspace.directory)).toBe(false)
	})

	it('keeps the registry when asked to, with the network that it is on', async () => {
		const { answers } = engine('kind-registry')
		await startDockerRegistry(project.play(answers).session)
		withCluster()
		const before = registry()
		const play = project.play({
			...answers,
			...nodes([{ id: 'n1' }]),
			[ON_NETWORK]: 'kind-registry\n',
		})
		expect(await down(play.session, { keepRegistry: true })).toMatchObject({
			kind: 'removed',
			registry: 'kept',
		})
		expect(play.changes()).toEqual(['docker rm --force --volumes n1'])
		expect(project.workspace.state()).toEqual({
			version: 1,
			registry: { ...before, network: 'kind' },
			applications: [],
		})
		const rest = project.play(answers)
		await down(rest.session)
		expect(rest.changes().at(-1)).toBe('docker network rm kind')
	})
})
