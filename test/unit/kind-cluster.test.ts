import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../src/errors/index.ts'
import { down } from '../../src/flows/down.ts'
import { startKind, stopKind } from '../../src/flows/kind-cluster.ts'
import type { KindState } from '../../src/flows/state.ts'
import { inspected, recorded } from '../../src/kind/recorded.fixture.ts'
import {
	createProject,
	markIn,
	NODES,
	nodes,
	ON_NETWORK,
	type PlayedApi,
	type PlayedProject,
	servePlayedApi,
} from './played-kind.ts'

const scratch = mkdtempSync(join(tmpdir(), 'lading-'))
let api: PlayedApi
let project: PlayedProject

beforeAll(async () => {
	api = await servePlayedApi(scratch)
})
afterAll(async () => {
	await api.close()
	rmSync(scratch, { recursive: true, force: true })
})
beforeEach(() => {
	project = createProject()
})
afterEach(() => project.remove())

const cluster = (): KindState | undefined => {
	const state = project.workspace.state().cluster
	return state?.kind === 'kind' ? state : undefined
}
const remember = (state: Omit<KindState, 'kind' | 'name'>): void =>
	void project.workspace.update((now) => ({ ...now, cluster: { kind: 'kind', name: 'lading', ...state } }))
const deployed = (): void =>
	void project.workspace.update((now) => ({
		...now,
		applications: [
			{
				name: 'shop',
				namespace: 'argocd',
				cluster: 'kind:lading',
				repository: 'localhost:5000/shop',
				revision: 'v1',
				setBy: 'up',
			},
		],
	}))

const CREATE = (): string =>
	`kind create cluster --name lading --kubeconfig ${project.workspace.paths.kubeconfig} --retain --config -`
const EXISTS = {
	status: 1,
	stderr: 'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "lading"\n',
}

/** `kind create` that ends well: it writes the kubeconfig, and Docker shows the nodes from there on. */
function create(ids: readonly string[]): Parameters<PlayedProject['play']>[0] {
	let made = nodes()
	const answers: Record<string, (call: string) => string> = {
		'kind create': (call) => {
			writeFileSync(project.workspace.paths.kubeconfig, api.kubeconfig)
			made = nodes(ids.map((id) => ({ id, mark: markIn(call) })))
			return ''
		},
		[NODES]: () => (made[NODES] as readonly string[])[0] ?? '',
	}
	for (const id of ids) {
		answers[`docker container inspect ${id}`] = () => made[`docker container inspect ${id}`] as string
	}
	return answers
}

const start = async (play: ReturnType<PlayedProject['play']>) =>
	await startKind(play.session, { argocdManifest: api.argocdManifest })

