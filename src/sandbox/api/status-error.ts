import { RemoteError, type ErrorCode } from '../../errors/index.ts'
import type { Fields, StatusCause } from '../../schema/index.ts'

/** The reasons of a Kubernetes `Status` that the sandbox answers, with their HTTP status. */
const REASONS = {
	BadRequest: 400,
	Unauthorized: 401,
	Forbidden: 403,
	NotFound: 404,
	MethodNotAllowed: 405,
	NotAcceptable: 406,
	AlreadyExists: 409,
	Conflict: 409,
	Expired: 410,
	RequestEntityTooLarge: 413,
	UnsupportedMediaType: 415,
	Invalid: 422,
	InternalError: 500,
	NotImplemented: 501,
	InsufficientStorage: 507,
} as const
export type StatusReason = keyof typeof REASONS

export interface StatusDetails {
	readonly name?: string | undefined
	readonly group?: string | undefined
	readonly kind?: string | undefined
	readonly uid?: string | undefined
	readonly causes?: readonly StatusCause[] | undefined
	readonly retryAfterSeconds?: number | undefined
}

/**
 * A "no" of the sandbox's API: over HTTP a `Status`, through the `Cluster` port the
 * RemoteError that any cluster's answer becomes.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export class StatusError extends RemoteError {
	readonly reason: StatusReason
	readonly statusCode: number
	private readonly statusDetails: StatusDetails | undefined

	constructor(reason: StatusReason, message: string, details?: StatusDetails) {
		super(codeOf(reason), message, {
			hint: 'This is the answer of the lading sandbox. Look at the object with kubectl.',
			wire: {
				method: 'CALL',
				url: 'https://lading-sandbox/',
				status: REASONS[reason],
				errors: [{ code: reason, message, ...(details && { detail: details }) }],
			},
		})
		this.reason = reason
		this.statusCode = REASONS[reason]
		this.statusDetails = details
	}

	/** The `Status` object as it goes over the wire. */
	get status(): Fields {
		return {
			kind: 'Status',
			apiVersion: 'v1',
			metadata: {},
			status: 'Failure',
			message: this.message,
			reason: this.reason,
			...(this.statusDetails && { details: this.statusDetails }),
			code: this.statusCode,
		}
	}
}

const CODES: Readonly<Partial<Record<StatusReason, ErrorCode>>> = {
	Unauthorized: 'UNAUTHENTICATED',
	Forbidden: 'FORBIDDEN',
	NotFound: 'NOT_FOUND',
	InsufficientStorage: 'DISK_FULL',
}

function codeOf(reason: StatusReason): ErrorCode {
	return CODES[reason] ?? 'CLUSTER_FAILED'
}

/** A resource as messages name it: `deployments.apps`. */
export interface ResourceName {
	readonly group: string
	readonly plural: string
	readonly kind: string
}

function qualified({ group, plural }: ResourceName): string {
	return group === '' ? plural : `${plural}.${group}`
}

export function notFound(resource: ResourceName, name: string): StatusError {
	return new StatusError('NotFound', `${qualified(resource)} "${name}" not found`, {
		name,
		group: resource.group,
		kind: resource.plural,
	})
}

export function alreadyExists(resource: ResourceName, name: string): StatusError {
	return new StatusError('AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
		name,
		group: resource.group,
		kind: resource.plural,
	})
}

export function conflict(resource: ResourceName, name: string, why?: string): StatusError {
	const reason =
		why ?? 'the object has been modified; please apply your changes to the latest version and try again'
	return new StatusError(
		'Conflict',
		`Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${reason}`,
		{
			name,
			group: resource.group,
			kind: resource.plural,
		},
	)
}

export function invalid(resource: ResourceName, name: string, causes: readonly StatusCause[]): StatusError {
	const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`
	const texts = causes.map((cause) =>
		cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`,
	)
	const all = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
	return new StatusError('Invalid', `${kind} "${name}" is invalid: ${all}`, {
		name,
		group: resource.group,
		kind: resource.kind,
		causes,
	})
}

export function badRequest(message: string): StatusError {
	return new StatusError('BadRequest', message)
}
