import { isSystemError, LadingError } from '../../errors/index.ts'
import type { ServerResponse } from '../../http/server/index.ts'

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes */
export type WireCode =
	| 'BLOB_UNKNOWN'
	| 'BLOB_UPLOAD_INVALID'
	| 'BLOB_UPLOAD_UNKNOWN'
	| 'DIGEST_INVALID'
	| 'MANIFEST_BLOB_UNKNOWN'
	| 'MANIFEST_INVALID'
	| 'MANIFEST_UNKNOWN'
	| 'NAME_INVALID'
	| 'NAME_UNKNOWN'
	| 'SIZE_INVALID'
	| 'UNAUTHORIZED'
	| 'DENIED'
	| 'UNSUPPORTED'
	| 'TOOMANYREQUESTS'
	/** Of distribution, not of the specification: what no other code tells. */
	| 'UNKNOWN'

export interface WireFault {
	readonly code: WireCode
	readonly message: string
	readonly detail?: unknown
}

export type WireHeaders = Readonly<Record<string, string | number | readonly string[]>>

/** An answer with the error body of the specification. */
export function refuse(
	status: number,
	options: { readonly faults: readonly WireFault[]; readonly headers?: WireHeaders | undefined },
): ServerResponse {
	return {
		status,
		headers: { 'content-type': 'application/json', ...options.headers },
		body: JSON.stringify({ errors: options.faults }),
	}
}

/** {@link refuse} with one fault. */
export function fault(status: number, code: WireCode, message: string): ServerResponse {
	return refuse(status, { faults: [{ code, message }] })
}

/** The answer to a failure of the storage; `undefined` for what is no foreseeable one. */
export function storageFault(error: unknown): ServerResponse | undefined {
	if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
		return fault(507, 'UNKNOWN', 'the disk of the registry is full: nothing was stored')
	}
	if (isSystemError(error, 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE')) {
		return fault(500, 'UNKNOWN', `the registry cannot read or write its storage (${error.code})`)
	}
	if (error instanceof LadingError && error.code === 'ALREADY_RUNNING') {
		return fault(
			503,
			'UNKNOWN',
			'the registry has lost its directory to another process and stops: nothing was stored',
		)
	}
	if (error instanceof LadingError && error.code === 'CONTENT_CORRUPT') {
		return fault(500, 'UNKNOWN', error.message)
	}
	return undefined
}
