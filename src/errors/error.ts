import { errorCodes, type ErrorCode, type ErrorKind } from './codes.ts'
import { redactUrl } from './redact.ts'

export interface ErrorOptions {
	/** What to do next: a full sentence or a command, without a leading "hint:". */
	readonly hint?: string | undefined
	readonly cause?: unknown
	/** Further lines, one fact each, such as every refused file. */
	readonly details?: readonly string[] | undefined
}

/**
 * The one base of every foreseeable error. `message` says what happened and why,
 * `hint` what to do next; `code` is stable and decides the exit code.
 */
export abstract class LadingError extends Error {
	abstract override readonly name: string
	readonly code: ErrorCode
	readonly hint: string | undefined
	readonly details: readonly string[]

	constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.code = code
		this.hint = options.hint
		this.details = options.details ?? []
	}

	get kind(): ErrorKind {
		return errorCodes[this.code]
	}
}

/** The caller, the input or this machine is at fault: a person can mend it here. */
export class UserError extends LadingError {
	override readonly name = 'UserError'
}

/** One entry of the `errors` array of the distribution specification. */
export interface WireError {
	readonly code: string
	readonly message: string
	readonly detail?: unknown
}

/** What went over the wire. The URL is redacted by the constructor of {@link RemoteError}. */
export interface WireTruth {
	readonly method: string
	readonly url: string
	/** HTTP status; absent when there was no answer. */
	readonly status?: number | undefined
	/** `errors[]` of the registry, or the `Status` of a Kubernetes API as one entry. */
	readonly errors?: readonly WireError[] | undefined
	/** The start of a body that is neither. */
	readonly body?: string | undefined
	readonly retryable?: boolean | undefined
	/** Milliseconds that the other side asked to wait before the next attempt. */
	readonly retryAfter?: number | undefined
}

/** The other side (a registry, a cluster, a token service) is at fault, or says no. */
export class RemoteError extends LadingError {
	override readonly name = 'RemoteError'
	readonly wire: WireTruth | undefined

	constructor(
		code: ErrorCode,
		message: string,
		options: ErrorOptions & { readonly wire?: WireTruth | undefined } = {},
	) {
		super(code, message, options)
		this.wire = options.wire && { ...options.wire, url: redactUrl(options.wire.url) }
	}
}

/** A fault of lading's own: a state that cannot be. */
export class InternalError extends LadingError {
	override readonly name = 'InternalError'

	constructor(message: string, options: ErrorOptions = {}) {
		super('INTERNAL', message, options)
	}
}

/** Whether `error` is one of Node's system errors, optionally with one of `codes` (`ENOENT`, …). */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
	return (
		error instanceof Error &&
		!(error instanceof LadingError) &&
		'code' in error &&
		typeof error.code === 'string' &&
		(codes.length === 0 || codes.includes(error.code))
	)
}

/**
 * Compile-time proof that a union was handled whole.
 * @throws InternalError always, should it be reached at run time.
 */
export function unreachable(value: never): never {
	throw new InternalError(`unhandled case: ${JSON.stringify(value)}`)
}
