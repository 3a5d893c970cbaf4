import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isSystemError, UserError } from '../../../errors/index.ts'
import { lockDirectory } from '../directory-lock.ts'
import { replaceFile } from '../replace-file.ts'
import { formatTokens, makeToken, type NewToken, parseTokens, type StoredToken } from './token.ts'
import { WatchedFile } from './watched-file.ts'

/** Tokens by their id; `undefined` where there is no file, and nobody has ever made one. */
export type Tokens = ReadonlyMap<string, StoredToken> | undefined

const FILE = 'tokens.json'
const LOCK = 'tokens.lock'
const LOCK_ATTEMPTS = 100
const LOCK_POLL_MS = 50

/**
 * The tokens of a data directory, as they are now. A file that is damaged lets nobody in.
 * @throws UserError `CREDENTIALS_UNREADABLE`
 */
export function openTokenFile(
	dataDirectory: string,
	options: { readonly now: () => number; readonly onError: (error: unknown) => void },
): WatchedFile<Tokens> {
	const path = join(dataDirectory, FILE)
	try {
		return new WatchedFile<Tokens>(path, {
			...options,
			parse: (text) =>
				text === undefined ? undefined : new Map(parseTokens(text, path).map((token) => [token.id, token])),
			fallback: new Map(),
		})
	} catch (error) {
		throw isSystemError(error) ? unreadable(path, error) : error
	}
}

/** Whether a token was ever made for a data directory. */
export function tokensExist(dataDirectory: string): boolean {
	return existsSync(join(dataDirectory, FILE))
}

/** @throws UserError `CREDENTIALS_UNREADABLE` */
export function readTokens(dataDirectory: string): readonly StoredToken[] {
	const path = join(dataDirectory, FILE)
	try {
		return parseTokens(readFileSync(path, 'utf8'), path)
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return []
		throw isSystemError(error) ? unreadable(path, error) : error
	}
}

/**
 * {@link readTokens} for whoever asks about them.
 * @throws UserError `NOT_FOUND` where there is no such directory
 */
export function listTokens(dataDirectory: string): readonly StoredToken[] {
	if (existsSync(dataDirectory)) return readTokens(dataDirectory)
	throw new UserError('NOT_FOUND', `there is no registry in ${dataDirectory}`, {
		hint: 'Name its directory with --data DIR, or the file of its settings with --config FILE, as registry serve has it.',
	})
}

/**
 * Makes a token. A registry that runs on the directory takes it within a second.
 * @returns the token, which is kept nowhere, and what is
 * @throws UserError `CREDENTIALS_UNREADABLE`, `FILE_UNWRITABLE`
 */
export async function createToken(
	dataDirectory: string,
	options: NewToken,
): Promise<{ readonly text: string; readonly stored: StoredToken }> {
	const made = makeToken(options)
	await change(dataDirectory, (tokens) => [...tokens, made.stored])
	return made
}

/**
 * Takes tokens away, by id or by name.
 * @returns those that were there
 * @throws UserError `NOT_FOUND` where there is no such directory, `CREDENTIALS_UNREADABLE`, `FILE_UNWRITABLE`
 */
export async function revokeTokens(dataDirectory: string, idOrName: string): Promise<readonly StoredToken[]> {
	const matches = ({ id, name }: StoredToken): boolean => id === idOrName || name === idOrName
	if (!listTokens(dataDirectory).some(matches)) return []
	let revoked: readonly StoredToken[] = []
	await change(dataDirectory, (tokens) => {
		revoked = tokens.filter(matches)
		return tokens.filter((token) => !matches(token))
	})
	return revoked
}

/** One at a time; whoever reads sees the old file or the new one. */
async function change(
	dataDirectory: string,
	edit: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<void> {
	const release = await lock(join(dataDirectory, LOCK))
	try {
		mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
		replaceFile(join(dataDirectory, FILE), formatTokens(edit(readTokens(dataDirectory))))
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('FILE_UNWRITABLE', `cannot write into ${dataDirectory}: ${error.message}`, {
			hint: 'Choose another directory with --data, or mend its permissions.',
			cause: error,
		})
	} finally {
		release()
	}
}

async function lock(directory: string): Promise<() => void> {
	for (let attempt = 1; ; attempt++) {
		try {
			const { release } = lockDirectory(directory, { hint: 'Try again in a moment.' })
			return () => {
				release()
				removeIfEmpty(directory)
			}
		} catch (error) {
			const isGone = error instanceof UserError && isSystemError(error.cause, 'ENOENT')
			const isTaken = error instanceof UserError && error.code === 'ALREADY_RUNNING'
			if ((!isTaken && !isGone) || attempt === LOCK_ATTEMPTS) throw error
			// Two that meet give way to each other: not at the same pace.
			await delay(LOCK_POLL_MS * (0.5 + Math.random()))
		}
	}
}

function removeIfEmpty(directory: string): void {
	try {
		rmdirSync(directory)
	} catch (error) {
		if (!isSystemError(error)) throw error
	}
}

function unreadable(path: string, cause: Error): UserError {
	return new UserError('CREDENTIALS_UNREADABLE', `cannot read ${path}: ${cause.message}`, {
		hint: 'The user that the registry runs as must be able to read it.',
		cause,
	})
}