describe('startKind', () => {
	it('makes a cluster, keeps who its nodes are, and finds nothing to do afterwards', async () => {
		const first = project.play({ 'docker network inspect': recorded.noNetwork, ...create(['n1', 'n2']) })
		expect(await start(first)).toMatchObject({ name: 'lading', ours: true, started: true, argocd: '3.6.1' })
		expect(first.changes()).toEqual([CREATE()])
		expect(cluster()).toEqual({
			kind: 'kind',
			name: 'lading',
			ours: true,
			created: true,
			ids: ['n1', 'n2'],
			network: 'kind',
			argocd: { version: '3.6.1', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
		})
		const again = project.play({
			...nodes([{ id: 'n1' }, { id: 'n2' }]),
			'kind get kubeconfig': api.kubeconfig,
		})
		expect(await start(again)).toMatchObject({ ours: true, started: false })
		expect(again.changes()).toEqual([])
	})

	it('tells the nodes and the cluster of the registry', async () => {
		const endpoint = { push: 'localhost:5001', cluster: 'kind-registry:5000' }
		const image = 'registry:3'
		const registry = { kind: 'docker', endpoint, container: 'kind-registry', volume: 'v', image } as const
		project.workspace.update((state) => ({ ...state, registry }))
		writeFileSync(project.workspace.paths.ca, api.ca)
		const play = project.play({
			...create(['n1']),
			'docker container inspect kind-registry': inspected({ port: 5001 }),
			'docker network connect': '',
			'kind get nodes': 'lading-control-plane\n',
			'docker exec lading-control-plane cat': { status: 1 },
			'docker exec lading-control-plane mkdir': '',
			'docker exec --interactive lading-control-plane cp': '',
			'docker exec lading-control-plane containerd config dump': "config_path = '/etc/containerd/certs.d'\n",
		})
		await start(play)
		expect(play.changes()).toEqual([CREATE(), 'docker network connect kind kind-registry'])
		expect(play.calls).toContainEqual(
			expect.stringMatching(
				/cp \/dev\/stdin .*localhost:5001\/hosts\.toml < server = "https:\/\/kind-registry/,
			),
		)
		expect(play.told).toEqual([
			'kind-registry attached to the network kind',
			'lading-control-plane pulls images from it',
			'local-registry-hosting written',
			'its CA is in argocd-tls-certs-cm',
		])
	})

	it('starts the nodes of its own that stand still', async () => {
		remember({ ours: true, created: true, ids: ['n1'], argocd: { version: '3.6.1', digest: 'sha256:0' } })
		const play = project.play({
			...nodes([{ id: 'n1', status: 'exited' }]),
			'docker start': '',
			'kind get kubeconfig': api.kubeconfig,
		})
		expect(await startKind(play.session)).toMatchObject({ ours: true, started: true })
		expect(play.changes()).toEqual(['docker start lading-control-plane'])
	})

	it('takes one that is there, and down leaves it', async () => {
		const up = project.play({ ...nodes([{ id: 'u1' }]), 'kind get kubeconfig': api.kubeconfig })
		expect(await startKind(up.session)).toMatchObject({ ours: false, started: true })
		expect(up.told).toContain('the kind cluster lading was there already: it is used, and never removed')
		expect(cluster()).toEqual({ kind: 'kind', name: 'lading', ours: false, created: true })
		const end = project.play({ ...nodes([{ id: 'u1' }]) })
		expect(await down(end.session)).toMatchObject({ kind: 'forgotten' })
		expect([...up.changes(), ...end.changes()]).toEqual([])
		expect(existsSync(project.workspace.directory)).toBe(false)
	})
})

describe('a start that was interrupted', () => {
	/** @returns the mark that its nodes have */
	async function interrupted(): Promise<string> {
		let mark = ''
		const play = project.play({
			...nodes([]),
			'docker network inspect': recorded.noNetwork,
			'kind create': (call) => {
				mark = markIn(call)
				throw new UserError('INTERRUPTED', 'kind was interrupted')
			},
		})
		await expect(start(play)).rejects.toMatchObject({ code: 'INTERRUPTED' })
		expect(play.changes()).toEqual([CREATE()])
		expect(cluster()).toEqual({
			kind: 'kind',
			name: 'lading',
			ours: true,
			created: false,
			mark,
			network: 'kind',
		})
		return mark
	}

	it('is removed by the next one, and made anew with another mark', async () => {
		const mark = await interrupted()
		let other = ''
		const made = create(['n2'])
		const play = project.play({
			...nodes([{ id: 'n1', mark }]),
			...made,
			[NODES]: ['n1\n', '', 'n2\n'],
			'kind create': (call) => {
				other = markIn(call)
				return (made['kind create'] as (call: string) => string)(call)
			},
		})
		expect(await start(play)).toMatchObject({ ours: true, started: true })
		expect(play.changes()).toEqual(['docker rm --force --volumes n1', CREATE()])
		expect(other).not.toBe(mark)
		expect(cluster()).toMatchObject({ ours: true, created: true, ids: ['n2'], network: 'kind' })
	})

	it('is removed by down, with the network', async () => {
		const mark = await interrupted()
		const play = project.play({ ...nodes([{ id: 'n1', mark }]) })
		expect(await down(play.session)).toMatchObject({ kind: 'removed' })
		expect(play.changes()).toEqual(['docker rm --force --volumes n1', 'docker network rm kind'])
		expect(existsSync(project.workspace.directory)).toBe(false)
	})

	it('does not make a cluster of that name lading’s which the user has made since', async () => {
		await interrupted()
		const up = project.play({ ...nodes([{ id: 'u1' }]), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(up)).toMatchObject({ ours: false, started: true })
		expect(up.told).toContain('the kind cluster lading is not one that lading has made: it is never removed')
		expect(cluster()).toEqual({ kind: 'kind', name: 'lading', ours: false, created: true })
		const end = project.play({ ...nodes([{ id: 'u1' }]) })
		expect(await down(end.session)).toMatchObject({ kind: 'forgotten' })
		expect([...up.changes(), ...end.changes()]).toEqual([])
	})

	it('is removed beside what another has made, which stays', async () => {
		const mark = await interrupted()
		const both = [
			{ id: 'n2', name: 'lading-worker', mark },
			{ id: 'u1', mark: 'another' },
		]
		const up = project.play({ ...nodes(both, both.slice(1)), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(up)).toMatchObject({ ours: false })
		expect(up.changes()).toEqual(['docker rm --force --volumes n2'])
		expect(cluster()).toMatchObject({ ours: false })
	})

	it('counts as one too where kind ends by the same Ctrl-C first', async () => {
		const abort = new AbortController()
		const answers = {
			...nodes([]),
			'kind create': () => {
				abort.abort()
				return { status: 1 }
			},
		}
		await expect(start(project.play(answers, abort.signal))).rejects.toMatchObject({ code: 'TOOL_FAILED' })
		expect(cluster()).toMatchObject({ ours: true, created: false, mark: expect.any(String) })
	})

	it('counts as one too where kind took too long', async () => {
		const slow = project.play({
			...nodes([]),
			'kind create': () => {
				throw new UserError('TIMED_OUT', 'kind create took longer than 1200 s')
			},
		})
		await expect(start(slow)).rejects.toMatchObject({ code: 'TIMED_OUT' })
		expect(cluster()).toMatchObject({ ours: true, created: false, mark: expect.any(String) })
	})
})

describe('a start that failed', () => {
	it('leaves nothing, and a cluster that the user makes then stays', async () => {
		let mark = ''
		const failed = project.play({
			'docker network inspect': [recorded.noNetwork, '[{"Name": "kind"}]'],
			[NODES]: ['', 'n1\n'],
			'docker container inspect n1': () =>
				nodes([{ id: 'n1', mark }])['docker container inspect n1'] as string,
			'kind create': (call) => {
				mark = markIn(call)
				return { status: 1, stderr: 'ERROR: failed to create cluster: failed to init node\n' }
			},
		})
		await expect(start(failed)).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			hint: expect.stringContaining('known-issues'),
		})
		expect(failed.changes()).toEqual([CREATE(), 'docker rm --force --volumes n1', 'docker network rm kind'])
		expect(cluster()).toBeUndefined()

		const up = project.play({ ...nodes([{ id: 'u1' }]), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(up)).toMatchObject({ ours: false })
		const end = project.play({ ...nodes([{ id: 'u1' }]) })
		expect(await down(end.session)).toMatchObject({ kind: 'forgotten' })
		expect([...up.changes(), ...end.changes()]).toEqual([])
	})

	it('because another project was quicker leaves the other’s cluster', async () => {
		const loser = project.play({ ...nodes([], [{ id: 'w1', mark: 'of-the-winner' }]), 'kind create': EXISTS })
		await expect(start(loser)).rejects.toMatchObject({
			code: 'TOOL_FAILED',
			message: expect.stringContaining('already exist'),
			hint: expect.stringContaining('Another has made a kind cluster lading meanwhile'),
		})
		expect(loser.changes()).toEqual([CREATE()])
		expect(cluster()).toBeUndefined()

		const winner = [{ id: 'w1', mark: 'of-the-winner' }]
		const next = project.play({ ...nodes(winner), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(next)).toMatchObject({ ours: false })
		const end = project.play({ ...nodes(winner), [ON_NETWORK]: 'lading-control-plane\n' })
		expect(await down(end.session)).toMatchObject({ kind: 'forgotten' })
		expect([...next.changes(), ...end.changes()]).toEqual([])
	})

	it('is left to the next command where Docker does not answer any more', async () => {
		const play = project.play({ [NODES]: ['', recorded.dockerDown], 'kind create': EXISTS })
		await expect(start(play)).rejects.toMatchObject({ message: expect.stringContaining('already exist') })
		expect(cluster()).toMatchObject({ ours: true, created: false, mark: expect.any(String) })
	})
})

describe('a cluster that was removed and made again by the user', () => {
	beforeEach(() => {
		remember({ ours: true, created: true, ids: ['n1'], network: 'kind' })
		writeFileSync(project.workspace.paths.kubeconfig, api.kubeconfig)
		deployed()
	})

	it.each(['down', 'cluster down'])('is kept by %s', async (command) => {
		const play = project.play({ ...nodes([{ id: 'u1' }]) })
		const outcome = command === 'down' ? (await down(play.session)).kind : await stopKind(play.session)
		expect(outcome).toBe('forgotten')
		expect(play.changes()).toEqual([])
		expect(play.told).toEqual([
			'the kind cluster lading is not one that lading has made: it is never removed',
		])
		expect(project.workspace.state()).toEqual({ version: 1, applications: [] })
	})

	it('is not lading’s for up either, and what was deployed into the first is gone', async () => {
		const play = project.play({ ...nodes([{ id: 'u1' }]), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(play)).toMatchObject({ ours: false, started: true })
		expect(play.changes()).toEqual([])
		expect(project.workspace.state()).toEqual({
			version: 1,
			cluster: { kind: 'kind', name: 'lading', ours: false, created: true },
			applications: [],
		})
	})

	it('is told from its own, of which a node may be gone', async () => {
		remember({ ours: true, created: true, ids: ['n1', 'n2'] })
		const play = project.play({ ...nodes([{ id: 'n2' }, { id: 'u1' }]) })
		expect(await stopKind(play.session)).toBe('removed')
		expect(play.changes()).toEqual(['docker rm --force --volumes n2'])
	})

	it('is no matter where nothing is there', async () => {
		const play = project.play({ ...nodes([]) })
		expect(await down(play.session)).toMatchObject({ kind: 'removed' })
		expect(play.changes()).toEqual(['docker network rm kind'])
	})
})

describe('a state file without marks and ids', () => {
	it.each([true, false])('does not show that the cluster is lading’s, created: %s', async (created) => {
		remember({ ours: true, created, network: 'kind' })
		const end = project.play({ ...nodes([{ id: 'x1' }]) })
		expect(await down(end.session)).toMatchObject({ kind: 'forgotten' })
		expect(end.changes()).toEqual([])
		expect(end.told).toEqual([
			'nothing shows that lading has made the kind cluster lading: it is never removed',
		])
	})

	it('is taken further by up, with what was deployed', async () => {
		remember({ ours: true, created: true })
		deployed()
		const play = project.play({ ...nodes([{ id: 'x1' }]), 'kind get kubeconfig': api.kubeconfig })
		expect(await start(play)).toMatchObject({ ours: false })
		expect(play.changes()).toEqual([])
		expect(project.workspace.state().applications).toHaveLength(1)
	})
})
