import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { serveSandbox as serveFlow } from '../../flows/index.ts'
import { inProject, type ProjectOptions, type RunningServer } from '../project.ts'

export interface ServeSandboxOptions extends ProjectOptions {
	/** Default: `.lading/sandbox`. */
	readonly dataDirectory?: string | undefined
	/** Default 0: any free one. */
	readonly port?: number | undefined
	/** Path of the kubeconfig that is written. Default: `kubeconfig` in the data directory. */
	readonly kubeconfig?: string | undefined
	/** Told what its controller does. */
	readonly log?: ((line: string) => void) | undefined
}

export interface RunningSandbox extends RunningServer {
	/** Path. */
	readonly kubeconfig: string
}

export async function serveSandbox(options: ServeSandboxOptions = {}): Promise<RunningSandbox> {
	return await inProject(options, async ({ at, session }) => {
		const { dataDirectory: given, log = () => undefined } = options
		const dataDirectory = given === undefined ? session.workspace.paths.sandbox : at(given)
		const kubeconfig = resolve(
			dataDirectory,
			options.kubeconfig === undefined ? 'kubeconfig' : at(options.kubeconfig),
		)
		const instance = randomBytes(8).toString('hex')
		const port = options.port ?? 0
		const served = await serveFlow({ dataDirectory, port, kubeconfig, instance, env: session.env, log })
		return {
			port: served.port,
			url: `https://127.0.0.1:${served.port}`,
			kubeconfig,
			close: async () => await served.close(),
		}
	})
}
