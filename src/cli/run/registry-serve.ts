import { join, resolve } from 'node:path'
import { readRegistrySettings } from '../../config/index.ts'
import { serveUntilStopped } from '../../flows/index.ts'
import { serveRegistry } from '../../registry/server/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export interface RegistryServeFlags extends CommonFlags {
	readonly config?: string
	readonly host?: string
	readonly port?: number
	readonly data?: string
	readonly htpasswd?: string
	readonly name?: readonly string[]
	readonly plainHttp?: boolean
	readonly instance?: string
}

const DEFAULT_PORT = 5000

export async function registryServe(
	{ output, cwd, signal }: Invocation,
	flags: RegistryServeFlags,
): Promise<void> {
	const settings = flags.config === undefined ? {} : await readRegistrySettings(resolve(cwd, flags.config))
	const { listen, auth } = settings
	const dataDirectory = resolve(cwd, flags.data ?? settings.data ?? join('.lading', 'registry'))
	const plainHttp = flags.plainHttp ?? listen?.plainHttp ?? false
	await serveUntilStopped({
		dataDirectory,
		instance: flags.instance,
		signal,
		now: () => new Date(),
		open: (instance) =>
			serveRegistry({
				dataDirectory,
				host: flags.host ?? listen?.host ?? '127.0.0.1',
				port: flags.port ?? listen?.port ?? DEFAULT_PORT,
				names: [...(listen?.names ?? []), ...(flags.name ?? [])],
				htpasswd: flags.htpasswd === undefined ? auth?.htpasswd : resolve(cwd, flags.htpasswd),
				plainHttp,
				instance,
			}),
		onReady: ({ url }) => {
			output.answer({
				text: plainHttp ? `Registry at ${url}` : `Registry at ${url}\nCA at ${join(dataDirectory, 'ca.crt')}`,
				document: { registry: { url, ca: plainHttp ? undefined : join(dataDirectory, 'ca.crt') } },
			})
		},
	})
}
