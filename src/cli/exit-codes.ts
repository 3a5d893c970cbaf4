import type { ErrorKind } from '../errors/index.ts'

/** Exit codes: what a script can rely on. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
	no: 1,
	usage: 2,
	input: 3,
	denied: 4,
	tls: 5,
	unavailable: 6,
	'not-found': 7,
	timeout: 8,
	machine: 9,
	bug: 70,
	interrupted: 130,
}

/** 128 + the number of the signal, as a shell reports it. */
export const signalExitCodes: Readonly<Record<'SIGHUP' | 'SIGINT' | 'SIGTERM', number>> = {
	SIGHUP: 129,
	SIGINT: 130,
	SIGTERM: 143,
}
