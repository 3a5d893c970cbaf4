import { isSystemError, UserError } from '../../../errors/index.ts'
import { WatchedFile } from './watched-file.ts'

/** bcrypt hashes by user. */
export type Users = ReadonlyMap<string, string>

const HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/
/** A round more doubles the time of a check: beyond this one it takes minutes. */
const MAX_COST = 16

/**
 * Opens a password file as `htpasswd -B` writes it. One that is gone or damaged later lets nobody in.
 * @throws UserError `CREDENTIALS_UNREADABLE`
 */
export function openPasswordFile(
	path: string,
	options: { readonly now: () => number; readonly onError: (error: unknown) => void },
): WatchedFile<Users> {
	try {
		return new WatchedFile<Users>(path, {
			...options,
			parse: (text) => parsePasswords(text, path),
			fallback: new Map(),
		})
	} catch (error) {
		throw isSystemError(error) ? unreadable(path, error) : error
	}
}

/** Of nobody's password, without its cost. */
const NOBODY = 'U0B1zskbNB8k1DUGUau/AOxnQ4O901gEyk3RFm4zCT595rQB0vQdq'
const DEFAULT_COST = '10'

/**
 * A hash for a name that is not in the file, as expensive as that of one of its users: the time of
 * an answer tells nothing. @param pick which of them; always the same for the same name
 */
export function decoyHash(users: Users, pick: number): string {
	const costs = [...users.values()].map((hash) => hash.slice(4, 6))
	return `$2b$${costs[pick % costs.length] ?? DEFAULT_COST}$${NOBODY}`
}

function unreadable(path: string, cause?: Error): UserError {
	const why = cause?.message ?? 'there is no such file'
	return new UserError('CREDENTIALS_UNREADABLE', `cannot read the password file ${path}: ${why}`, {
		hint: `Make one: htpasswd -cB -C 10 ${path} NAME`,
		...(cause && { cause }),
	})
}

function parsePasswords(text: string | undefined, path: string): Users {
	if (text === undefined) throw unreadable(path)
	const users = new Map<string, string>()
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		if (line.trim() === '' || line.startsWith('#')) continue
		const colon = line.indexOf(':')
		const hash = line.slice(colon + 1).trim()
		if (colon < 1 || !HASH.test(hash)) {
			throw new UserError(
				'CREDENTIALS_UNREADABLE',
				`line ${index + 1} of the password file ${path} is not NAME:HASH with a bcrypt hash`,
				{ hint: `Only bcrypt is taken: htpasswd -B -C 10 ${path} NAME` },
			)
		}
		if (Number(hash.slice(4, 6)) > MAX_COST) {
			throw new UserError(
				'CREDENTIALS_UNREADABLE',
				`line ${index + 1} of the password file ${path} has a hash that takes too long to check`,
				{ hint: `A cost of ${MAX_COST} is the most that is taken: htpasswd -B -C 10 ${path} NAME` },
			)
		}
		users.set(line.slice(0, colon), hash)
	}
	return users
}
