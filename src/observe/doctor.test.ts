import { describe, expect, it } from 'vitest'
import type { Cluster, KubeObject } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import {
	diagnose,
	type DoctorContext,
	type DoctorPorts,
	type Finding,
	type ServerCertificate,
} from './index.ts'

const DAY = 86_400_000
const certificate: ServerCertificate = {
	names: 'DNS:registry',
	fingerprint: 'AA:BB',
	subject: 'CN=registry',
	issuer: 'CN=ca',
	validFrom: 0,
	validTo: 100 * DAY,
	covers: (host) => host === 'registry',
	isSignedBy: () => true,
}
const ports: DoctorPorts = {
	ping: () => Promise.resolve(),
	resolve: () => Promise.resolve(undefined),
	certificate: () => Promise.resolve(certificate),
}
const context: DoctorContext = {
	machine: { nodeVersion: 'v20.19.0' },
	ports,
	registries: [{ name: 'registry:5000', clusterName: 'registry:5000' }],
	argocdNamespace: 'argocd',
	now: () => DAY,
}

async function faults(change: Partial<DoctorContext>): Promise<readonly string[]> {
	const findings = await diagnose({ ...context, ...change })
	return findings.filter(({ status }) => status === 'fault').map(({ check }) => check)
}

describe('diagnose', () => {
	it('finds nothing where nothing is wrong', async () => {
		expect(await faults({})).toEqual([])
	})

	it('does not call it a fault that this machine may not read where Argo CD may', async () => {
		const ping = (): Promise<never> => Promise.reject(new RemoteError('UNAUTHENTICATED', 'refused'))
		expect(await faults({ ports: { ...ports, ping } })).toEqual([])
		const findings = await diagnose({ ...context, ports: { ...ports, ping } })
		expect(findings.find(({ check }) => check === 'registry-reachable')?.status).toBe('warn')
	})

	it.each(['v20.19.0', 'v22.12.0', 'v23.0.0', 'v24.1.0'])(
		'finds nothing wrong with Node %s',
		async (nodeVersion) => {
			expect(await faults({ machine: { nodeVersion } })).toEqual([])
		},
	)

	it.each<[string, Partial<DoctorContext>]>([
		['node', { machine: { nodeVersion: 'v20.18.3' } }],
		['node', { machine: { nodeVersion: 'v21.7.3' } }],
		['node', { machine: { nodeVersion: 'v22.11.0' } }],
		['disk', { machine: { nodeVersion: 'v24.0.0', disk: { path: '.lading', freeBytes: 5 } } }],
		[
			'processes',
			{ machine: { nodeVersion: 'v24.0.0', processes: [{ name: 'registry', pid: 1, alive: false }] } },
		],
		[
			'registry-reachable',
			{ ports: { ...ports, ping: () => Promise.reject(new RemoteError('CONNECTION_FAILED', 'refused')) } },
		],
		['registry-certificate', { now: () => 101 * DAY }],
		['registry-certificate', { registries: [{ name: 'registry:5000', clusterName: 'kind-registry:5000' }] }],
		[
			'registry-loopback',
			{
				registries: [{ name: 'registry', clusterName: 'registry', loopbackOnly: true }],
				clusterElsewhere: true,
			},
		],
		['cluster', { cluster: new RemoteError('CLUSTER_UNREACHABLE', 'nothing listens') }],
	])('finds %s', async (check, change) => {
		expect(await faults(change)).toEqual([check])
	})

	it('says so when it could not look, and looks at the rest', async () => {
		const broken = { ...ports, certificate: () => Promise.reject(new RemoteError('CONNECTION_FAILED', 'no')) }
		const findings = await diagnose({ ...context, ports: broken })
		expect(findings).toContainEqual(
			expect.objectContaining({ check: 'registry-certificate', status: 'skipped' }),
		)
		expect(findings).toContainEqual(expect.objectContaining({ check: 'registry-reachable', status: 'ok' }))
	})
})

const secret: KubeObject = {
	apiVersion: 'v1',
	kind: 'Secret',
	metadata: { name: 'repo', namespace: 'argocd' },
	stringData: { type: 'oci', url: 'oci://registry.example.com/app', username: 'ann', password: 's3cret' },
}

