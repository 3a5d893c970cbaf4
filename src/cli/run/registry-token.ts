import { resolve } from 'node:path'
import { readRegistrySettings } from '../../config/index.ts'
import { RemoteError, shellWord, UserError } from '../../errors/index.ts'
import { countOf, formatTable, printable } from '../../output/index.ts'
import {
	createToken,
	isExpired,
	listTokens,
	revokeTokens,
	type StoredToken,
} from '../../registry/server/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { dataDirectoryOf } from './registry-serve.ts'

export interface TokenListFlags extends CommonFlags {
	readonly data?: string
	readonly config?: string
}

export interface TokenCreateFlags extends TokenListFlags {
	readonly read?: boolean
	readonly write?: boolean
	readonly expires?: number
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/

/** In milliseconds. */
const MAX_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000

export async function tokenCreate(
	invocation: Invocation,
	{ read, write, expires, ...flags }: TokenCreateFlags,
	name: string,
): Promise<void> {
	if (!NAME.test(name)) {
		throw new UserError('USAGE', `"${printable(name)}" is no name for a token`, {
			hint: 'Up to 63 letters, digits, ".", "_", "@" and "-".',
		})
	}
	if ((read ?? false) === (write ?? false)) {
		throw new UserError('USAGE', 'what the token may do is not said', {
			hint: 'Give one of --read and --write.',
		})
	}
	if (expires !== undefined && !(expires > 0 && expires <= MAX_LIFETIME_MS)) {
		throw new UserError('USAGE', 'a token that expires lives for some time, and for ten years at most', {
			hint: 'For example --expires 90d; without --expires it lives until it is revoked.',
		})
	}
	const directory = await directoryOf(invocation, flags)
	const { text, stored } = await createToken(directory, {
		name,
		right: write === true ? 'write' : 'read',
		now: new Date(),
		lifetimeMs: expires,
	})
	invocation.output.progress.note(
		'This is the only time the token is shown. It is the password of any user name.',
	)
	invocation.output.answer({ text, document: { token: { token: text, ...shown(stored) } } })
}

export async function tokenList(invocation: Invocation, flags: TokenListFlags): Promise<void> {
	const tokens = listTokens(await directoryOf(invocation, flags))
	const now = Date.now()
	const rows = tokens.map((token) => [
		token.id,
		token.name,
		token.right,
		token.createdAt.slice(0, 10),
		token.expiresAt === undefined
			? 'never'
			: isExpired(token, now)
				? 'expired'
				: token.expiresAt.slice(0, 10),
	])
	invocation.output.answer({
		text:
			rows.length === 0
				? 'No tokens'
				: formatTable(['id', 'name', 'right', 'made', 'expires'], rows, invocation.output.style),
		document: { tokens: tokens.map(shown) },
	})
}

export async function tokenRevoke(
	invocation: Invocation,
	flags: TokenListFlags,
	idOrName: string,
): Promise<void> {
	const revoked = await revokeTokens(await directoryOf(invocation, flags), idOrName)
	if (revoked.length === 0) {
		throw new RemoteError('NOT_FOUND', `there is no token "${printable(idOrName)}"`, {
			hint: ['lading registry token list', ...placeOf(flags)].join(' '),
		})
	}
	invocation.output.answer({
		text: `Revoked ${countOf(revoked.length, 'token')} of ${printable(revoked[0]?.name ?? '')}`,
		document: { revoked: revoked.map(shown) },
	})
}

/** Which registry is meant, as words of a command. */
function placeOf({ data, config }: TokenListFlags): readonly string[] {
	return [
		...(data === undefined ? [] : ['--data', shellWord(data)]),
		...(config === undefined ? [] : ['--config', shellWord(config)]),
	]
}

async function directoryOf({ cwd }: Invocation, { data, config }: TokenListFlags): Promise<string> {
	const settings = config === undefined ? {} : await readRegistrySettings(resolve(cwd, config))
	return dataDirectoryOf(cwd, { flag: data, settings })
}

function shown({ sha256: _, ...token }: StoredToken): Omit<StoredToken, 'sha256'> {
	return token
}
