import { InternalError, isSystemError, LadingError, UserError } from './error.ts'

/** System calls that only look. `open` is not one of them: a file that is written is opened, too. */
const READING: ReadonlySet<string> = new Set([
	'access',
	'lstat',
	'opendir',
	'read',
	'readlink',
	'realpath',
	'scandir',
	'stat',
])

/** Any thrown value as an error of ours: interrupts, full disks and bugs are told apart here, once. */
export function asLadingError(error: unknown, signal?: AbortSignal): LadingError {
	// An interrupt that says what it left knows more than this does.
	const isTold = error instanceof LadingError && (error.kind === 'bug' || error.kind === 'interrupted')
	if (signal?.aborted === true && !isTold) {
		return new UserError('INTERRUPTED', 'interrupted', {
			cause: error,
			hint: 'Run the same command again: it finishes what is missing.',
		})
	}
	if (error instanceof LadingError) return error
	if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
		return new UserError(
			'DISK_FULL',
			`no space is left on the disk${error.path === undefined ? '' : ` for ${error.path}`}`,
			{
				cause: error,
				hint: 'Free some space and run the same command again.',
			},
		)
	}
	// A system call that was about a file: its reason is the file's, not ours.
	if (isSystemError(error) && error.path !== undefined && READING.has(error.syscall ?? '')) {
		return new UserError('FILE_UNREADABLE', `cannot read ${error.path} (${error.syscall}: ${error.code})`, {
			cause: error,
			hint: 'See that the path is right and that you may read it.',
		})
	}
	if (isSystemError(error) && error.path !== undefined) {
		return new UserError(
			'FILE_UNWRITABLE',
			`the system refuses ${error.path} (${error.syscall}: ${error.code})`,
			{
				cause: error,
				hint: 'See that the path is right and that you may read and write there.',
			},
		)
	}
	const text = error instanceof Error ? error.message : String(error)
	return new InternalError(`lading has a bug: ${text}`, {
		cause: error,
		hint: 'Please report it, with the output of the same command with LADING_DEBUG=1.',
	})
}
