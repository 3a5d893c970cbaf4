import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isSystemError, UserError } from '../../errors/index.ts'
import type { ServerResponse } from '../../http/server/index.ts'
import { fault, refuse } from './wire.ts'

export interface HtpasswdOptions {
	/** File of `user:bcrypt-hash` lines, as `htpasswd -B` writes it. Read again when it changes. */
	readonly htpasswd: string
	/** Milliseconds since 1970. Default: the clock. */
	readonly now?: (() => number) | undefined
}

/** `undefined`: come in. At once for a password that was checked before. */
export type Authenticate = (
	authorization: string | undefined,
) => ServerResponse | undefined | Promise<ServerResponse | undefined>

/** How often the file is looked at, in milliseconds. */
const LOOK_MS = 1000
/** Checks under way and waiting: each takes a good part of a second of this process. */
const MAX_CHECKS = 16
const MAX_REMEMBERED = 1000
/** Of nobody's password; what a name that does not exist is compared with, so that it takes as long. */
const NOBODY = '$2b$10$U0B1zskbNB8k1DUGUau/AOxnQ4O901gEyk3RFm4zCT595rQB0vQdq'
const HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/

/**
 * Basic authentication against an htpasswd file.
 * @throws UserError `CREDENTIALS_UNREADABLE`
 */
export function createHtpasswd({ htpasswd: path, now = Date.now }: HtpasswdOptions): Authenticate {
	const key = randomBytes(32)
	let users = readUsers(path)
	let stamp = stampOf(path)
	let looked = now()
	/** Credentials found good, as keyed hashes: the comparison tells nothing by its time. */
	let remembered = new Set<string>()
	let checks = 0
	let queue: Promise<unknown> = Promise.resolve()

	const look = (): void => {
		if (now() - looked < LOOK_MS) return
		looked = now()
		const current = stampOf(path)
		if (current === stamp) return
		try {
			users = readUsers(path)
		} catch (error) {
			if (!(error instanceof UserError)) throw error
			// A file that is gone or damaged lets nobody in.
			users = new Map()
		}
		stamp = current
		remembered = new Set()
	}

	const check = async (credentials: Credentials, token: string): Promise<ServerResponse | undefined> => {
		const { compare } = await import('bcryptjs')
		const known = users
		const hash = known.get(credentials.user)
		const right = await compare(credentials.password, hash ?? NOBODY)
		if (!right || hash === undefined || users !== known) return unauthorized()
		if (remembered.size >= MAX_REMEMBERED) remembered.clear()
		remembered.add(token)
		return undefined
	}

	return (authorization) => {
		look()
		const credentials = parseBasic(authorization)
		if (!credentials) return unauthorized()
		const token = createHmac('sha256', key)
			.update(JSON.stringify([credentials.user, credentials.password]))
			.digest('base64')
		if (remembered.has(token)) return undefined
		if (checks >= MAX_CHECKS) return fault(429, 'TOOMANYREQUESTS', 'too many passwords to check, try again')
		checks++
		// One after the other: guesses must not take the whole process.
		const result = queue.then(() => (remembered.has(token) ? undefined : check(credentials, token)))
		queue = result.catch(() => undefined)
		return result.finally(() => checks--)
	}
}

interface Credentials {
	readonly user: string
	readonly password: string
}

function parseBasic(header: string | undefined): Credentials | undefined {
	const match = header === undefined ? null : /^Basic +([A-Za-z0-9+/=]{1,2048})$/i.exec(header)
	if (!match) return undefined
	const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8')
	const colon = text.indexOf(':')
	return colon < 1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function unauthorized(): ServerResponse {
	return refuse(401, {
		faults: [{ code: 'UNAUTHORIZED', message: 'a user name and a password are needed' }],
		headers: { 'www-authenticate': 'Basic realm="lading registry", charset="UTF-8"' },
	})
}

function readUsers(path: string): ReadonlyMap<string, string> {
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('CREDENTIALS_UNREADABLE', `cannot read the password file ${path}: ${error.message}`, {
			hint: `Make one: htpasswd -cB ${path} NAME`,
			cause: error,
		})
	}
	const users = new Map<string, string>()
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		if (line.trim() === '' || line.startsWith('#')) continue
		const colon = line.indexOf(':')
		const hash = line.slice(colon + 1).trim()
		if (colon < 1 || !HASH.test(hash)) {
			throw new UserError(
				'CREDENTIALS_UNREADABLE',
				`line ${index + 1} of the password file ${path} is not NAME:HASH with a bcrypt hash`,
				{ hint: `Only bcrypt is taken: htpasswd -B ${path} NAME` },
			)
		}
		users.set(line.slice(0, colon), hash)
	}
	return users
}

/** What changes when the file does. */
function stampOf(path: string): string {
	const stat = statSync(path, { throwIfNoEntry: false })
	return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.size}` : ''
}
