import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureCertificates, listen } from '../http/server/index.ts'
import { lockDirectory } from '../registry/server/index.ts'
import { openSandbox, sandboxKubeconfig } from '../sandbox/api/index.ts'
import { runController } from '../sandbox/controller/index.ts'
import { hostOfRegistry } from './registry-hosting.ts'
import type { ServedBy } from './serve.ts'

export interface ServeSandboxOptions {
	readonly dataDirectory: string
	/** 0: any free one. */
	readonly port: number
	readonly kubeconfig: string
	readonly instance: string
	/** `PATH` of which names the tools that render Kustomize and Helm. */
	readonly env: Readonly<Record<string, string | undefined>>
	readonly log: (line: string) => void
}

const HOST = '127.0.0.1'

/**
 * Serves the sandbox: a Kubernetes API over TLS, and the stand-in for Argo CD's controller.
 * @throws UserError `ALREADY_RUNNING` when another process serves the directory, `PORT_TAKEN`
 */
export async function serveSandbox(options: ServeSandboxOptions): Promise<ServedBy> {
	const lock = lockDirectory(options.dataDirectory, {
		hint: 'Use that sandbox, stop it with "lading cluster down", or choose another directory with --data.',
	})
	try {
		const served = await open(options)
		return {
			port: served.port,
			async close() {
				await served.close()
				lock.release()
			},
		}
	} catch (error) {
		lock.release()
		throw error
	}
}

async function open(options: ServeSandboxOptions): Promise<ServedBy> {
	const { dataDirectory } = options
	const certificates = await ensureCertificates(join(dataDirectory, 'pki'), {
		names: ['localhost', HOST, '::1', 'kubernetes.default.svc'],
		caName: 'lading sandbox',
	})
	const token = readToken(join(dataDirectory, 'token'))
	const sandbox = await openSandbox({
		directory: join(dataDirectory, 'objects'),
		token,
		instance: options.instance,
	})
	const listener = await listen(sandbox.handler, {
		host: HOST,
		port: options.port,
		tls: { cert: certificates.certPem, key: certificates.keyPem },
	})
	writeWhole(
		options.kubeconfig,
		sandboxKubeconfig({ server: listener.url, caPem: certificates.caPem, token }),
	)
	const stop = new AbortController()
	const controller = runController({
		cluster: sandbox.cluster,
		connectTo: (registry) => hostOfRegistry(sandbox.cluster, registry),
		environment: { PATH: options.env.PATH },
		signal: stop.signal,
		log: options.log,
	})
	return {
		port: listener.port,
		async close() {
			stop.abort()
			await controller
			await listener.close({ graceMs: 1000 })
			await sandbox.close()
		},
	}
}

function readToken(path: string): string {
	if (existsSync(path)) return readFileSync(path, 'utf8').trim()
	const token = randomBytes(32).toString('base64url')
	writeWhole(path, `${token}\n`)
	return token
}

function writeWhole(path: string, text: string): void {
	const temporary = `${path}.${process.pid}.tmp`
	writeFileSync(temporary, text, { mode: 0o600, flush: true })
	renameSync(temporary, path)
}
