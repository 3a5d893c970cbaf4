import { createHash, X509Certificate } from 'node:crypto'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LadingError, UserError } from '../errors/index.ts'
import { createHttpClient } from '../http/client/index.ts'
import { ensureCertificates } from '../http/server/index.ts'
import {
	attach,
	type Docker,
	ensureRegistryContainer,
	isOfProject,
	projectLabel,
	REGISTRY_PORT,
	type RegistryContainerSpec,
	renewCertificate,
} from '../kind/index.ts'
import { readServerCertificate } from '../observe/index.ts'
import { freePort, isPortFree } from './free-port.ts'
import { releaseNetwork } from './kind-network.ts'
import { kindTools } from './kind-tools.ts'
import { findRegistry, type LocalRegistry, notRunning, refuseOther } from './local-registry.ts'
import type { Step } from './progress.ts'
import { readCa } from './registries.ts'
import type { Session } from './session.ts'
import type { DockerRegistryState, RegistryEndpoint } from './state.ts'

export interface DockerRegistry {
	readonly endpoint: RegistryEndpoint
	readonly container: string
	readonly image: string
	/** Path of its CA. */
	readonly ca: string
	/** Whether this call made or started it. */
	readonly started: boolean
}

export interface DockerRegistryOptions {
	/** Of this machine's loopback. Without it: the port it had, else 5000, else a free one. */
	readonly port?: number | undefined
	/** What it had, else `registry:3`. */
	readonly image?: string | undefined
	readonly step?: Step | undefined
}

/** The name that every kind setup gives to its registry. */
const CONTAINER = 'kind-registry'
const IMAGE = 'registry:3'
const DEFAULT_PORT = 5000
const ANSWER_TIMEOUT_MS = 60_000
const ANSWER_POLL_MS = 150

/**
 * Makes sure that a registry with TLS runs in a container of this project's own, with its
 * content in a volume. What of its name is somebody else's stays: then it has another name.
 * @throws UserError `TOOL_MISSING`, `DOCKER_NOT_RUNNING`, `PORT_TAKEN`, `TOOL_FAILED`
 */
export async function startDockerRegistry(
	session: Session,
	options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
	const { workspace, signal } = session
	refuseOther(session, 'docker')
	const { docker, network } = kindTools(session)
	await docker.version()
	const project = workspace.directory
	const known = dockerState(session)
	const name = await chooseName(docker, { project, known: known?.container })
	const certificate = await certificateFor(session, name)
	const { outcome, spec, endpoint } = await runContainer(session, docker, {
		options,
		spec: {
			name,
			image: options.image ?? known?.image ?? IMAGE,
			volume: known?.volume ?? `lading-registry-${shortId(project)}`,
			project,
			certificate,
		},
	})
	if ((await docker.network(network)) !== undefined) await attach(docker, { network, container: name })
	copyFileSync(certificate.caPath, workspace.paths.ca)
	await waitForAnswer(session, docker, spec)
	const renewed = await showsOther(spec, certificate.certPem, signal)
	if (renewed) {
		await renewCertificate(docker, spec)
		await waitForAnswer(session, docker, spec)
	}
	return {
		endpoint,
		container: name,
		image: spec.image,
		ca: workspace.paths.ca,
		started: outcome !== 'unchanged' || renewed,
	}
}

const PORT_ATTEMPTS = 4

interface RunningContainer {
	readonly outcome: 'made' | 'started' | 'unchanged'
	readonly spec: RegistryContainerSpec
	readonly endpoint: RegistryEndpoint
}

