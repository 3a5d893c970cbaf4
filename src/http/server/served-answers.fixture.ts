import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createHttpClient, type HttpClient, type Timeouts } from '../client/index.ts'
import { type Certificates, ensureCertificates } from './index.ts'

export interface Served {
	readonly url: string
	/** A client that trusts the server and asks once. */
	readonly http: HttpClient
}

type Serve = (scheme: string, answer: RequestListener) => Promise<Served>

/** Starts servers of node:http and node:https for the tests of a file, each for one test. */
export function servesAnswers(timeouts: Partial<Timeouts> = {}): Serve {
	let directory: string
	let certificates: Certificates
	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), 'lading-'))
		certificates = await ensureCertificates(directory, { names: ['127.0.0.1'], now: new Date() })
	})
	afterAll(() => rm(directory, { recursive: true, force: true }))

	const closers: (() => void)[] = []
	afterEach(() => {
		for (const close of closers.splice(0)) close()
	})

	return async (scheme, answer) => {
		const { certPem: cert, keyPem: key, caPem: ca } = certificates
		const server: Server = scheme === 'https' ? createTlsServer({ cert, key }, answer) : createServer(answer)
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		const http = createHttpClient({ ca, retry: { attempts: 1 }, timeouts })
		closers.push(() => {
			http.close()
			server.closeAllConnections()
			server.close()
		})
		return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`, http }
	}
}
