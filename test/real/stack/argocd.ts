import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { ensureCertificates } from '../../../src/http/server/index.ts'
import { kubectl } from './kubectl.ts'
import { type Host, type Kubernetes, writeKubeconfig } from './kubernetes.ts'
import { type Health, request, untilReady } from './until.ts'

export interface ArgoCd {
	readonly namespace: string
	/** `https://127.0.0.1:PORT`: argocd-server, its API and its webhook. */
	readonly url: string
	/** The CA of that certificate. */
	readonly caPath: string
	/** Of the account `admin`. */
	readonly password: string
	/** API token of the account `robot`, which may do everything; `Authorization: Bearer …`. */
	readonly token: string
	/** Directory that stands for the volume of `argocd-tls-certs-cm`: a file for each host. */
	readonly tlsDirectory: string
	/** Of its processes. */
	readonly health: Readonly<Record<string, Health>>
}

export interface ArgoCdOptions {
	/** Of `timeout.reconciliation`; without jitter. */
	readonly resync: string
}

const NAMESPACE = 'argocd'
const ACCOUNT = 'robot'
const PASSWORD = 'admin of the stack'
const PARTS = { 'app.kubernetes.io/part-of': 'argocd' }

/** Redis, repo-server, application-controller, argocd-server and applicationset-controller. */
export async function startArgoCd(
	host: Host,
	kubernetes: Kubernetes,
	options: ArgoCdOptions,
): Promise<ArgoCd> {
	const { supervisor, bin } = host
	const { directory } = supervisor
	const folder = (name: string): string => {
		mkdirSync(join(directory, name), { recursive: true, mode: 0o700 })
		return join(directory, name)
	}
	const certificates = await ensureCertificates(folder('argocd-pki'), {
		names: ['127.0.0.1', 'localhost', 'argocd-server', 'argocd-server.argocd.svc'],
		caName: 'test Argo CD CA',
	})
	await applyConfiguration(host, kubernetes, { ...options, ...certificates })
	const redis = `127.0.0.1:${await supervisor.port()}`
	await supervisor.start({
		name: 'redis',
		command: 'redis-server',
		args: [
			'--bind',
			'127.0.0.1',
			'--port',
			redis.slice('127.0.0.1:'.length),
			'--save',
			'',
			'--appendonly',
			'no',
		],
		cwd: folder('redis'),
	})
	const tlsDirectory = folder('tls')
	const mounts = {
		'tls-certs': tlsDirectory,
		'ssh-known-hosts': folder('ssh'),
		'gpg-keys': folder('gpg-source'),
	}
	// What the kubelet does for these ConfigMaps in a cluster, at once.
	await supervisor.start({
		name: 'dev-mounter',
		command: join(bin, 'dev-mounter'),
		args: [
			'--kubeconfig',
			kubernetes.kubeconfig,
			'--namespace',
			NAMESPACE,
			...Object.entries(mounts).flatMap(([name, path]) => ['--configmap', `argocd-${name}-cm=${path}`]),
		],
	})
	const env = {
		// Its own namespace is that of the context.
		KUBECONFIG: await writeKubeconfig(join(directory, 'argocd.kubeconfig'), {
			...kubernetes,
			commonName: 'argocd',
			organizations: ['system:masters'],
			namespace: NAMESPACE,
		}),
		// Kustomize and Helm are taken from PATH.
		PATH: `${bin}:${process.env.PATH}`,
		ARGOCD_FAKE_IN_CLUSTER: 'true',
		ARGOCD_GPG_ENABLED: 'false',
		ARGOCD_GNUPGHOME: folder('gpg'),
		ARGOCD_GPG_DATA_PATH: mounts['gpg-keys'],
		ARGOCD_TLS_DATA_PATH: tlsDirectory,
		ARGOCD_SSH_DATA_PATH: mounts['ssh-known-hosts'],
		ARGOCD_PLUGINSOCKFILEPATH: folder('plugins'),
		ARGOCD_ASK_PASS_SOCK: join(directory, 'ask-pass'),
		// In a cluster the manifests map argocd-cm to these.
		ARGOCD_RECONCILIATION_TIMEOUT: options.resync,
		ARGOCD_RECONCILIATION_JITTER: '0s',
		ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_PLAINTEXT: 'true',
		ARGOCD_APPLICATIONSET_CONTROLLER_REPO_SERVER_PLAINTEXT: 'true',
		ARGOCD_SERVER_REPO_SERVER_PLAINTEXT: 'true',
		// Nobody reads its events: a fifth of all that Kubernetes is asked.
		ARGOCD_ENABLE_K8S_EVENT: 'none',
	}
	const server = await startParts({ ...host, redis, env }, certificates.caPath)
	return {
		...server,
		namespace: NAMESPACE,
		password: PASSWORD,
		token: await issueToken(server),
		tlsDirectory,
	}
}