/** Chooses the port and runs the container; one that another program takes in between is given up, unless it was asked for. */
async function runContainer(
	session: Session,
	docker: Docker,
	{
		options,
		spec: portless,
	}: { readonly options: DockerRegistryOptions; readonly spec: Omit<RegistryContainerSpec, 'port'> },
): Promise<RunningContainer> {
	const known = dockerState(session)
	const { name, project, volume, image } = portless
	const onLine = (line: string): void => options.step?.update(line)
	for (let attempt = 1; ; attempt++) {
		const port = await choosePort(docker, { name, project, wanted: options.port, known })
		const spec = { ...portless, port }
		const endpoint: RegistryEndpoint = { push: `localhost:${port}`, cluster: `${name}:${REGISTRY_PORT}` }
		const remember = (made: string): void => {
			const registry = { kind: 'docker', endpoint, container: name, volume, image: made } as const
			const kept = known?.network === undefined ? {} : { network: known.network }
			session.workspace.update((state) => ({ ...state, registry: { ...registry, ...kept } }))
		}
		// Before it is made: an interrupted one is found again. An image that cannot be had is not kept.
		remember(known?.image ?? IMAGE)
		try {
			const outcome = await ensureRegistryContainer(docker, spec, { onLine })
			remember(image)
			return { outcome, spec, endpoint }
		} catch (error) {
			session.signal?.throwIfAborted()
			const why = await explainStart(docker, { error, spec })
			const mayRetry = options.port === undefined && attempt < PORT_ATTEMPTS
			if (!(mayRetry && why instanceof UserError && why.code === 'PORT_TAKEN')) throw why
		}
	}
}

/** What the state says of the registry's container. */
export function dockerState({ workspace }: Session): DockerRegistryState | undefined {
	const { registry } = workspace.state()
	return registry?.kind === 'docker' ? registry : undefined
}

/** The registry's container, if it runs. */
export async function findDockerRegistry(session: Session): Promise<DockerRegistry | undefined> {
	const state = dockerState(session)
	if (state === undefined) return undefined
	const { container: name, endpoint, image } = state
	const container = await kindTools(session).docker.container(name)
	if (container?.running !== true) return undefined
	return { endpoint, container: name, image, ca: session.workspace.paths.ca, started: false }
}

/** The project's registry of either kind. @throws UserError `NOT_RUNNING` */
export async function requireLocalRegistry(session: Session): Promise<LocalRegistry | DockerRegistry> {
	const registry = findRegistry(session) ?? (await findDockerRegistry(session))
	if (registry) return registry
	throw notRunning()
}

/**
 * Removes the registry's container and its volume; with `keepData` it is only stopped.
 * Also finds what a lost state file no longer tells of.
 * @returns whether there was one
 */
export async function stopDockerRegistry(
	session: Session,
	{ keepData }: { readonly keepData: boolean },
): Promise<boolean> {
	const { workspace } = session
	const { docker } = kindTools(session)
	const state = dockerState(session)
	const containers = await docker.containersWith(projectLabel(workspace.directory))
	if (keepData) {
		const running = containers.filter((each) => each.running)
		for (const { name } of running) await docker.stop(name)
		return running.length > 0
	}
	for (const { name } of containers) await docker.remove(name)
	const volume = state?.volume ?? `lading-registry-${shortId(workspace.directory)}`
	const marks = await docker.volume(volume)
	if (marks !== undefined && isOfProject(marks, workspace.directory)) await docker.removeVolume(volume)
	rmSync(workspace.paths.containerPki, { recursive: true, force: true })
	rmSync(workspace.paths.ca, { force: true })
	workspace.update(({ registry: _, ...rest }) => rest)
	await releaseNetwork(session, state?.network)
	return containers.length > 0 || marks !== undefined
}

async function chooseName(
	docker: Docker,
	{ project, known }: { readonly project: string; readonly known: string | undefined },
): Promise<string> {
	const own = `lading-registry-${shortId(project)}`
	for (const name of known === undefined ? [CONTAINER, own] : [known, CONTAINER, own]) {
		const present = await docker.container(name)
		if (present === undefined || isOfProject(present.labels, project)) return name
	}
	throw new UserError('NAME_TAKEN', `there is a container ${own}, which this project has not made`, {
		hint: `docker rename ${own} other`,
	})
}

function shortId(project: string): string {
	return createHash('sha256').update(project).digest('hex').slice(0, 8)
}

