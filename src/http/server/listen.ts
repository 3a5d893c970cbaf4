import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse as NodeResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls'
import { InternalError, isSystemError, UserError } from '../../errors/index.ts'
import { Connections } from './connections.ts'
import type { Handler, ServerRequest, ServerResponse } from './handler.ts'
import { HeldAnswers } from './held-answers.ts'
import { NodeRequest } from './request.ts'
import { respond } from './respond.ts'
import { whenInTurn } from './turns.ts'

export interface TlsOptions {
	/** PEM: the certificate, and the chain after it. */
	readonly cert: string
	/** PEM. */
	readonly key: string
	/** PEM of the CAs that client certificates are checked against. */
	readonly ca?: string | undefined
}

export interface ListenLimits {
	/** Of all headers of a request together. Default 16 KiB. */
	readonly headerBytes?: number | undefined
	/** Time for a client to shake hands, and then for it to send its headers, in milliseconds. Default 10 s. */
	readonly headersTimeoutMs?: number | undefined
	/** How long an unused connection is kept, in milliseconds. Default 60 s. */
	readonly idleMs?: number | undefined
	/**
	 * A body that makes no progress for so long, in either direction, ends its connection. Default 60 s. What
	 * a client acknowledges is progress on Linux; elsewhere what the system takes, which is up to 1.5 MB at a time.
	 */
	readonly stallMs?: number | undefined
	/**
	 * What answers that clients are slow to take keep in memory, all together, in bytes. With more, the one
	 * that has waited longest is cut. Default 128 MiB.
	 */
	readonly heldBytes?: number | undefined
	/** With more, the one that has been without a request longest is closed; where each has one, the new one. Default: no limit. */
	readonly maxConnections?: number | undefined
}

export interface ListenOptions {
	readonly host: string
	/** 0 takes any free port. */
	readonly port: number
	/** Without it: plain HTTP. */
	readonly tls?: TlsOptions | undefined
	/** Asks for a client certificate, but takes clients without. Default: false. */
	readonly requestClientCert?: boolean | undefined
	readonly limits?: ListenLimits | undefined
	/** What a handler threw, or a stream half-way. The client sees no more than a 500 or a cut connection. */
	readonly onError?: ((error: unknown, request: ServerRequest) => void) | undefined
	/** Closes the listener at once. */
	readonly signal?: AbortSignal | undefined
}

export interface Listener {
	readonly host: string
	readonly port: number
	/** `http://` or `https://` with host and port, without a path; `localhost` where it listens on every address. */
	readonly url: string
	/**
	 * Takes no new connections, lets requests under way finish for up to `graceMs`
	 * (default 0), then aborts their signals and cuts what is left.
	 */
	close(options?: { readonly graceMs?: number }): Promise<void>
	/** New connections get this certificate; those that exist go on. */
	reloadTls(tls: Pick<TlsOptions, 'cert' | 'key'>): void
}

const DEFAULT_HEADER_BYTES = 16 * 1024
const DEFAULT_HEADERS_TIMEOUT_MS = 10_000
const DEFAULT_IDLE_MS = 60_000
const DEFAULT_HELD_BYTES = 128 * 1024 * 1024
/** Every suite of Node.js, but AES-128 first, as in Go's servers: strong, and a third of the handshake's hashing. */
const CIPHERS = ['TLS_AES_128_GCM_SHA256', ...DEFAULT_CIPHERS.split(':')]
	.filter((name, index, all) => all.indexOf(name) === index)
	.join(':')

/**
 * Serves a {@link Handler} on node:http, or node:https with `tls`. `Upgrade` is not
 * spoken: such a request reaches the handler like any other.
 * @throws UserError `PORT_TAKEN`, `SERVER_NOT_STARTED`
 */
export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
	const stop = new AbortController()
	const { maxConnections } = options.limits ?? {}
	const connections = maxConnections === undefined ? undefined : new Connections(maxConnections)
	const state: ServingState = {
		handler,
		scheme: options.tls ? 'https' : 'http',
		stallMs: options.limits?.stallMs ?? DEFAULT_IDLE_MS,
		held: new HeldAnswers(options.limits?.heldBytes ?? DEFAULT_HELD_BYTES),
		connections,
		stopped: stop.signal,
		onError: options.onError,
		closing: false,
	}
	const server = options.tls ? createTlsServer(serverOptions(options)) : createServer(serverOptions(options))
	server.on('request', (incoming, outgoing) => serve(state, incoming, { outgoing, expectsContinue: false }))
	server.on('checkContinue', (incoming, outgoing) =>
		serve(state, incoming, { outgoing, expectsContinue: true }),
	)
	// Of TLS: before the handshake.
	if (connections) server.on('connection', (socket) => connections.admit(socket))

	await bind(server, options)
	server.on('error', () => undefined)
	const { port } = server.address() as AddressInfo

	let closed: Promise<void> | undefined
	const close = (graceMs: number): Promise<void> => {
		closed ??= closeServer(server, { state, stop, graceMs })
		return closed
	}
	if (options.signal?.aborted === true) await close(0)
	options.signal?.addEventListener('abort', () => void close(0), { once: true })
	return {
		host: options.host,
		port,
		url: `${state.scheme}://${urlHost(options.host)}:${port}`,
		close: (closeOptions) => close(closeOptions?.graceMs ?? 0),
		reloadTls({ cert, key }) {
			if (!('setSecureContext' in server)) throw new InternalError('reloadTls on a listener without TLS')
			server.setSecureContext(secureContext({ ...options.tls, cert, key }))
		},
	}
}

