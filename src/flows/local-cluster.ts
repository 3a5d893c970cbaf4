import { rmSync } from 'node:fs'
import { UserError } from '../errors/index.ts'
import { ensureServer, runningServer, type ServerState, startInBackground, stopServer } from './background.ts'
import type { Session } from './session.ts'

export interface LocalCluster {
	readonly server: ServerState
	readonly kubeconfig: string
	/** Whether this call started it. */
	readonly started: boolean
}

/** Makes sure that the sandbox runs. It keeps its port, so that a kubeconfig in use stays right. */
export async function startSandbox(
	session: Session,
	options: { readonly port?: number | undefined } = {},
): Promise<LocalCluster> {
	const { workspace } = session
	const { cluster } = workspace.state()
	if (cluster?.kind === 'kind') {
		throw new UserError('ALREADY_RUNNING', `this project has the kind cluster "${cluster.name}" already`, {
			hint: 'lading down removes what it made; another project is another directory.',
		})
	}
	const running = runningServer(workspace.paths.sandbox)
	if (running && options.port !== undefined && options.port !== 0 && options.port !== running.port) {
		throw new UserError('ALREADY_RUNNING', `the sandbox runs on port ${running.port} already`, {
			hint: 'lading cluster down stops it and removes its objects.',
		})
	}
	const { server, started } = await ensureServer(
		workspace.paths.sandbox,
		async () => await launch(session, options.port),
		{ signal: session.signal },
	)
	if (cluster?.port !== server.port) {
		workspace.update((state) => ({ ...state, cluster: { kind: 'sandbox', port: server.port } }))
	}
	return { server, kubeconfig: workspace.paths.kubeconfig, started }
}

async function launch(session: Session, port: number | undefined): Promise<ServerState> {
	const { cluster } = session.workspace.state()
	const previous = cluster?.kind === 'sandbox' ? cluster.port : undefined
	const wishes = port === undefined ? [previous ?? 0, 0] : [port]
	for (const wish of wishes) {
		try {
			return await launchOn(session, wish)
		} catch (error) {
			if (!(error instanceof UserError && error.code === 'PORT_TAKEN') || wish === wishes.at(-1)) throw error
		}
	}
	throw new UserError('PORT_TAKEN', 'no port was free')
}

async function launchOn({ workspace, launcher, signal }: Session, port: number): Promise<ServerState> {
	if (!launcher)
		throw new UserError('NOT_RUNNING', 'the sandbox is not running', { hint: 'lading cluster up' })
	const dataDirectory = workspace.paths.sandbox
	return await startInBackground({
		launcher,
		args: [
			'cluster',
			'serve',
			'--data',
			dataDirectory,
			'--kubeconfig',
			workspace.paths.kubeconfig,
			'--port',
			String(port),
		],
		dataDirectory,
		signal,
	})
}

/** The sandbox if it runs. */
export function findSandbox({ workspace }: Session): LocalCluster | undefined {
	const server = runningServer(workspace.paths.sandbox)
	return server && { server, kubeconfig: workspace.paths.kubeconfig, started: false }
}

/** Stops the sandbox and removes its objects. @returns whether it ran */
export async function stopSandbox({ workspace }: Session): Promise<boolean> {
	if (workspace.state().cluster?.kind === 'kind') return false
	const server = runningServer(workspace.paths.sandbox)
	const stopped = server !== undefined && (await stopServer(server))
	rmSync(workspace.paths.sandbox, { recursive: true, force: true })
	rmSync(workspace.paths.kubeconfig, { force: true })
	workspace.update(({ cluster: _, ...rest }) => ({
		...rest,
		applications: rest.applications.filter((application) => application.cluster !== 'sandbox'),
	}))
	return stopped
}