async function certificateFor(
	{ workspace }: Session,
	name: string,
): Promise<RegistryContainerSpec['certificate'] & { readonly caPath: string; readonly certPem: string }> {
	const directory = workspace.paths.containerPki
	const { certPem, caPath } = await ensureCertificates(directory, {
		names: [name, 'localhost', '127.0.0.1', '::1'],
		caName: 'lading registry',
	})
	return {
		certFile: join(directory, 'server.crt'),
		keyFile: join(directory, 'server.key'),
		fingerprint: new X509Certificate(certPem).fingerprint256,
		caPath,
		certPem,
	}
}

async function choosePort(
	docker: Docker,
	{
		name,
		project,
		wanted,
		known,
	}: {
		readonly name: string
		readonly project: string
		readonly wanted: number | undefined
		readonly known: DockerRegistryState | undefined
	},
): Promise<number> {
	const present = await docker.container(name)
	const isOurs = present !== undefined && isOfProject(present.labels, project)
	const held = isOurs ? present.ports[`${REGISTRY_PORT}/tcp`] : undefined
	const asked = wanted === 0 ? undefined : wanted
	if (held !== undefined && present?.running === true && (asked ?? held) === held) return held
	if (asked === undefined) {
		const before = held ?? (known === undefined ? undefined : Number(known.endpoint.push.split(':')[1]))
		return await freePort(before === undefined ? [DEFAULT_PORT] : [before, DEFAULT_PORT])
	}
	if (await isPortFree(asked)) return asked
	throw portTaken(asked)
}

function portTaken(port: number, cause?: unknown): UserError {
	return new UserError('PORT_TAKEN', `port ${port} is taken by another program`, {
		hint: 'Choose another with --port, or leave it out: then a free one is taken.',
		cause,
	})
}

/** A container that was made and cannot be started is of no use; who holds its port is told. */
async function explainStart(
	docker: Docker,
	{ error, spec }: { readonly error: unknown; readonly spec: RegistryContainerSpec },
): Promise<unknown> {
	const present = await docker.container(spec.name).catch(() => undefined)
	if (present === undefined || present.running || !isOfProject(present.labels, spec.project)) return error
	await docker.remove(spec.name)
	return (await isPortFree(spec.port)) ? error : portTaken(spec.port, error)
}

/** Waits until the registry answers over TLS. @throws UserError `SERVER_NOT_STARTED` with the end of its log */
async function waitForAnswer(session: Session, docker: Docker, spec: RegistryContainerSpec): Promise<void> {
	const { signal, workspace } = session
	const http = createHttpClient({ ca: readCa(workspace.paths.ca), retry: { attempts: 1 } })
	const notStarted = async (what: string, hint: string): Promise<UserError> =>
		new UserError('SERVER_NOT_STARTED', `the registry ${spec.name} ${what}`, {
			details: (await docker.logs(spec.name, 5)).map((line) => line.slice(0, 300)),
			hint,
		})
	let last: unknown
	try {
		for (let waited = 0; waited < ANSWER_TIMEOUT_MS; waited += ANSWER_POLL_MS) {
			signal?.throwIfAborted()
			try {
				const response = await http.request({
					method: 'GET',
					url: `https://127.0.0.1:${spec.port}/v2/`,
					retry: false,
					signal,
				})
				response.discard()
				return
			} catch (error) {
				if (!(error instanceof LadingError)) throw error
				// One that shows an old certificate answers, and is mended after this.
				if (error.kind === 'tls') return
				last = error
			}
			const container = await docker.container(spec.name)
			if (container?.running !== true && container?.status !== 'restarting')
				throw await notStarted(`ended with code ${container?.exitCode ?? '?'}`, `docker logs ${spec.name}`)
			await delay(ANSWER_POLL_MS, undefined, { signal })
		}
	} finally {
		http.close()
	}
	const why = last instanceof Error ? last.message : 'no answer'
	throw await notStarted(
		`does not answer on port ${spec.port}: ${why}`,
		'Where Docker runs on another machine (docker context show), its ports are not on this one.',
	)
}

/** Whether the registry shows another certificate than the one that was made for it. */
async function showsOther(
	{ port }: RegistryContainerSpec,
	certPem: string,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const shown = await readServerCertificate({ host: '127.0.0.1', port }, { signal })
	return shown !== undefined && shown.fingerprint !== new X509Certificate(certPem).fingerprint256
}
