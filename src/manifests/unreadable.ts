import { isSystemError, UserError } from '../errors/index.ts'

/** What a system error on reading a path is to the user. */
export function unreadable(path: string, error: unknown): UserError {
	const denied = isSystemError(error, 'EACCES', 'EPERM')
	const why = denied ? 'permission denied' : isSystemError(error) ? (error.code ?? 'unknown') : 'unknown'
	return new UserError('FILE_UNREADABLE', `cannot read ${path}: ${why}`, {
		...(denied && { hint: 'Give the user who runs lading the right to read it.' }),
		cause: error,
	})
}
