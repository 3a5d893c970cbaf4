/**
 * What kind of answer an error is. A kind decides the exit code (in `cli/`) and
 * nothing else in the program matches on a message.
 */
export type ErrorKind =
	/** The answer to the user's question is no. */
	| 'no'
	/** The command was called wrongly. */
	| 'usage'
	/** A file, an artifact or the configuration is not what it should be. */
	| 'input'
	/** Not authenticated, or not allowed. */
	| 'denied'
	| 'tls'
	/** A network, a registry or a cluster cannot be reached or does not work. */
	| 'unavailable'
	| 'not-found'
	| 'timeout'
	/** This machine cannot do it: a port, the disk, a missing tool. */
	| 'machine'
	/** A fault of lading's own. */
	| 'bug'
	| 'interrupted'

/**
 * Every code an error of lading can carry, with its {@link ErrorKind}. Codes are
 * stable: scripts match on them.
 */
export const errorCodes = {
	// the answer is no
	ARTIFACT_REFUSED: 'no',
	TAG_EXISTS: 'no',
	APPLICATION_OWNED: 'no',
	SYNC_FAILED: 'no',
	APPLICATION_DEGRADED: 'no',
	ARGOCD_UNSUPPORTED: 'no',
	REVISION_KEPT: 'no',
	IN_USE: 'no',
	DELETE_UNSUPPORTED: 'no',
	JOURNAL_DAMAGED: 'no',

	// wrong usage
	USAGE: 'usage',
	REGISTRY_UNKNOWN: 'usage',

	// bad input
	REFERENCE_INVALID: 'input',
	DIGEST_INVALID: 'input',
	DIRECTORY_INVALID: 'input',
	DIRECTORY_EMPTY: 'input',
	FILE_UNREADABLE: 'input',
	FILE_UNSUPPORTED: 'input',
	FILE_CHANGED: 'input',
	MANIFEST_UNPARSABLE: 'input',
	ARTIFACT_INVALID: 'input',
	CONFIG_INVALID: 'input',
	KUBECONFIG_INVALID: 'input',
	STATE_INVALID: 'input',
	JOURNAL_MISSING: 'input',
	OBJECT_INVALID: 'input',
	NAME_TAKEN: 'input',

	// who may do what
	UNAUTHENTICATED: 'denied',
	FORBIDDEN: 'denied',
	CREDENTIALS_UNREADABLE: 'denied',

	// transport security
	TLS_UNKNOWN_CA: 'tls',
	TLS_NAME_MISMATCH: 'tls',
	TLS_EXPIRED: 'tls',
	TLS_PROTOCOL: 'tls',
	CA_UNREADABLE: 'tls',
	CERTIFICATE_UNREADABLE: 'tls',

	// the other side
	CONNECTION_FAILED: 'unavailable',
	REGISTRY_FAILED: 'unavailable',
	REGISTRY_PROTOCOL: 'unavailable',
	CONTENT_CORRUPT: 'unavailable',
	CLUSTER_UNREACHABLE: 'unavailable',
	CLUSTER_FAILED: 'unavailable',
	ARGOCD_FAILED: 'unavailable',
	ARGOCD_NOT_READY: 'unavailable',
	NOT_RUNNING: 'unavailable',

	NOT_FOUND: 'not-found',
	TIMED_OUT: 'timeout',

	// this machine
	PORT_TAKEN: 'machine',
	DISK_FULL: 'machine',
	FILE_UNWRITABLE: 'machine',
	TOOL_MISSING: 'machine',
	TOOL_FAILED: 'machine',
	DOCKER_NOT_RUNNING: 'machine',
	SERVER_NOT_STARTED: 'machine',
	ALREADY_RUNNING: 'machine',

	INTERNAL: 'bug',
	INTERRUPTED: 'interrupted',
} as const

export type ErrorCode = keyof typeof errorCodes
