import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { ensureCertificates } from '../../../src/http/server/index.ts'
import type { Host } from './kubernetes.ts'
import { type Health, untilReady } from './until.ts'

export interface Registry {
	/** `127.0.0.1:PORT`, the same for this machine and for Argo CD. */
	readonly host: string
	/** Of its process. */
	readonly name: string
	/** The CA of its certificate; a registry without one speaks plain HTTP. */
	readonly caPath?: string
	readonly username?: string
	readonly password?: string
	/** Flags of lading that reach it, without the credentials. */
	readonly flags: readonly string[]
	/** Variables with the credentials for lading. */
	readonly env: Readonly<Record<string, string>>
}

export interface RegistryOptions {
	/** Of its process, its directory and its log. */
	readonly name: string
	/** Directory of the authority that its certificate is of; without, it speaks plain HTTP. */
	readonly pki?: string
	readonly username?: string
	readonly password?: string
}

/** The names that a registry's certificate has. */
export const REGISTRY_NAMES: readonly string[] = ['127.0.0.1', 'localhost', 'kind-registry']

/** The registry of the distribution project, on a port and in a directory of its own. */
export async function startRegistry(
	{ supervisor, bin }: Host,
	{ name, pki, username, password }: RegistryOptions,
): Promise<Registry> {
	const host = `127.0.0.1:${await supervisor.port()}`
	const file = (suffix: string): string => join(supervisor.directory, `${name}${suffix}`)
	const certificates =
		pki === undefined
			? undefined
			: await ensureCertificates(pki, { names: REGISTRY_NAMES, caName: `${name} CA` })
	const hasPassword = username !== undefined && password !== undefined
	if (hasPassword) writeFileSync(file('.htpasswd'), `${username}:${await hash(password, 4)}\n`)
	const config = {
		version: 0.1,
		log: { level: 'info', accesslog: { disabled: false } },
		storage: { filesystem: { rootdirectory: file('.data') }, delete: { enabled: true } },
		http: {
			addr: host,
			secret: 'of the stack',
			...(pki === undefined
				? {}
				: { tls: { certificate: join(pki, 'server.crt'), key: join(pki, 'server.key') } }),
		},
		...(hasPassword ? { auth: { htpasswd: { realm: name, path: file('.htpasswd') } } } : {}),
	}
	writeFileSync(file('.json'), JSON.stringify(config, undefined, 2))
	await supervisor.start({
		name,
		command: join(bin, 'registry'),
		args: ['serve', file('.json')],
		env: { OTEL_TRACES_EXPORTER: 'none' },
	})
	const registry: Registry = {
		host,
		name,
		...(certificates ? { caPath: certificates.caPath } : {}),
		...(hasPassword ? { username, password } : {}),
		flags: certificates ? ['--ca', certificates.caPath] : ['--plain-http'],
		env: hasPassword ? { LADING_USERNAME: username, LADING_PASSWORD: password } : {},
	}
	await untilReady(supervisor, name, registryHealth(registry))
	return registry
}

/** Of its process. */
export function registryHealth({ host, caPath, username, password }: Registry): Health {
	const basic = Buffer.from(`${username}:${password}`).toString('base64')
	return caPath === undefined
		? { url: `http://${host}/v2/` }
		: {
				url: `https://${host}/v2/`,
				caPath,
				headers: username === undefined ? {} : { authorization: `Basic ${basic}` },
			}
}

/** The text of a registry's CA. */
export function caOf({ caPath, host }: Registry): string {
	if (caPath === undefined) throw new Error(`${host} speaks plain HTTP`)
	return readFileSync(caPath, 'utf8')
}
