import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'tsdown'
import type { Fault } from './faulty-disk.ts'

const SERVER = resolve(import.meta.dirname, '../../src/registry/server/index.ts')

/** Bundles a program that serves a registry from the directory it is given, over HTTP. @returns its path */
export async function buildServer(directory: string): Promise<string> {
	const entry = join(directory, 'serve.ts')
	writeFileSync(
		entry,
		`import { serveRegistry } from ${JSON.stringify(SERVER)}
		const log = ({ level, message }) => process.stderr.write(level + ': ' + message + '\\n')
		const limits = { journalBytes: Number(process.argv[3]) }
		const { url } = await serveRegistry({ dataDirectory: process.argv[2], port: 0, plainHttp: true, log, limits })
		process.stdout.write(url + '\\n')`,
	)
	await build({
		entry: { serve: entry, disk: join(import.meta.dirname, 'faulty-disk.ts') },
		outDir: join(directory, 'dist'),
		format: 'esm',
		platform: 'node',
		deps: { alwaysBundle: [/.*/], onlyBundle: false },
		config: false,
		dts: false,
		logLevel: 'silent',
	})
	return join(directory, 'dist/serve.mjs')
}

export interface RegistryProcess {
	/** `http://127.0.0.1:PORT`. */
	readonly url: string
	/** What it wrote to its log: nothing, as long as nothing is wrong. */
	log(): string
	/** Makes these calls to the disk fail from now on, and no others. */
	arm(...faults: readonly Fault[]): Promise<void>
	/** SIGKILL. */
	kill(): Promise<void>
}

export interface StartOptions {
	readonly program: string
	readonly data: string
	/** With more its journal is written anew. Default 16 MiB. */
	readonly journalBytes?: number
	/** Loads what {@link RegistryProcess.arm} needs. */
	readonly faulty?: boolean
	/** Program and arguments that start Node, and so may change what it runs in. */
	readonly inside?: readonly string[]
}

export async function startServer(options: StartOptions): Promise<RegistryProcess> {
	const { program, data, journalBytes = 16 * 1024 ** 2, faulty = false, inside = [] } = options
	const disk = faulty ? ['--import', join(program, '../disk.mjs')] : []
	const [command, ...args] = [...inside, process.execPath, ...disk, program, data, String(journalBytes)]
	const child = spawn(command ?? process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
	let said = ''
	child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
	const ended = once(child, 'exit')
	const first = await Promise.race([once(child.stdout ?? child, 'data'), ended])
	if (!(first[0] instanceof Buffer)) throw new Error(`the registry ended with ${String(first[0])}: ${said}`)
	return {
		url: first[0].toString().trim(),
		log: () => said,
		arm: (...faults) => armed(child, faults),
		async kill() {
			child.kill('SIGKILL')
			await ended
		},
	}
}

async function armed(child: ChildProcess, faults: readonly Fault[]): Promise<void> {
	child.send({ faults })
	await once(child, 'message')
}
