import { Agent, request } from 'node:http'

export interface Answer {
	readonly status: number
	readonly headers: Readonly<Record<string, string | string[] | undefined>>
	readonly bytes: Buffer
}

export interface Ask {
	readonly headers?: Readonly<Record<string, string>>
	readonly body?: Uint8Array | string
}

/** Asks a server over connections that stay open. Rejects where the connection breaks. */
export type Exchange = (line: string, ask?: Ask) => Promise<Answer>

export function exchangeWith(url: string): Exchange {
	const agent = new Agent({ keepAlive: true })
	return (line, { headers = {}, body = '' } = {}) =>
		new Promise((resolve, reject) => {
			const [method = '', path = ''] = line.split(' ')
			const length = String(Buffer.byteLength(body))
			const options = { method, agent, headers: { 'content-length': length, ...headers } }
			const sent = request(`${url}${path}`, options, (response) => {
				const chunks: Buffer[] = []
				response.on('data', (chunk: Buffer) => chunks.push(chunk))
				response.on('error', reject)
				response.on('end', () =>
					resolve({
						status: response.statusCode ?? 0,
						headers: response.headers,
						bytes: Buffer.concat(chunks),
					}),
				)
			})
			sent.on('error', reject)
			sent.end(body)
		})
}
