import { join, resolve } from 'node:path'
import { serveUntilStopped } from '../../flows/index.ts'
import { serveRegistry } from '../../registry/server/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'

export interface RegistryServeFlags extends CommonFlags {
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
	const dataDirectory = resolve(cwd, flags.data ?? join('.lading', 'registry'))
	await serveUntilStopped({
		dataDirectory,
		instance: flags.instance,
		signal,
		now: () => new Date(),
		open: (instance) =>
			serveRegistry({
				dataDirectory,
				host: flags.host ?? '127.0.0.1',
				port: flags.port ?? DEFAULT_PORT,
				names: flags.name,
				htpasswd: flags.htpasswd === undefined ? undefined : resolve(cwd, flags.htpasswd),
				plainHttp: flags.plainHttp,
				instance,
			}),
		onReady: ({ url }) => {
			output.answer({
				text: flags.plainHttp
					? `Registry at ${url}`
					: `Registry at ${url}\nCA at ${join(dataDirectory, 'ca.crt')}`,
				document: { registry: { url, ca: flags.plainHttp ? undefined : join(dataDirectory, 'ca.crt') } },
			})
		},
	})
}