/** A cluster with one Application, whose registry asks for the password in its Secret. */
function clusterWith({ source, ...rest }: Readonly<Record<string, unknown>> = {}): Cluster {
	const application = {
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: { name: 'app', namespace: 'argocd' },
		spec: {
			project: 'default',
			destination: {},
			source: {
				repoURL: 'oci://registry.example.com/app',
				targetRevision: 'v1',
				path: '.',
				...(source as object | undefined),
			},
			...(rest['spec'] as object | undefined),
		},
		status: rest['status'],
	}
	const lists: Readonly<Record<string, readonly unknown[]>> = { Application: [application], Secret: [secret] }
	return {
		server: 'https://cluster',
		version: () => Promise.resolve('v1.34.0'),
		get: () => Promise.resolve(undefined),
		list: ({ kind }: { readonly kind: string }) => Promise.resolve({ items: lists[kind] ?? [] }),
	} as unknown as Cluster
}

describe('the Secret of an Application', () => {
	it.each([
		[undefined, 'ok', ['s3cret']],
		[true, 'skipped', []],
	])('named by the cluster alone: %s, is %s', async (namedByCluster, status, given) => {
		const passwords: string[] = []
		const findings = await diagnose({
			...context,
			cluster: clusterWith(),
			registries: [{ name: '127.0.0.1:5000', clusterName: 'registry.example.com', namedByCluster }],
			ports: {
				...ports,
				resolve: (_, credential) => {
					if (credential) passwords.push(credential.password)
					return Promise.resolve(undefined)
				},
			},
		})
		expect(findings.find(({ check }) => check === 'repository-secret')?.status).toBe(status)
		expect(passwords).toEqual(given)
	})
})

describe('the artifact of an Application', () => {
	const findingsOf = async (change: Parameters<typeof clusterWith>[0]): Promise<readonly Finding[]> => {
		const findings = await diagnose({
			...context,
			cluster: clusterWith(change),
			ports: {
				...ports,
				resolve: () => Promise.resolve('sha256:1'),
				check: () =>
					Promise.resolve([
						{ message: 'refused', isRefused: true },
						{ message: 'left out', isRefused: false },
					]),
			},
		})
		return findings.filter(({ check }) => check === 'artifact')
	}
	const about = async (change: Parameters<typeof clusterWith>[0]): Promise<readonly string[]> =>
		(await findingsOf(change)).map(({ seen }) => seen)

	it.each<[string, object]>([
		['', {}],
		['', { path: undefined, directory: { recurse: false } }],
		[' --path deploy', { path: 'deploy' }],
		[' --path deploy --recurse', { path: 'deploy', directory: { recurse: true } }],
		[' --recurse', { directory: { recurse: true } }],
		[` --path 'my apps; echo '\\''x'\\'''`, { path: "my apps; echo 'x'" }],
	])('is looked at by check%s where its source has %j', async (flags, source) => {
		const [refused] = await findingsOf({ source })
		expect(refused?.fix).toBe(`lading check registry.example.com/app:v1${flags}`)
	})

	it.each<[string, object]>([
		['all', {}],
		['all', { directory: { recurse: true, include: '', exclude: '' } }],
		['refused', { directory: { include: '*.yaml' } }],
		['refused', { directory: { exclude: 'values.yaml' } }],
		['refused', { helm: {} }],
		['refused', { kustomize: {} }],
		['refused', { plugin: {} }],
	])('is told of %s where its source has %j', async (what, source) => {
		expect(await about({ source })).toEqual(what === 'all' ? ['refused', 'left out'] : ['refused'])
	})

	it.each<[string, Readonly<Record<string, unknown>>]>([
		['all', { status: { operationState: { phase: 'Succeeded' } } }],
		['all', { spec: { syncPolicy: { syncOptions: ['CreateNamespace=true'] } } }],
		['refused', { status: { operationState: { phase: 'Failed' } } }],
		['refused', { status: { operationState: { phase: 'Error' } } }],
		['refused', { spec: { syncPolicy: { syncOptions: ['ServerSideApply=true'] } } }],
	])('is told of %s where the Application has %j', async (what, change) => {
		expect(await about(change)).toEqual(what === 'all' ? ['refused', 'left out'] : ['refused'])
	})
})
