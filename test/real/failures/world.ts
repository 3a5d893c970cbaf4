import { createServer, type Server } from 'node:net'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApplication } from '../../../src/argocd/index.ts'
import { issueClientCertificate } from '../../../src/http/server/index.ts'
import type { Project } from '../../e2e/program.ts'
import { caOf, type Stack } from '../stack/index.ts'
import { type FailureCase, NAMESPACE, type Place } from './case.ts'
import { type FaultyRegistry, startFaultyRegistry } from './registry.ts'

/** Everything that fails. */
export interface World {
	readonly project: Project
	/** Of lading, for {@link faulty}. */
	readonly flags: readonly string[]
	readonly faulty: FaultyRegistry
	readonly hosts: Readonly<Record<Place, string>>
	/** Puts back what was changed. */
	end(): Promise<void>
}

/** Of all that this makes in the cluster. */
export const LABEL = 'lading.test/failures'
const READER = 'reader'
const CLUSTER_WIDE: readonly string[] = [
	'validatingwebhookconfigurations',
	'validatingadmissionpolicies',
	'validatingadmissionpolicybindings',
	'clusterroles',
	'clusterrolebindings',
	'namespaces',
]

export async function startWorld(stack: Stack): Promise<World> {
	const project = stack.project()
	const pki = stack.directory('faulty-pki')
	const faulty = await startFaultyRegistry({ pki })
	const old = stack.directory('expired-pki')
	for (const file of ['ca.crt', 'ca.key']) copyFileSync(join(pki, file), join(old, file))
	// Its certificate was good for 397 days.
	const expired = await startFaultyRegistry({ pki: old, now: new Date(Date.now() - 500 * 86_400_000) })
	const broken = await startBroken()
	const port = faulty.host.split(':')[1]
	const cluster = ['--cluster', stack.cluster]
	await project.ok('trust', faulty.host, '--ca', faulty.caPath, ...cluster)
	await project.ok('trust', stack.registries.tls.host, ...stack.registries.tls.flags, ...cluster)
	const trust = (data: object): Promise<string> =>
		stack.kubectl(
			'patch',
			'configmap',
			'argocd-tls-certs-cm',
			'-n',
			'argocd',
			'--type=merge',
			'-p',
			JSON.stringify({ data }),
		)
	await trust({ '127.0.0.2': readFileSync(faulty.caPath, 'utf8') })
	const bundle = join(project.directory, 'cas.pem')
	writeFileSync(bundle, `${readFileSync(faulty.caPath, 'utf8')}${caOf(stack.registries.tls)}`)
	await stack.process('repo-server').restart({ PATH: pathWithoutHelm(stack) })
	await stack.apply({
		apiVersion: 'v1',
		kind: 'Namespace',
		metadata: { name: NAMESPACE, labels: { [LABEL]: 'yes' } },
	})
	await makeReader(stack)
	const { tls, auth, http } = stack.registries
	return {
		project,
		faulty,
		flags: ['--ca', bundle],
		hosts: {
			faulty: faulty.host,
			'other-name': `127.0.0.2:${port}`,
			untrusted: `localhost:${port}`,
			expired: expired.host,
			tls: tls.host,
			auth: auth.host,
			http: http.host,
			closed: `127.0.0.1:${await stack.port()}`,
			broken: broken.host,
			nowhere: 'registry.nowhere.invalid',
		},
		async end() {
			const labelled = ['-l', LABEL, '--wait=false']
			await stack.kubectl('delete', 'applications,appprojects,secrets', '-n', 'argocd', ...labelled)
			await stack.kubectl('delete', CLUSTER_WIDE.join(','), ...labelled)
			await trust({ '127.0.0.2': null })
			await stack.process('repo-server').restart({ PATH: `${stack.data.bin}:${process.env.PATH}` })
			broken.server.close()
			await Promise.all([faulty.close(), expired.close()])
		},
	}
}

/** Takes connections, and breaks them off after the first word. */
async function startBroken(): Promise<{ readonly server: Server; readonly host: string }> {
	const server = createServer((socket) => {
		socket.on('error', () => {})
		socket.once('data', () => socket.destroy())
	})
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('no port')
	return { server, host: `127.0.0.1:${address.port}` }
}

function pathWithoutHelm(stack: Stack): string {
	const directory = join(stack.directory('tools'), 'bin')
	mkdirSync(directory)
	symlinkSync(join(stack.data.bin, 'kustomize'), join(directory, 'kustomize'))
	return directory
}

/** The same cluster once more, as somebody who may only read. */
async function makeReader(stack: Stack): Promise<void> {
	const { pki, url, caPath } = stack.kubernetes
	const { certPem, keyPem } = await issueClientCertificate(pki, { commonName: READER })
	const data = (pem: string | Uint8Array): string => Buffer.from(pem).toString('base64')
	const named = { name: 'reader', labels: { [LABEL]: 'yes' } }
	const api = { apiVersion: 'rbac.authorization.k8s.io/v1' }
	await stack.apply(
		{
			...api,
			kind: 'ClusterRole',
			metadata: named,
			rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
		},
		{
			...api,
			kind: 'ClusterRoleBinding',
			metadata: named,
			roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
			subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: READER }],
		},
		{
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: {
				name: 'failures-reader',
				namespace: 'argocd',
				labels: { ...named.labels, 'argocd.argoproj.io/secret-type': 'cluster' },
			},
			stringData: {
				name: 'as-reader',
				server: url.replace('127.0.0.1', 'localhost'),
				config: JSON.stringify({
					tlsClientConfig: {
						caData: data(readFileSync(caPath)),
						certData: data(certPem),
						keyData: data(keyPem),
					},
				}),
			},
		},
	)
}

/** The objects of a case: what it needs, its Secret, its Application. */
export function objectsOf(each: FailureCase, { hosts }: Pick<World, 'hosts'>): readonly object[] {
	const { name, objects = [] } = each
	const repoURL = `oci://${hosts[each.at ?? 'faulty']}/${each.repository ?? name}`
	const labels = { [LABEL]: 'yes' }
	const application = buildApplication({
		name,
		repoURL: `oci://${hosts.faulty}/${name}`,
		targetRevision: 'v1',
		destination: { namespace: NAMESPACE },
		finalizer: false,
		labels,
	})
	const { spec, metadata } = application
	return [
		...objects.map((object) => labelled(object)),
		{
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: {
				name: `failures-${name}`,
				namespace: 'argocd',
				labels: { ...labels, 'argocd.argoproj.io/secret-type': 'repository' },
			},
			stringData: { type: 'oci', url: repoURL, ...each.secret },
		},
		{
			...application,
			metadata: { ...metadata, annotations: each.annotations },
			spec: {
				...spec,
				...each.spec,
				// Argo CD's own is five times, over minutes.
				syncPolicy: { ...(each.syncPolicy ?? spec.syncPolicy), retry: { limit: 0 } },
				source: { ...spec.source, repoURL, targetRevision: each.revision ?? 'v1', ...each.source },
			},
		},
	]
}

function labelled(object: object): object {
	const { metadata = {} } = object as { readonly metadata?: object }
	return { ...object, metadata: { ...metadata, labels: { [LABEL]: 'yes' } } }
}
