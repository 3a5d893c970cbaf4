import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors/index.ts'
import {
	ensureServer,
	type Pause,
	runningServer,
	type ServerState,
	startInBackground,
	stopServer,
} from './background.ts'
import { STOP_MS } from '../registry/server/index.ts'
import type { Session } from './session.ts'
import type { RegistryEndpoint, RegistryState } from './state.ts'

/** The name under which a cluster knows the local registry, as in every kind setup. */
export const CLUSTER_REGISTRY = 'kind-registry:5000'

const DEFAULT_PORT = 5000
/** For it to end once it has nothing more to wait for, in milliseconds. */
const STOP_GRACE_MS = 5000

export interface LocalRegistry {
	readonly endpoint: RegistryEndpoint
	readonly server: ServerState
	/** Path of its CA. */
	readonly ca: string
	/** Whether this call started it. */
	readonly started: boolean
}

export interface RegistryUpOptions {
	/** Without it: the port it had, else 5000, else a free one. */
	readonly port?: number | undefined
	/** Patterns of tags that it keeps as they are; none. Counts when it is started. */
	readonly immutable?: readonly string[] | undefined
}

/**
 * Makes sure that the embedded registry runs.
 * @throws UserError `PORT_TAKEN` when the port was asked for
 */
export async function startRegistry(
	session: Session,
	options: RegistryUpOptions = {},
): Promise<LocalRegistry> {
	const { workspace } = session
	refuseOther(session, 'embedded')
	const running = runningServer(workspace.paths.registry)
	if (running && options.port !== undefined && options.port !== 0 && options.port !== running.port) {
		throw new UserError('ALREADY_RUNNING', `the registry runs on port ${running.port} already`, {
			hint: 'lading registry down --keep-data stops it; then start it on the other port.',
		})
	}
	const { server, started } = await ensureServer(
		workspace.paths.registry,
		async () => await launch(session, options),
		{ signal: session.signal },
	)
	const endpoint = endpointOf(server)
	copyFileSync(join(workspace.paths.registry, 'ca.crt'), workspace.paths.ca)
	if (workspace.state().registry?.endpoint.push !== endpoint.push) {
		workspace.update((state) => ({ ...state, registry: { kind: 'embedded', endpoint } }))
	}
	return { endpoint, server, ca: workspace.paths.ca, started }
}

function endpointOf({ port }: ServerState): RegistryEndpoint {
	return { push: `localhost:${port}`, cluster: CLUSTER_REGISTRY }
}

/**
 * A project has one local registry.
 * @throws UserError `ALREADY_RUNNING` where it has one of the other kind
 */
export function refuseOther({ workspace }: Session, wanted: RegistryState['kind']): void {
	const present = workspace.state().registry
	if (present === undefined || present.kind === wanted) return
	const what =
		present.kind === 'docker' ? `the registry container ${present.container}` : 'the embedded registry'
	throw new UserError('ALREADY_RUNNING', `this project has ${what} already`, {
		hint: 'lading registry down removes it, with its artifacts; another project is another directory.',
	})
}

async function launch(session: Session, { port, immutable }: RegistryUpOptions): Promise<ServerState> {
	const previous = session.workspace.state().registry?.endpoint.push.split(':')[1]
	const wishes = port === undefined ? [previous === undefined ? DEFAULT_PORT : Number(previous), 0] : [port]
	for (const wish of wishes) {
		try {
			return await launchOn(session, wish, immutable)
		} catch (error) {
			// A free port only if none was asked for: macOS's AirPlay and others sit on 5000.
			if (!(error instanceof UserError && error.code === 'PORT_TAKEN') || wish === wishes.at(-1)) throw error
			session.progress.note(`port ${wish} is taken; the registry takes a free one`)
		}
	}
	throw new UserError('PORT_TAKEN', 'no port was free')
}

async function launchOn(
	session: Session,
	port: number,
	immutable: readonly string[] = [],
): Promise<ServerState> {
	const { workspace, launcher, signal } = session
	if (!launcher) throw notRunning()
	const dataDirectory = workspace.paths.registry
	return await startInBackground({
		launcher,
		// Only this machine reaches it, and its sandbox has no password: also once a token was made.
		args: [
			'registry',
			'serve',
			'--data',
			dataDirectory,
			'--port',
			String(port),
			'--anonymous',
			'write',
			...immutable.flatMap((pattern) => ['--immutable', pattern]),
		],
		dataDirectory,
		signal,
	})
}

/** The embedded registry if it runs. */
export function findRegistry({ workspace }: Session): LocalRegistry | undefined {
	const server = runningServer(workspace.paths.registry)
	if (!server || !existsSync(workspace.paths.ca) || workspace.state().registry?.kind === 'docker')
		return undefined
	return { endpoint: endpointOf(server), server, ca: workspace.paths.ca, started: false }
}

/** The project's registry does not run; nothing of it is known. */
export function notRunning(): UserError {
	return new UserError('NOT_RUNNING', 'the local registry is not running', {
		hint: '"lading registry up" starts it. That of "lading registry serve --data DIR" is shown by "lading registry status --data DIR".',
	})
}

/** Stops the embedded registry; with `keepData` its content and its CA stay. @returns whether it ran */
export async function stopRegistry(
	session: Session,
	options: { readonly keepData: boolean; readonly pause?: Pause },
): Promise<boolean> {
	const { workspace } = session
	const server = runningServer(workspace.paths.registry)
	const { keepData, pause } = options
	const graceMs = STOP_MS + STOP_GRACE_MS
	const stopped = server !== undefined && (await stopServer(server, { graceMs, ...(pause && { pause }) }))
	if (keepData && existsSync(workspace.paths.registry)) return stopped
	rmSync(workspace.paths.registry, { recursive: true, force: true })
	rmSync(workspace.paths.ca, { force: true })
	workspace.update(({ registry: _, ...rest }) => rest)
	return stopped
}
