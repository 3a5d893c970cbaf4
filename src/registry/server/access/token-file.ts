import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFile } from '../../../content/index.ts'
import { isSystemError, UserError } from '../../../errors/index.ts'
import { lockInTurn } from '../directory-lock.ts'
import { replaceFile } from '../replace-file.ts'
import { formatTokens, makeToken, type NewToken, parseTokens, type StoredToken } from './token.ts'
import { WatchedFile } from './watched-file.ts'

/** Tokens by their id; `undefined` where there is no file, and nobody has ever made one. */
export type Tokens = ReadonlyMap<string, StoredToken> | undefined

const FILE = 'tokens.json'
const LOCK = 'tokens.lock'
const LOCK_WAIT_MS = 5000

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
		const text = readTextFile(path)
		return text === undefined ? [] : parseTokens(text, path)
	} catch (error) {
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
	const { release } = await lockInTurn(join(dataDirectory, LOCK), {
		hint: 'Try again in a moment.',
		waitMs: LOCK_WAIT_MS,
	})
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

function unreadable(path: string, cause: Error): UserError {
	return new UserError('CREDENTIALS_UNREADABLE', `cannot read ${path}: ${cause.message}`, {
		hint: 'The user that the registry runs as must be able to read it.',
		cause,
	})
}
