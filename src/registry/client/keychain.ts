import { homedir } from 'node:os'
import { join } from 'node:path'
import { type AuthFile, readAuthFile } from './auth-file.ts'
import { canonicalRegistry, type Credential } from './credential.ts'

/** Who we are at a registry. */
export interface Keychain {
	/**
	 * @param registry `host` or `host:port`
	 * @returns `undefined` when nothing is known: the registry is asked anonymously
	 * @throws UserError `CREDENTIALS_UNREADABLE`
	 */
	resolve(registry: string, repository: string): Promise<Credential | undefined>
}

export interface KeychainOverride {
	readonly registry: string
	readonly username: string
	readonly password: string
}

export interface KeychainOptions {
	/**
	 * Read: `LADING_USERNAME` and `LADING_PASSWORD` (for `LADING_REGISTRY`, or for every registry without it),
	 * `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, `HOME`, `XDG_RUNTIME_DIR`, and whatever a credential helper reads.
	 */
	readonly env: Readonly<Record<string, string | undefined>>
	/** Given on the command line; come before everything else. */
	readonly overrides?: readonly KeychainOverride[] | undefined
	readonly signal?: AbortSignal | undefined
}

/**
 * Finds credentials where docker, podman and their kin keep them. Files are read
 * when a registry first asks who we are, not before.
 */
export function createKeychain(options: KeychainOptions): Keychain {
	const { env, overrides = [] } = options
	const known = new Map<string, Promise<Credential | undefined>>()
	let files: readonly AuthFile[] | undefined

	async function find(registry: string, repository: string): Promise<Credential | undefined> {
		const override = overrides.find((each) => sameRegistry(each.registry, registry))
		if (override) return { kind: 'password', username: override.username, password: override.password }
		const fromEnvironment = environmentCredential(registry, env)
		if (fromEnvironment) return fromEnvironment
		files ??= authFilePaths(options).flatMap((path) => readAuthFile(path) ?? [])
		for (const file of files) {
			const helper = file.helperFor(registry)
			if (helper !== undefined) {
				const { askHelper } = await import('./credential-helper.ts')
				const server = helperServer(registry)
				const found = await askHelper(helper, server, { env, path: file.path, signal: options.signal })
				if (found) return found
			}
			const found = file.credentialFor(registry, repository)
			if (found) return found
		}
		return undefined
	}

	return {
		resolve(registry, repository) {
			const key = `${registry}/${repository}`
			let found = known.get(key)
			if (!found) known.set(key, (found = find(registry, repository)))
			return found
		},
	}
}

function environmentCredential(registry: string, env: KeychainOptions['env']): Credential | undefined {
	const { LADING_USERNAME: username, LADING_PASSWORD: password, LADING_REGISTRY: only } = env
	if (username === undefined || username === '' || password === undefined || password === '') return undefined
	if (only !== undefined && only !== '' && !sameRegistry(only, registry)) return undefined
	return { kind: 'password', username, password }
}

function authFilePaths({ env }: KeychainOptions): readonly string[] {
	const paths: string[] = []
	if (env['REGISTRY_AUTH_FILE']) paths.push(env['REGISTRY_AUTH_FILE'])
	paths.push(dockerConfigPath({ env }))
	if (env['XDG_RUNTIME_DIR']) paths.push(join(env['XDG_RUNTIME_DIR'], 'containers', 'auth.json'))
	return paths
}

/** Where docker keeps credentials, and the names of the helpers that do. */
export function dockerConfigPath({ env }: Pick<KeychainOptions, 'env'>): string {
	return join(env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker'), 'config.json')
}

function sameRegistry(a: string, b: string): boolean {
	return canonicalRegistry(a) === canonicalRegistry(b)
}

/** The name under which helpers store a registry. */
export function helperServer(registry: string): string {
	return canonicalRegistry(registry) === 'docker.io' ? 'https://index.docker.io/v1/' : registry
}
