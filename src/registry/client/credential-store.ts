import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isSystemError, UserError } from '../../errors/index.ts'
import { type AuthFile, canonicalKey, readAuthFile } from './auth-file.ts'
import { canonicalRegistry } from './credential.ts'
import { eraseWithHelper, storeWithHelper } from './credential-helper.ts'
import { membersAt, rootOf, withMember, withoutMembers } from './json-members.ts'
import { dockerConfigPath, helperServer, type KeychainOptions } from './keychain.ts'

export interface StoredCredential {
	/** `file`: in plain text, for whoever can read it. */
	readonly kind: 'helper' | 'file'
	/** Path of the file, or name of the program. */
	readonly place: string
}

type StoreOptions = Pick<KeychainOptions, 'env' | 'signal'>

export interface CredentialToStore {
	/** `host` or `host:port`. */
	readonly registry: string
	readonly username: string
	readonly password: string
}

/**
 * Keeps a credential where docker and its kin look for it: with the helper that the file
 * names for this registry, else in the file. Everything else in the file stays as it is written.
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`, `FILE_UNWRITABLE`
 */
export async function storeCredential(
	{ registry, username, password }: CredentialToStore,
	options: StoreOptions,
): Promise<StoredCredential> {
	const path = dockerConfigPath(options)
	const file = readAuthFile(path)
	const server = helperServer(registry)
	const helper = file?.helperFor(registry)
	if (helper !== undefined) {
		const { env, signal } = options
		const program = await storeWithHelper(helper, { server, username, password }, { env, path, signal })
		// An older copy in plain text would outlive the next change of the password.
		if (file) writeWithout(file, registry)
		return { kind: 'helper', place: program }
	}
	const value = `{\n\t\t\t"auth": ${JSON.stringify(Buffer.from(`${username}:${password}`).toString('base64'))}\n\t\t}`
	const before = file === undefined || file.text.trim() === '' ? '{}\n' : file.text
	const cleared = withoutEntries(before, registry)
	const auths = membersAt(cleared, rootOf(cleared)).members.find(({ key }) => key === 'auths')
	const after = auths
		? withMember(cleared, auths.valueStart, { key: server, value, indent: '\t' })
		: withMember(cleared, rootOf(cleared), {
				key: 'auths',
				value: `{\n\t\t${JSON.stringify(server)}: ${value}\n\t}`,
				indent: '',
			})
	replaceFile(path, { before: file?.text, after })
	return { kind: 'file', place: path }
}

/**
 * Forgets a registry: with its helper, and in the file.
 * @returns where it was forgotten
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`, `FILE_UNWRITABLE`
 */
export async function eraseCredential(
	registry: string,
	options: StoreOptions,
): Promise<readonly StoredCredential[]> {
	const { env, signal } = options
	const path = dockerConfigPath(options)
	const file = readAuthFile(path)
	if (!file) return []
	const erased: StoredCredential[] = []
	const helper = file.helperFor(registry)
	if (helper !== undefined && (await eraseWithHelper(helper, helperServer(registry), { env, path, signal })))
		erased.push({ kind: 'helper', place: `docker-credential-${helper}` })
	if (writeWithout(file, registry)) erased.push({ kind: 'file', place: path })
	return erased
}

/** @returns whether the file had an entry */
function writeWithout({ path, text }: AuthFile, registry: string): boolean {
	const after = withoutEntries(text, registry)
	if (after === text) return false
	replaceFile(path, { before: text, after })
	return true
}

/** Without the entries of a registry, under whichever of its names they stand. */
function withoutEntries(text: string, registry: string): string {
	if (text.trim() === '') return text
	const auths = membersAt(text, rootOf(text)).members.find(({ key }) => key === 'auths')
	if (!auths || text[auths.valueStart] !== '{') return text
	const name = canonicalRegistry(registry)
	return withoutMembers(text, auths.valueStart, (key) => canonicalKey(key) === name)
}

/** Puts another content in a file's place, whole, unless someone else has changed it meanwhile. */
function replaceFile(
	path: string,
	{ before, after }: { readonly before: string | undefined; readonly after: string },
): void {
	try {
		mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
		// The link stays where the file is kept elsewhere.
		const real = before === undefined ? path : realpathSync(path)
		const written = `${real}.${randomBytes(6).toString('hex')}`
		try {
			writeFileSync(written, after, { mode: 0o600, flag: 'wx' })
			if (readIfThere(real) !== before) {
				throw new UserError('FILE_UNWRITABLE', `${path} was changed by another program meanwhile`, {
					hint: 'Run the same command again.',
				})
			}
			renameSync(written, real)
		} finally {
			rmSync(written, { force: true })
		}
	} catch (error) {
		if (!isSystemError(error)) throw error
		throw new UserError('FILE_UNWRITABLE', `${path} cannot be written (${error.code})`, {
			hint: 'See that you may write there, or name another directory with DOCKER_CONFIG.',
			cause: error,
		})
	}
}

function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return undefined
		throw error
	}
}
