import { describe, expect, it } from 'vitest'
import type { Cluster } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import type { Container, KindFacts, NodeFacts } from '../kind/index.ts'
import type { DoctorContext, Finding } from './check.ts'
import { kindChecks } from './kind-checks.ts'

const node: NodeFacts = {
	name: 'lading-control-plane',
	running: true,
	readsCerts: true,
	resolves: true,
	freeBytes: 9_000_000_000,
}
const container: Container = {
	id: 'f928',
	name: 'kind-registry',
	image: 'registry:3',
	running: true,
	status: 'running',
	exitCode: 0,
	error: '',
	labels: {},
	mounts: [],
	networks: ['bridge', 'kind'],
	ports: { '5000/tcp': 5000 },
}
const facts = {
	network: 'kind',
	docker: { ok: true, value: '28.2.2' },
	kind: { ok: true, value: '0.33.0' },
	cluster: { name: 'lading', nodes: [node] },
	registry: { name: 'kind-registry', container, log: [] },
} satisfies KindFacts

const coredns = {
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: { name: 'coredns', namespace: 'kube-system', uid: 'u1' },
	spec: { selector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
}

/** A cluster with CoreDNS, and no pod of it. */
const cluster = {
	get: () => Promise.resolve(coredns),
	list: () => Promise.resolve({ items: [], resourceVersion: '1' }),
} as Partial<Cluster> as Cluster

async function findings(change: Partial<DoctorContext>): Promise<readonly Finding[]> {
	const context: DoctorContext = {
		machine: { nodeVersion: 'v24.0.0' },
		kind: facts,
		ports: {
			ping: () => Promise.resolve(),
			resolve: () => Promise.resolve(undefined),
			certificate: () => Promise.resolve(undefined),
		},
		registries: [],
		argocdNamespace: 'argocd',
		now: () => 0,
		...change,
	}
	const found = await Promise.all(kindChecks.map(async ({ run }) => await run(context)))
	return found.flat()
}

const withNode = (change: Partial<NodeFacts>): KindFacts => ({
	...facts,
	cluster: { name: 'lading', nodes: [{ ...node, ...change }] },
})
const withContainer = (change: Partial<Container> | undefined, log: readonly string[] = []): KindFacts => ({
	...facts,
	registry: {
		name: 'kind-registry',
		container: change === undefined ? undefined : { ...container, ...change },
		log,
	},
})
const missing = (tool: string): { readonly ok: false; readonly error: UserError } => ({
	ok: false,
	error: new UserError('TOOL_MISSING', `${tool} is not installed`, { hint: `install ${tool}` }),
})

describe('what can be wrong with Docker and kind', () => {
	it('is nothing where nothing is wrong', async () => {
		const found = await findings({})
		expect(found.map(({ check, status }) => [check, status])).toEqual([
			['docker', 'ok'],
			['kind', 'ok'],
			['kind-cluster', 'ok'],
			['registry-container', 'ok'],
			['registry-network', 'ok'],
			['registry-name', 'ok'],
		])
	})

	it('is not looked for where they are not used', async () => {
		expect(await findings({ kind: undefined })).toEqual([])
	})

	it.each<[string, Partial<DoctorContext>, Partial<Finding>]>([
		[
			'docker',
			{ kind: { network: 'kind', docker: missing('docker') } },
			{ status: 'fault', seen: 'docker is not installed', fix: 'install docker' },
		],
		[
			'kind',
			{ kind: { network: 'kind', docker: facts.docker, kind: missing('kind') } },
			{ status: 'fault', seen: 'kind is not installed', fix: 'install kind' },
		],
		[
			'kind-cluster',
			{ kind: { ...facts, cluster: { name: 'lading', nodes: [] } } },
			{
				status: 'fault',
				seen: 'there is no kind cluster lading',
				fix: 'lading cluster up --cluster kind:lading',
			},
		],
		[
			'kind-cluster',
			{ kind: withNode({ running: false }) },
			{
				status: 'fault',
				seen: 'the node lading-control-plane does not run',
				fix: 'lading cluster up --cluster kind:lading',
			},
		],
		[
			'kind-cluster',
			{ kind: withNode({ readsCerts: false }) },
			{ status: 'warn', seen: 'the containerd of lading-control-plane reads no certs.d' },
		],
		[
			'kind-cluster',
			{ kind: withNode({ freeBytes: 1_500_000_000 }) },
			{
				status: 'warn',
				seen: '1500 MB free where lading-control-plane keeps its images',
				fix: 'docker image prune && docker builder prune',
			},
		],
		[
			'kind-cluster',
			{ kind: withNode({ freeBytes: 100_000_000 }) },
			{ status: 'fault', fix: 'docker image prune && docker builder prune' },
		],
		[
			'registry-container',
			{ kind: withContainer(undefined) },
			{ status: 'fault', seen: 'there is no container kind-registry', fix: 'lading registry up' },
		],
		[
			'registry-container',
			{
				kind: withContainer({ running: false, status: 'exited', exitCode: 2 }, [
					'level=fatal msg="no space left"',
					'shutting down',
				]),
			},
			{
				status: 'fault',
				seen: 'kind-registry does not run: exited, with exit code 2',
				why: 'level=fatal msg="no space left"',
				fix: 'lading registry up',
			},
		],
		[
			'registry-network',
			{ kind: withContainer({ networks: ['bridge'] }) },
			{ status: 'fault', fix: 'docker network connect kind kind-registry' },
		],
		[
			'registry-name',
			{ kind: withNode({ resolves: false }) },
			{
				status: 'fault',
				seen: 'the node lading-control-plane does not find the name kind-registry',
				fix: 'docker restart lading-control-plane',
			},
		],
		[
			'cluster-dns',
			{ cluster, kubectl: 'kubectl --context kind-lading' },
			{
				status: 'fault',
				seen: 'the cluster’s DNS has no pod',
				fix: 'kubectl --context kind-lading scale -n kube-system deployment coredns --replicas 2',
			},
		],
	])('is found: %s', async (check, change, finding) => {
		const wrong = (await findings(change)).filter(({ status }) => status !== 'ok')
		expect(wrong).toEqual([expect.objectContaining({ check, ...finding })])
	})
})