async function applyConfiguration(
	{ bin }: Host,
	{ kubeconfig }: Kubernetes,
	options: ArgoCdOptions & { readonly certPem: string; readonly keyPem: string },
): Promise<void> {
	const connection = { bin, kubeconfig }
	const apply = ['apply', '--server-side', '--namespace', NAMESPACE, '-f']
	await kubectl(connection, ['create', 'namespace', NAMESPACE])
	await kubectl(connection, [...apply, join(bin, 'argocd-crds.yaml')])
	await kubectl(connection, [...apply, join(bin, 'argocd-config.yaml')])
	const object = (kind: string, name: string, content: object): object => ({
		apiVersion: 'v1',
		kind,
		metadata: { name, namespace: NAMESPACE, labels: PARTS },
		...content,
	})
	const objects = [
		object('ConfigMap', 'argocd-cm', {
			data: {
				'timeout.reconciliation': options.resync,
				'timeout.reconciliation.jitter': '0s',
				[`accounts.${ACCOUNT}`]: 'apiKey',
			},
		}),
		object('ConfigMap', 'argocd-rbac-cm', { data: { 'policy.csv': `g, ${ACCOUNT}, role:admin` } }),
		object('Secret', 'argocd-secret', {
			stringData: {
				'admin.password': await hash(PASSWORD, 4),
				'admin.passwordMtime': '2026-01-01T00:00:00Z',
			},
		}),
		object('Secret', 'argocd-server-tls', {
			type: 'kubernetes.io/tls',
			stringData: { 'tls.crt': options.certPem, 'tls.key': options.keyPem },
		}),
	]
	const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
	await kubectl(connection, [...apply, '-', '--field-manager=stack'], list)
	const established = ['applications', 'appprojects', 'applicationsets'].map(
		(name) => `crd/${name}.argoproj.io`,
	)
	await kubectl(connection, ['wait', '--for=condition=Established', '--timeout=60s', ...established])
}

interface Parts extends Host {
	readonly redis: string
	readonly env: Readonly<Record<string, string>>
}

async function startParts(
	{ supervisor, bin, redis, env }: Parts,
	caPath: string,
): Promise<Pick<ArgoCd, 'url' | 'caPath' | 'health'>> {
	const at = async (): Promise<string> => `127.0.0.1:${await supervisor.port()}`
	const split = (address: string): readonly [string, string] => ['127.0.0.1', address.split(':')[1] ?? '']
	const start = (name: string, args: readonly string[]): Promise<void> =>
		supervisor.start({
			name,
			command: join(bin, 'argocd'),
			args: ['--loglevel', 'info', '--logformat', 'text', ...args],
			env: { ...env, ARGOCD_BINARY_NAME: `argocd-${name}` },
		})
	const listen = (prefix: string, [host, port]: readonly [string, string]): readonly string[] => [
		`--${prefix}address`,
		host,
		`--${prefix}port`,
		port,
	]
	const [repo, repoMetrics, controllerMetrics, server] = [await at(), await at(), await at(), await at()]
	await start('repo-server', [
		...listen('', split(repo)),
		...listen('metrics-', split(repoMetrics)),
		// Each call would be a handshake with RSA.
		'--disable-tls',
		'--client-ca-path=',
		'--redis',
		redis,
	])
	await start('application-controller', [
		'--redis',
		redis,
		'--repo-server',
		repo,
		'--metrics-port',
		split(controllerMetrics)[1],
	])
	await start('server', [
		...listen('', split(server)),
		...listen('metrics-', split(await at())),
		'--redis',
		redis,
		'--repo-server',
		repo,
		'--dex-server',
		'http://127.0.0.1:1',
	])
	await start('applicationset-controller', [
		'--metrics-addr',
		await at(),
		'--probe-addr',
		await at(),
		'--webhook-addr',
		await at(),
		'--argocd-repo-server',
		repo,
	])
	const url = `https://${server}`
	const health: Readonly<Record<string, Health>> = {
		'repo-server': { url: `http://${repoMetrics}/healthz` },
		'application-controller': { url: `http://${controllerMetrics}/healthz` },
		server: { url: `${url}/healthz`, caPath },
	}
	for (const [name, each] of Object.entries(health)) await untilReady(supervisor, name, each)
	return { url, caPath, health }
}

async function issueToken({
	url,
	caPath,
}: {
	readonly url: string
	readonly caPath: string
}): Promise<string> {
	const post = async (path: string, body: object, token?: string): Promise<string> => {
		const headers = {
			'content-type': 'application/json',
			...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
		}
		const answer = await request(`${url}${path}`, {
			method: 'POST',
			headers,
			body: JSON.stringify(body),
			caPath,
		})
		if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`)
		return (JSON.parse(answer.body) as { readonly token: string }).token
	}
	const session = await post('/api/v1/session', { username: 'admin', password: PASSWORD })
	return post(`/api/v1/account/${ACCOUNT}/token`, { expiresIn: 0 }, session)
}