interface ServingState {
	readonly handler: Handler
	readonly scheme: 'http' | 'https'
	readonly stallMs: number
	readonly held: HeldAnswers
	/** Absent where there may be any number. */
	readonly connections: Connections | undefined
	readonly stopped: AbortSignal
	readonly onError: ListenOptions['onError']
	closing: boolean
}

function serverOptions({ tls, limits, requestClientCert }: ListenOptions): Record<string, unknown> {
	return {
		maxHeaderSize: limits?.headerBytes ?? DEFAULT_HEADER_BYTES,
		headersTimeout: limits?.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS,
		// A large upload over a slow line takes long; one that stalls is cut by stallMs.
		requestTimeout: 0,
		connectionsCheckingInterval: 5000,
		keepAliveTimeout: limits?.idleMs ?? DEFAULT_IDLE_MS,
		noDelay: true,
		...(tls && {
			...secureContext(tls),
			requestCert: requestClientCert === true,
			rejectUnauthorized: false,
			handshakeTimeout: limits?.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS,
		}),
	}
}

function secureContext({ cert, key, ca }: TlsOptions): SecureContextOptions {
	return { cert, key, ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2', ciphers: CIPHERS }
}

function bind(server: Server | TlsServer, { host, port }: ListenOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (error) => reject(bindError(error, { host, port })))
		server.listen({ host, port }, () => {
			server.removeAllListeners('error')
			resolve()
		})
	})
}

function bindError(
	error: unknown,
	{ host, port }: { readonly host: string; readonly port: number },
): UserError {
	if (isSystemError(error, 'EADDRINUSE')) {
		return new UserError('PORT_TAKEN', `port ${port} on ${host} is in use by another program`, {
			hint: 'Choose another with --port, or --port 0 for any free one.',
			cause: error,
		})
	}
	if (isSystemError(error, 'EACCES')) {
		return new UserError('PORT_TAKEN', `this system does not let you listen on port ${port} of ${host}`, {
			hint: 'Ports below 1024 are often kept for administrators: choose a higher one with --port.',
			cause: error,
		})
	}
	const why = isSystemError(error, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN')
		? 'it is not an address of this machine'
		: error instanceof Error
			? error.message
			: 'unknown reason'
	return new UserError('SERVER_NOT_STARTED', `cannot listen on ${host}: ${why}`, {
		hint: 'Choose an address of this machine with --host, such as 127.0.0.1.',
		cause: error,
	})
}

function urlHost(host: string): string {
	if (host === '0.0.0.0' || host === '::' || host === '') return 'localhost'
	return host.includes(':') ? `[${host}]` : host
}

function serve(
	state: ServingState,
	incoming: IncomingMessage,
	{ outgoing, expectsContinue }: { readonly outgoing: NodeResponse; readonly expectsContinue: boolean },
): void {
	// node:http gives an answer its connection when it is the next to go out.
	if (outgoing.socket === null) {
		whenInTurn(outgoing, () => serve(state, incoming, { outgoing, expectsContinue }))
		return
	}
	const use = state.connections?.useOf(outgoing.socket)
	if (use) use.pending++
	const request = new NodeRequest(incoming, outgoing, {
		scheme: state.scheme,
		stallMs: state.stallMs,
		stopped: state.stopped,
		expectsContinue,
	})
	const fail = (error: unknown): void => {
		// A client that went away is no fault of the handler.
		if (outgoing.destroyed && !outgoing.writableFinished && incoming.socket.destroyed) return
		state.onError?.(error, request)
		if (outgoing.headersSent) outgoing.destroy()
		else {
			for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
			answerWith({ status: 500, headers: { 'content-type': 'text/plain' }, body: 'internal error\n' })
		}
	}
	const answerWith = (answer: ServerResponse): void => {
		const { stallMs, held } = state
		const last = state.closing || request.awaitsContinue
		if (outgoing.destroyed) return
		respond(incoming, outgoing, { answer, context: { stallMs, held, use, last } })?.catch(fail)
	}
	try {
		const answer = state.handler(request)
		if (answer instanceof Promise) answer.then(answerWith).catch(fail)
		else answerWith(answer)
	} catch (error) {
		fail(error)
	}
}

async function closeServer(
	server: Server | TlsServer,
	{
		state,
		stop,
		graceMs,
	}: { readonly state: ServingState; readonly stop: AbortController; readonly graceMs: number },
): Promise<void> {
	state.closing = true
	const ended = new Promise<void>((resolve) => server.close(() => resolve()))
	server.closeIdleConnections()
	if (graceMs > 0) {
		const waiting = new AbortController()
		await Promise.race([
			ended.then(() => waiting.abort()),
			delay(graceMs, undefined, { signal: waiting.signal }).catch(() => undefined),
		])
	}
	stop.abort()
	server.closeAllConnections()
	await ended
}
