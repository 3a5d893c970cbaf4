import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Supervisor } from './supervisor.ts'

export interface Answer {
	readonly status: number
	readonly body: string
}

export interface Request {
	readonly method?: string
	readonly headers?: Readonly<Record<string, string>>
	readonly body?: string
	/** File of the CA that the server's certificate must be of. */
	readonly caPath?: string | undefined
}

/** One request, without retries, proxies or redirects. */
export function request(url: string, options: Request = {}): Promise<Answer> {
	const { method = 'GET', headers = {}, caPath } = options
	const send = url.startsWith('https:') ? httpsRequest : httpRequest
	const ca = caPath === undefined ? {} : { ca: readFileSync(caPath) }
	return new Promise((resolve, reject) => {
		send(url, { method, headers, agent: false, timeout: 5000, ...ca }, (response) => {
			text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
		})
			.on('timeout', function (this: { destroy(error: Error): void }) {
				this.destroy(new Error(`${url} does not answer`))
			})
			.on('error', reject)
			.end(options.body)
	})
}

/** Where a process says that it is of use: a 200 of this address. */
export interface Health {
	readonly url: string
	readonly caPath?: string
	readonly headers?: Readonly<Record<string, string>>
}

const POLL_MS = 100
/** On a quiet machine each of them takes a second or two. */
const READY_MS = 120_000

/**
 * Waits for a process that was started to be of use.
 * @throws Error with the end of its log, when it has ended or the time is over
 */
export async function untilReady(
	supervisor: Supervisor,
	name: string,
	ready: Health | (() => Promise<boolean>),
): Promise<void> {
	const isReady = typeof ready === 'function' ? ready : (): Promise<boolean> => isHealthy(ready)
	const end = Date.now() + READY_MS
	while (!(await isReady())) {
		const { running, error } = await supervisor.state(name)
		if (running && Date.now() < end) {
			await new Promise((resolve) => setTimeout(resolve, POLL_MS))
			continue
		}
		const why = running ? `is not ready after ${READY_MS / 1000} s` : `has ended${error ? `: ${error}` : ''}`
		throw new Error(`${name} ${why}\n${tailOf(supervisor.log(name))}`)
	}
}

async function isHealthy(health: Health): Promise<boolean> {
	const answer = await request(health.url, health).catch(() => undefined)
	return answer?.status === 200
}

const TAIL_LINES = 20

function tailOf(log: string): string {
	return log.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
}
