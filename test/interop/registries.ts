import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { MAIN } from '../e2e/program.ts'
import { goProgram } from './go-program.ts'

export const USER = 'ann'
export const PASSWORD = 'a secret: of ann'

/** A registry that runs, and what each tool must be told to reach it. */
export interface Registry {
	/** `127.0.0.1:PORT`. */
	readonly host: string
	/** Flags and variables of lading. */
	readonly flags: readonly string[]
	readonly env: Readonly<Record<string, string>>
	readonly oras: readonly string[]
	/** Of `skopeo copy`, from it. */
	readonly skopeo: readonly string[]
	stop(): Promise<void>
}

const plain = {
	flags: ['--plain-http'],
	env: {},
	oras: ['--plain-http'],
	skopeo: ['--src-tls-verify=false'],
}

/** Debian's docker-registry, without the referrers API. */
export async function startDockerRegistry(directory: string): Promise<Registry> {
	return await startDistributionLike('docker-registry', { directory, name: 'docker-registry' })
}

/** The registry of the distribution project, version 3. */
export async function startDistribution(directory: string): Promise<Registry> {
	const built = await goProgram({
		package: 'github.com/distribution/distribution/v3/cmd/registry',
		version: 'v3.1.2',
	})
	return await startDistributionLike(built, { directory, name: 'distribution' })
}

async function startDistributionLike(
	command: string,
	{ directory, name }: { readonly directory: string; readonly name: string },
): Promise<Registry> {
	const host = `127.0.0.1:${await freePort()}`
	const config = {
		version: 0.1,
		storage: { filesystem: { rootdirectory: join(directory, name) }, delete: { enabled: true } },
		http: { addr: host },
		log: { level: 'error' },
	}
	const file = join(directory, `${name}.json`)
	writeFileSync(file, JSON.stringify(config))
	const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' }
	const server = spawn(command, ['serve', file], { stdio: 'ignore', env })
	const failed = new Promise<never>((_, reject) => server.once('error', reject))
	await Promise.race([failed, answers(`http://${host}/v2/`)])
	return { ...plain, host, stop: () => stop(server) }
}

/** `lading registry serve`, plain or over TLS with a password. */
export async function startLadingRegistry(
	directory: string,
	options: { readonly tls: boolean },
): Promise<Registry> {
	const data = join(directory, options.tls ? 'lading-tls' : 'lading-plain')
	const htpasswd = `${data}.htpasswd`
	writeFileSync(htpasswd, `${USER}:${hashSync(PASSWORD, 4)}\n`)
	const flags = options.tls ? ['--htpasswd', htpasswd] : ['--plain-http']
	const args = [MAIN, 'registry', 'serve', '--json', '--port', '0', '--data', data, ...flags]
	const server = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
	let text = ''
	while (!text.includes('\n}\n')) {
		const [chunk] = (await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])) as [
			Buffer | number,
		]
		if (typeof chunk === 'number') throw new Error(`the registry ended with ${chunk}`)
		text += chunk.toString()
	}
	const { registry } = JSON.parse(text) as { registry: { url: string } }
	const host = new URL(registry.url).host
	if (!options.tls) return { ...plain, host, stop: () => stop(server) }
	// skopeo takes every .key of the directory for a client's.
	const certificates = join(directory, 'certificates')
	mkdirSync(certificates)
	copyFileSync(join(data, 'ca.crt'), join(certificates, 'ca.crt'))
	return {
		host,
		flags: ['--ca', join(data, 'ca.crt')],
		env: { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD },
		oras: ['--ca-file', join(data, 'ca.crt'), '--username', USER, '--password', PASSWORD],
		skopeo: [`--src-cert-dir=${certificates}`, `--src-creds=${USER}:${PASSWORD}`],
		stop: () => stop(server),
	}
}

async function stop(server: ChildProcess): Promise<void> {
	if (server.exitCode !== null || server.signalCode !== null) return
	const ended = once(server, 'exit')
	server.kill()
	await ended
}

async function answers(url: string): Promise<void> {
	for (;;) {
		const answer = await fetch(url).catch(() => undefined)
		await answer?.body?.cancel()
		if (answer) return
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
}

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const address = probe.address()
	await new Promise((resolve) => probe.close(resolve))
	if (address === null || typeof address === 'string') throw new Error('no port')
	return address.port
}
