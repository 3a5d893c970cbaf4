import { createHmac, randomBytes } from 'node:crypto'
import { type Found, type Guesser, type GuessGuard, tooMany } from './guess-guard.ts'
import { PasswordChecker } from './password-checker.ts'
import { decoyHash, openPasswordFile, type Users } from './password-file.ts'
import type { WatchedFile } from './watched-file.ts'

export type Soon<T> = T | Promise<T>

export interface PasswordsOptions {
	/** Password file. Without it nobody has a password. */
	readonly htpasswd?: string | undefined
	/** Users that may only read. */
	readonly readers?: readonly string[] | undefined
	readonly now: () => number
	/** Told when the file no longer is one. */
	readonly onError: (error: unknown) => void
	readonly guard: GuessGuard
}

interface Shown extends Guesser {
	readonly password: string
}

/** Checks under way and waiting. */
const MAX_CHECKS = 16
const MAX_REMEMBERED = 1000
const NO_USERS: Users = new Map()
/** The users of a password file. */
export class Passwords {
	readonly #file: WatchedFile<Users> | undefined
	readonly #readers: ReadonlySet<string>
	readonly #guard: GuessGuard
	readonly #checker = new PasswordChecker()
	readonly #key: Buffer = randomBytes(32)
	/** Credentials found good, as keyed hashes: the comparison tells nothing by its time. */
	#remembered = new Set<string>()
	/** What they were found good in. */
	#rememberedOf: Users | undefined
	#checks = 0
	#queue: Promise<unknown> = Promise.resolve()

	/** @throws UserError `CREDENTIALS_UNREADABLE` */
	constructor({ htpasswd, readers, now, onError, guard }: PasswordsOptions) {
		this.#file = htpasswd === undefined ? undefined : openPasswordFile(htpasswd, { now, onError })
		this.#readers = new Set(readers)
		this.#guard = guard
	}

	/** At once for a password that was found good before. */
	find(shown: Shown): Soon<Found> {
		const limited = this.#guard.wait(shown)
		if (limited) return limited
		const users = this.#file?.value
		if (users !== this.#rememberedOf) {
			this.#remembered = new Set()
			this.#rememberedOf = users
		}
		const credentials = this.#keyed(JSON.stringify([shown.user, shown.password]))
		if (users && this.#remembered.has(credentials)) return this.#found(shown.user, users)
		if (this.#checks >= MAX_CHECKS) return tooMany('too many passwords to check, try again', 1)
		this.#checks++
		// One after the other: guesses must not take the whole machine.
		const result = this.#queue.then(() => this.#check({ ...shown, credentials, users }))
		this.#queue = result.catch(() => undefined)
		return result.finally(() => this.#checks--)
	}

	/** Whether a password that {@link find} found good is one still. @param of what `find` said it is of */
	stillHolds(user: string, of: string): boolean {
		const hash = this.#file?.value.get(user)
		return hash !== undefined && this.#keyed(hash) === of
	}

	close(): void {
		this.#checker.close()
	}

	async #check(
		asked: Shown & { readonly credentials: string; readonly users: Users | undefined },
	): Promise<Found> {
		const { user, password, credentials, users } = asked
		if (users && users === this.#rememberedOf && this.#remembered.has(credentials))
			return this.#found(user, users)
		// Those that waited before this one may have been wrong.
		const limited = this.#guard.wait(asked)
		if (limited) return limited
		const hash = users?.get(user)
		const right = await this.#checker.check(
			password,
			hash ?? decoyHash(users ?? NO_USERS, Buffer.from(this.#keyed(user), 'base64').readUInt32BE()),
		)
		if (!right || !users || hash === undefined) return this.#guard.failed(asked, 'password')
		if (users !== this.#rememberedOf) return { kind: 'wrong', why: 'the passwords have just changed' }
		if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
		this.#remembered.add(credentials)
		return this.#found(user, users)
	}

	#found(user: string, users: Users): Found {
		const right = this.#readers.has(user) ? 'read' : 'write'
		return { kind: 'found', identity: { user, right, of: `user ${this.#keyed(users.get(user) ?? '')}` } }
	}

	#keyed(text: string): string {
		return createHmac('sha256', this.#key).update(text).digest('base64')
	}
}
