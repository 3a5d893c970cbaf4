import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { MAIN } from '../../test/e2e/program.ts'
import { findOnPath } from '../../test/real/stack/build.ts'
import { goProgram } from '../../test/interop/go-program.ts'

/** A registry that runs twice, in directories of its own: over HTTP, and over TLS with the certificate of all. */
export interface Contender {
	readonly name: 'lading' | 'distribution v3' | 'docker-registry'
	readonly http: Server
	readonly tls: Server
}

export interface Server {
	/** `127.0.0.1:PORT`. */
	readonly address: string
	readonly process: ChildProcess
}

export interface Field {
	readonly contenders: readonly Contender[]
	/** PEM file that all of them are trusted by. */
	readonly caPath: string
	stop(): Promise<void>
}

const DISTRIBUTION = {
	package: 'github.com/distribution/distribution/v3/cmd/registry',
	version: 'v3.1.2',
} as const

/** Starts lading, distribution, and Debian's docker-registry where it is installed. */
export async function startField(directory: string): Promise<Field> {
	const processes: ChildProcess[] = []
	const certificates = join(directory, 'lading-tls')
	const started = async (server: Promise<Server>): Promise<Server> => {
		const { process, address } = await server
		processes.push(process)
		return { process, address }
	}
	const lading: Contender = {
		name: 'lading',
		http: await started(startLading(join(directory, 'lading'), ['--plain-http'])),
		tls: await started(startLading(certificates, [])),
	}
	const distribution = async (name: Contender['name'], program: string): Promise<Contender> => ({
		name,
		http: await started(startDistribution(program, { directory: join(directory, name) })),
		tls: await started(
			startDistribution(program, { directory: join(directory, `${name} tls`), certificates }),
		),
	})
	const contenders = [lading, await distribution('distribution v3', await goProgram(DISTRIBUTION))]
	const debian = findOnPath('docker-registry')
	if (debian !== undefined) contenders.push(await distribution('docker-registry', debian))
	return {
		contenders,
		caPath: join(certificates, 'ca.crt'),
		stop: async () => {
			await Promise.all(processes.map(stop))
		},
	}
}

/** Resolves when the built program says that it listens. */
export async function startLading(data: string, flags: readonly string[]): Promise<Server> {
	const args = [MAIN, 'registry', 'serve', '--json', '--port', '0', '--data', data, ...flags]
	const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
	let text = ''
	while (!text.includes('\n}\n')) {
		const [chunk] = (await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])) as [unknown]
		if (!(chunk instanceof Buffer)) throw new Error(`the registry ended with ${String(chunk)}`)
		text += chunk.toString()
	}
	const { registry } = JSON.parse(text) as { readonly registry: { readonly url: string } }
	return { address: new URL(registry.url).host, process: server }
}

async function startDistribution(
	program: string,
	{ directory, certificates }: { readonly directory: string; readonly certificates?: string },
): Promise<Server> {
	const address = `127.0.0.1:${await freePort()}`
	const file = `${directory}.json`
	const config = {
		version: 0.1,
		log: { level: 'error', accesslog: { disabled: true } },
		storage: { filesystem: { rootdirectory: directory }, delete: { enabled: true } },
		http: {
			addr: address,
			secret: 'of the benchmark',
			...(certificates !== undefined && {
				tls: { certificate: join(certificates, 'server.crt'), key: join(certificates, 'server.key') },
			}),
		},
	}
	writeFileSync(file, JSON.stringify(config))
	const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' }
	const server = spawn(program, ['serve', file], { stdio: 'ignore', env })
	const ended = once(server, 'exit').then(([code]) => {
		throw new Error(`${program} ended with ${String(code)}`)
	})
	await Promise.race([ended, listens(address)])
	ended.catch(() => undefined)
	return { address, process: server }
}

async function listens(address: string): Promise<void> {
	for (;;) {
		const isThere = await fetch(`http://${address}/v2/`).then(
			() => true,
			() => false,
		)
		if (isThere) return
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}

export async function stop(server: ChildProcess): Promise<void> {
	if (server.exitCode !== null || server.signalCode !== null) return
	const ended = once(server, 'exit')
	server.kill()
	await ended
}

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const address = probe.address()
	await new Promise((resolve) => probe.close(resolve))
	if (address === null || typeof address === 'string') throw new Error('no port')
	return address.port
}
