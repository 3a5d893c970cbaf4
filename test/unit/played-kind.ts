import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../../src/flows/session.ts'
import { openWorkspace, type Workspace } from '../../src/flows/workspace.ts'
import { ensureCertificates, listen } from '../../src/http/server/index.ts'
import { inspected, type PlayedAnswer, playback, recorded } from '../../src/kind/recorded.fixture.ts'
import { openSandbox, sandboxKubeconfig } from '../../src/sandbox/api/index.ts'

type Answers = Readonly<Record<string, PlayedAnswer | readonly PlayedAnswer[]>>

export const NODES = 'docker ps --all --quiet --no-trunc --filter label=io.x-k8s.kind.cluster=lading'
export const REGISTRIES = 'docker ps --all --quiet --no-trunc --filter label=lading.project='
export const ON_NETWORK = 'docker ps --all --filter network=kind'
export const NETWORK = '[{"Name": "kind"}]'

/** A project whose docker and kind are played. */
export interface PlayedProject {
	readonly directory: string
	readonly workspace: Workspace
	/** A session of one command. `calls` has what was run, `told` the notes and warnings. */
	play(answers: Answers, signal?: AbortSignal): PlayedCommand
	remove(): void
}

export interface PlayedCommand {
	readonly session: Session
	readonly calls: readonly string[]
	/** Those of the calls that change something, without standard input. */
	changes(): readonly string[]
	readonly told: readonly string[]
}

const CHANGES =
	/^(?:kind (?:create|delete)|docker (?:create|cp|start|restart|stop|rm|(?:network|volume) (?:create|connect|rm)))\b/

export function createProject(): PlayedProject {
	const directory = mkdtempSync(join(tmpdir(), 'lading-'))
	const workspace = openWorkspace(directory)
	mkdirSync(workspace.directory)
	return {
		directory,
		workspace,
		play(answers, signal) {
			const { run, calls } = playback({ ...answers, ...without(quiet, answers) })
			const told: string[] = []
			const step = { update() {}, done() {}, unchanged() {}, fail() {} }
			const progress = {
				step: () => step,
				note: (text: string) => void told.push(text),
				warn: (text: string) => void told.push(text),
			}
			const session: Session = { workspace, env: {}, progress, runTool: run, signal }
			const changes = (): readonly string[] =>
				calls.filter((call) => CHANGES.test(call)).map((call) => call.split(' < ')[0] ?? '')
			return { session, calls, changes, told }
		},
		remove: () => rmSync(directory, { recursive: true, force: true }),
	}
}

function without(these: Answers, others: Answers): Answers {
	return Object.fromEntries(Object.entries(these).filter(([line]) => !(line in others)))
}

/** What every command may ask, and what a node answers that knows the registry. */
const quiet: Answers = {
	'docker version': recorded.dockerVersion,
	'kind version': recorded.kindVersion,
	'docker network inspect kind': NETWORK,
	[ON_NETWORK]: '',
	[REGISTRIES]: '',
	'docker network rm kind': '',
	'docker rm --force --volumes': '',
}

export interface Node {
	readonly id: string
	readonly name?: string
	readonly mark?: string | undefined
	readonly status?: 'running' | 'exited'
}

/** What Docker says of the containers of a cluster, or first of some and then of others. */
export function nodes(...rounds: readonly (readonly Node[])[]): Answers {
	const all = rounds.flat()
	return {
		[NODES]: rounds.map((round) => round.map(({ id }) => `${id}\n`).join('')),
		...Object.fromEntries(
			all.map(({ id, name = 'lading-control-plane', mark, status = 'running' }) => [
				`docker container inspect ${id}`,
				inspected({
					id,
					name,
					status,
					labels: { 'io.x-k8s.kind.cluster': 'lading', 'io.x-k8s.kind.role': 'control-plane' },
					mounts: mark === undefined ? ['/var'] : ['/var', `/opt/lading/${mark}`],
					networks: ['kind'],
				}),
			]),
		),
	}
}

/** The mark that a kind configuration gives to its nodes. */
export function markIn(call: string): string {
	return /\/opt\/lading\/([0-9a-f-]+)/.exec(call)?.[1] ?? ''
}

/** A Kubernetes API with CoreDNS and Argo CD, in place of the one that a node has. */
export interface PlayedApi {
	readonly kubeconfig: string
	/** PEM. */
	readonly ca: string
	/** Path of an installation of Argo CD. */
	readonly argocdManifest: string
	close(): Promise<void>
}

export async function servePlayedApi(directory: string): Promise<PlayedApi> {
	const pki = await ensureCertificates(join(directory, 'pki'), { names: ['127.0.0.1'] })
	const token = 'of-the-played-api'
	const sandbox = await openSandbox({ directory: join(directory, 'objects'), token })
	const argocd = deployment('argocd-repo-server', 'argocd')
	for (const object of [deployment('coredns', 'kube-system'), argocd]) {
		await sandbox.cluster.apply(object, { fieldManager: 'test', force: true })
	}
	const listener = await listen(sandbox.handler, {
		host: '127.0.0.1',
		port: 0,
		tls: { cert: pki.certPem, key: pki.keyPem },
	})
	const argocdManifest = join(directory, 'install.yaml')
	writeFileSync(argocdManifest, JSON.stringify(argocd))
	return {
		kubeconfig: sandboxKubeconfig({ server: listener.url, caPem: pki.caPem, token }).replaceAll(
			'lading-sandbox',
			'kind-lading',
		),
		ca: pki.caPem,
		argocdManifest,
		async close() {
			await listener.close({ graceMs: 100 })
			await sandbox.close()
		},
	}
}

function deployment(name: string, namespace: string) {
	const labels = { app: name }
	return {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name, namespace },
		spec: {
			selector: { matchLabels: labels },
			template: {
				metadata: { labels },
				spec: { containers: [{ name, image: 'quay.io/argoproj/argocd:v3.6.1' }] },
			},
		},
	}
}

/** A registry without content, with the certificate that was made for a project's container. */
export async function servePlayedRegistry(
	workspace: Workspace,
	port: number,
): Promise<{ close(): Promise<void> }> {
	const read = (file: string): string => readFileSync(join(workspace.paths.containerPki, file), 'utf8')
	const listener = await listen(() => ({ status: 200, body: '{"repositories": []}' }), {
		host: '127.0.0.1',
		port,
		tls: { cert: read('server.crt'), key: read('server.key') },
	})
	return { close: async () => await listener.close({ graceMs: 100 }) }
}
