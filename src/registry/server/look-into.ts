import { isSystemError, UserError } from '../../errors/index.ts'

/**
 * Looks into the directory of a registry, and changes nothing.
 * @throws UserError `FILE_UNREADABLE` where this user may not; else what `look` throws
 */
export function lookInto<T>(directory: string, look: () => T): T {
	try {
		return look()
	} catch (error) {
		if (!isSystemError(error, 'EACCES', 'EPERM')) throw error
		throw new UserError('FILE_UNREADABLE', `cannot read ${directory}: ${error.message}`, {
			hint: 'Run it as the user that serves it.',
			cause: error,
		})
	}
}
