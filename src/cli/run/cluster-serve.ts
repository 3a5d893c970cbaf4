import { join, resolve } from 'node:path'
import { serveUntilStopped, serveSandbox } from '../../flows/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export interface ClusterServeFlags extends CommonFlags {
	readonly port?: number
	readonly data?: string
	readonly kubeconfig?: string
	readonly instance?: string
}

export async function clusterServe(
	{ output, cwd, env, signal }: Invocation,
	flags: ClusterServeFlags,
): Promise<void> {
	const dataDirectory = resolve(cwd, flags.data ?? join('.lading', 'sandbox'))
	const kubeconfig = resolve(cwd, flags.kubeconfig ?? join(dataDirectory, 'kubeconfig'))
	await serveUntilStopped({
		dataDirectory,
		instance: flags.instance,
		signal,
		now: () => new Date(),
		open: (instance) =>
			serveSandbox({
				dataDirectory,
				port: flags.port ?? 0,
				kubeconfig,
				instance,
				env,
				log: (line) => output.progress.note(line),
			}),
		onReady: ({ port }) => {
			output.answer({
				text: `Sandbox at https://127.0.0.1:${port}\nKubeconfig at ${kubeconfig}`,
				document: { cluster: { kind: 'sandbox', port, kubeconfig } },
			})
		},
	})
}
