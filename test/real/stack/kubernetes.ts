import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureCertificates, issueClientCertificate } from '../../../src/http/server/index.ts'
import { kubectl } from './kubectl.ts'
import type { Supervisor } from './supervisor.ts'
import { type Health, untilReady } from './until.ts'

export interface Kubernetes {
	/** `https://127.0.0.1:PORT`. */
	readonly url: string
	/** Of `system:masters`, with client certificate; its only context is {@link context}. */
	readonly kubeconfig: string
	readonly context: string
	/** Directory of the authority that the API server trusts and is trusted by (`issueClientCertificate`). */
	readonly pki: string
	readonly caPath: string
}

export interface Host {
	readonly supervisor: Supervisor
	/** Where the programs are. */
	readonly bin: string
}

const CONTEXT = 'real'
const NODE = 'fake-0'

/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with kwok in the
 * place of the kubelet: pods are said to run, and no container does.
 */
export async function startKubernetes({ supervisor, bin }: Host): Promise<Kubernetes> {
	const { directory } = supervisor
	const pki = join(directory, 'pki')
	const url = `https://127.0.0.1:${await supervisor.port()}`
	const certificates = await ensureCertificates(pki, {
		names: [
			'127.0.0.1',
			'localhost',
			'10.96.0.1',
			'kubernetes',
			'kubernetes.default',
			'kubernetes.default.svc',
		],
		caName: 'test Kubernetes CA',
	})
	const account = generateKeyPairSync('ec', {
		namedCurve: 'P-256',
		publicKeyEncoding: { type: 'spki', format: 'pem' },
		privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
	})
	writeFileSync(join(pki, 'sa.pub'), account.publicKey)
	writeFileSync(join(pki, 'sa.key'), account.privateKey, { mode: 0o600 })
	const user = (name: string, who: Identity): Promise<string> =>
		writeKubeconfig(join(directory, `${name}.kubeconfig`), { url, pki, ...who })
	const kubeconfig = await user('admin', { commonName: 'admin', organizations: ['system:masters'] })
	const kubernetes = { url, kubeconfig, context: CONTEXT, pki, caPath: certificates.caPath }

	await startApiServer({ supervisor, bin }, kubernetes)
	for (const name of ['kube-controller-manager', 'kube-scheduler']) {
		await startController({ supervisor, bin }, kubernetes, {
			name,
			kubeconfig: await user(name, { commonName: `system:${name}` }),
		})
	}
	await startKubelet({ supervisor, bin }, kubernetes)
	return kubernetes
}

interface Identity {
	readonly commonName: string
	readonly organizations?: readonly string[]
}

/** A kubeconfig of one user with a client certificate of the cluster's authority. @returns its path */
export async function writeKubeconfig(
	path: string,
	options: Identity & {
		readonly url: string
		readonly pki: string
		/** Of its context; default none, as in most kubeconfigs. */
		readonly namespace?: string
	},
): Promise<string> {
	const { url, pki, namespace, ...who } = options
	const { certPem, keyPem } = await issueClientCertificate(pki, who)
	const data = (pem: string | Uint8Array): string => Buffer.from(pem).toString('base64')
	const config = {
		apiVersion: 'v1',
		kind: 'Config',
		clusters: [
			{
				name: CONTEXT,
				cluster: { server: url, 'certificate-authority-data': data(readFileSync(join(pki, 'ca.crt'))) },
			},
		],
		users: [
			{
				name: who.commonName,
				user: { 'client-certificate-data': data(certPem), 'client-key-data': data(keyPem) },
			},
		],
		contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: who.commonName, namespace } }],
		'current-context': CONTEXT,
	}
	writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 })
	return path
}

