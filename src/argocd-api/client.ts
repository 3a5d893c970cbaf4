import * as v from 'valibot'
import { RemoteError, UserError } from '../errors/index.ts'
import { createHttpClient, type HttpClient, type HttpResponse } from '../http/client/index.ts'
import { type Call, connectionFailure, readRefusal, refusal } from './failure.ts'

export interface ArgocdRequest {
	readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined
	/** Below `/api/`, each segment encoded. */
	readonly path: string
	readonly query?: Readonly<Record<string, string | undefined>> | undefined
	readonly body?: unknown
	readonly signal?: AbortSignal | undefined
}

/**
 * Argo CD's own API, as argocd-server serves it by grpc-gateway. All throw RemoteError:
 * `ARGOCD_FAILED`, `NOT_FOUND`, `UNAUTHENTICATED`, `FORBIDDEN`, `CONNECTION_FAILED`, `TLS_*`;
 * the code of gRPC is that of `wire.errors[0]`.
 * @see argo-cd assets/swagger.json
 */
export interface ArgocdClient {
	readonly server: URL
	/** The answer's JSON. */
	json(request: ArgocdRequest): Promise<unknown>
	/** Each `result` of a stream; ends when the other side ends it, and throws after a silence of a minute. */
	stream(request: ArgocdRequest): AsyncGenerator<unknown, void, undefined>
}

export interface ArgocdClientOptions {
	/** As `parseArgocdAddress` gives it. */
	readonly server: URL
	/** A JWT: of an account, or of a project's role. */
	readonly token: string
	/** PEM certificates trusted besides the system's. */
	readonly ca?: string | undefined
	/** For proxies and `SSL_CERT_FILE`; empty. */
	readonly env?: Readonly<Record<string, string | undefined>> | undefined
	/** Ends everything. */
	readonly signal?: AbortSignal | undefined
	readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined
}

const MAX_BODY_BYTES = 128 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024
const MAX_LINE_CHARS = 16 * 1024 * 1024
/** A refresh is answered when the comparison is done. */
const HEADERS_MS = 120_000
/** Argo CD sends nothing where nothing happens; a dead connection is told from that by opening another one. */
const IDLE_MS = 60_000
const ATTEMPTS = 3

/** @throws UserError `UNAUTHENTICATED` for a token that cannot be one */
export function createArgocdClient(options: ArgocdClientOptions): ArgocdClient {
	const { server, env, ca, sleep, signal: life } = options
	const token = options.token.trim()
	if (!/^[\x21-\x7E]+$/.test(token)) {
		throw new UserError(
			'UNAUTHENTICATED',
			'the token in ARGOCD_AUTH_TOKEN is none: it has spaces or line breaks',
			{
				hint: 'Give it as argocd account generate-token prints it.',
			},
		)
	}
	const http = createHttpClient({
		ca,
		env,
		sleep,
		timeouts: { headers: HEADERS_MS, idle: IDLE_MS },
		retry: { attempts: ATTEMPTS },
	})
	const send = async (
		request: ArgocdRequest,
	): Promise<{ readonly response: HttpResponse; readonly call: Call }> => {
		const { method = 'GET', body } = request
		const url = urlOf(server, request)
		const call = { method, url }
		const response = await exchange(http, {
			method,
			url: url.href,
			redirect: 'manual',
			signal: anySignal(life, request.signal),
			headers: {
				accept: 'application/json',
				authorization: `Bearer ${token}`,
				// Argo CD answers 415 to whatever changes something and does not say this, with a body or without.
				...(method !== 'GET' && { 'content-type': 'application/json' }),
			},
			...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
		})
		if (response.status < 300) return { response, call }
		if (response.status < 400) {
			response.discard()
			throw redirected(call, response)
		}
		throw refusal(call, readRefusal(response.status, await startOf(response)))
	}

	return {
		server,
		async json(request) {
			const { response, call } = await send(request)
			const text = await response.text(MAX_BODY_BYTES).catch((error: unknown) => {
				throw connectionFailure(error, server)
			})
			const parsed = v.safeParse(v.pipe(v.string(), v.parseJson()), text)
			if (parsed.success) return parsed.output
			throw notArgocd(call)
		},
		async *stream(request) {
			const { response, call } = await send(request)
			for await (const text of linesOf(response)) yield resultOf(text, call)
		},
	}
}

async function exchange(
	http: HttpClient,
	request: Parameters<HttpClient['request']>[0],
): Promise<HttpResponse> {
	try {
		return await http.request(request)
	} catch (error) {
		if (request.signal?.aborted === true) throw request.signal.reason
		throw connectionFailure(error, new URL(request.url))
	}
}

async function startOf(response: HttpResponse): Promise<string> {
	try {
		return await response.text(MAX_ERROR_BYTES)
	} catch {
		return ''
	}
}

function urlOf(server: URL, { path, query = {} }: ArgocdRequest): URL {
	const url = new URL(server)
	url.pathname = `${url.pathname.replace(/\/$/, '')}/api/${path}`
	for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value)
	return url
}

function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
	const present = signals.filter((signal) => signal !== undefined)
	return present.length > 1 ? AbortSignal.any(present) : present[0]
}

function redirected({ method, url }: Call, { status, headers }: HttpResponse): RemoteError {
	const location = headers.location ?? ''
	const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined
	const toTls = target?.protocol === 'https:' && url.protocol === 'http:'
	return new RemoteError(
		'ARGOCD_FAILED',
		`${url.host} sends elsewhere${target ? `, to ${target.host}` : ''}`,
		{
			hint: toTls
				? `It speaks TLS: --cluster argocd:${target.host}`
				: 'A login page may stand before it. Give the address that argocd-server itself has.',
			wire: { method, url: url.href, status },
		},
	)
}

function notArgocd({ method, url }: Call): RemoteError {
	return new RemoteError(
		'ARGOCD_FAILED',
		`${url.host} answers with something that is no JSON: it is no Argo CD`,
		{
			hint: 'Check the address in --cluster argocd:HOST. Where Argo CD has a root path, it belongs to it: argocd:HOST/ROOT',
			wire: { method, url: url.href },
		},
	)
}

async function* linesOf(response: HttpResponse): AsyncGenerator<string, void, undefined> {
	const decoder = new TextDecoder()
	let rest = ''
	for await (const chunk of response.body) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
		rest = lines.pop() ?? ''
		if (rest.length > MAX_LINE_CHARS)
			throw new RemoteError('ARGOCD_FAILED', 'Argo CD sends a message that is too long')
		for (const text of lines) if (text.trim() !== '') yield text
	}
}

const resultLine = v.looseObject({ result: v.unknown() })
const errorLine = v.looseObject({
	error: v.looseObject({ grpc_code: v.number(), http_code: v.number(), message: v.string() }),
})
const line = v.pipe(v.string(), v.parseJson(), v.union([errorLine, resultLine]))

function resultOf(text: string, call: Call): unknown {
	const parsed = v.safeParse(line, text)
	if (!parsed.success) throw notArgocd(call)
	const failed = v.safeParse(errorLine, parsed.output)
	if (!failed.success) return parsed.output.result
	const { http_code: status, grpc_code: code, message } = failed.output.error
	throw refusal(call, { status, code, message })
}