async function startApiServer({ supervisor, bin }: Host, kubernetes: Kubernetes): Promise<void> {
	const { url, pki } = kubernetes
	const [client, peer] = [await supervisor.port(), await supervisor.port()].map(
		(port) => `http://127.0.0.1:${port}`,
	)
	await supervisor.start({
		name: 'etcd',
		command: join(bin, 'etcd'),
		args: [
			'--name=only',
			`--data-dir=${join(supervisor.directory, 'etcd')}`,
			`--listen-client-urls=${client}`,
			`--advertise-client-urls=${client}`,
			`--listen-peer-urls=${peer}`,
			`--initial-advertise-peer-urls=${peer}`,
			`--initial-cluster=only=${peer}`,
			'--unsafe-no-fsync',
		],
	})
	await supervisor.start({
		name: 'kube-apiserver',
		command: join(bin, 'kube-apiserver'),
		args: [
			`--etcd-servers=${client}`,
			'--bind-address=127.0.0.1',
			'--advertise-address=127.0.0.1',
			`--secure-port=${new URL(url).port}`,
			// A loopback address cannot be an endpoint of the Service "kubernetes".
			'--endpoint-reconciler-type=none',
			`--tls-cert-file=${join(pki, 'server.crt')}`,
			`--tls-private-key-file=${join(pki, 'server.key')}`,
			`--client-ca-file=${join(pki, 'ca.crt')}`,
			`--cert-dir=${join(supervisor.directory, 'apiserver')}`,
			'--service-account-issuer=https://kubernetes.default.svc',
			`--service-account-key-file=${join(pki, 'sa.pub')}`,
			`--service-account-signing-key-file=${join(pki, 'sa.key')}`,
			'--service-cluster-ip-range=10.96.0.0/16',
			'--authorization-mode=RBAC',
			'--allow-privileged=true',
			'--profiling=false',
		],
	})
	await untilReady(supervisor, 'kube-apiserver', apiServerHealth(kubernetes))
}

async function startController(
	{ supervisor, bin }: Host,
	{ pki, caPath }: Kubernetes,
	{ name, kubeconfig }: { readonly name: string; readonly kubeconfig: string },
): Promise<void> {
	const accounts = [
		// Without it the controllers are forbidden nearly everything.
		'--use-service-account-credentials=true',
		`--service-account-private-key-file=${join(pki, 'sa.key')}`,
		`--root-ca-file=${caPath}`,
	]
	await supervisor.start({
		name,
		command: join(bin, name),
		args: [
			`--kubeconfig=${kubeconfig}`,
			'--bind-address=127.0.0.1',
			`--secure-port=${await supervisor.port()}`,
			'--leader-elect=false',
			`--cert-dir=${join(supervisor.directory, name)}`,
			'--profiling=false',
			...(name === 'kube-controller-manager' ? accounts : []),
		],
	})
}

async function startKubelet({ supervisor, bin }: Host, { kubeconfig }: Kubernetes): Promise<void> {
	const resources = { cpu: '64', memory: '512Gi', pods: '2000', 'ephemeral-storage': '512Gi' }
	const labels = {
		'kubernetes.io/hostname': NODE,
		'kubernetes.io/os': 'linux',
		'kubernetes.io/arch': 'amd64',
	}
	const node = {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name: NODE, labels },
		status: { allocatable: resources, capacity: resources },
	}
	const connection = { bin, kubeconfig }
	await kubectl(connection, ['create', '-f', '-'], JSON.stringify(node))
	await supervisor.start({
		name: 'kwok',
		command: join(bin, 'kwok'),
		args: [
			`--kubeconfig=${kubeconfig}`,
			`--config=${join(bin, 'kwok-stages.yaml')}`,
			'--manage-all-nodes=true',
			'--node-ip=127.0.0.1',
			'--node-lease-duration-seconds=40',
			`--server-address=127.0.0.1:${await supervisor.port()}`,
		],
	})
}

/** A pod that waits for the taint of a new node to go takes ten seconds longer. */
export async function untilNodeReady({ supervisor, bin }: Host, { kubeconfig }: Kubernetes): Promise<void> {
	const condition =
		'{range .items[*]}{.spec.taints}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{end}'
	const args = ['get', 'nodes', '-o', `jsonpath=${condition}`]
	await untilReady(supervisor, 'kwok', async () => (await kubectl({ bin, kubeconfig }, args)) === 'True')
}

export function apiServerHealth({ url, caPath }: Kubernetes): Health {
	return { url: `${url}/readyz`, caPath }
}
