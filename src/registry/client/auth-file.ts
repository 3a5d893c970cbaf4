import { readFileSync, statSync } from 'node:fs'
import * as v from 'valibot'
import { isSystemError, UserError } from '../../errors/index.ts'
import { canonicalRegistry, type Credential } from './credential.ts'
import { parseJson } from './parse-json.ts'

/** A file of docker's or podman's, read once. */
export interface AuthFile {
	readonly path: string
	/** As it is written. */
	readonly text: string
	/** The name of the helper that keeps this registry's credential. */
	helperFor(registry: string): string | undefined
	/** What the file itself holds; the longest key that is a prefix of `registry/repository` wins. */
	credentialFor(registry: string, repository: string): Credential | undefined
}

/** In bytes. */
const MAX_FILE_BYTES = 1024 * 1024

const fileSchema = v.object({
	auths: v.optional(
		v.record(
			v.string(),
			v.object({
				auth: v.optional(v.string()),
				username: v.optional(v.string()),
				password: v.optional(v.string()),
				identitytoken: v.optional(v.string()),
			}),
		),
	),
	credHelpers: v.optional(v.record(v.string(), v.string())),
	credsStore: v.optional(v.string()),
})
type Entry = NonNullable<v.InferOutput<typeof fileSchema>['auths']>[string]

/**
 * @returns `undefined` when there is no such file
 * @throws UserError `CREDENTIALS_UNREADABLE`, with the path and never the content
 */
export function readAuthFile(path: string): AuthFile | undefined {
	const unreadable = (why: string): UserError =>
		new UserError('CREDENTIALS_UNREADABLE', `${path} ${why}`, {
			hint: 'Correct the file, or move it away and sign in anew with lading login.',
		})
	const text = readText(path, unreadable)
	if (text === undefined) return undefined
	const parsed = v.safeParse(fileSchema, text.trim() === '' ? {} : parseJson(text))
	if (!parsed.success) throw unreadable('is not a docker configuration file')
	const { auths = {}, credHelpers = {}, credsStore } = parsed.output
	const entries = new Map(Object.entries(auths).map(([key, entry]) => [canonicalKey(key), entry]))
	const helpers = new Map(Object.entries(credHelpers).map(([key, name]) => [canonicalKey(key), name]))
	return {
		path,
		text,
		helperFor(registry) {
			return helpers.get(canonicalRegistry(registry)) ?? (credsStore === '' ? undefined : credsStore)
		},
		credentialFor(registry, repository) {
			for (
				let key = `${canonicalRegistry(registry)}/${repository}`;
				;
				key = key.slice(0, key.lastIndexOf('/'))
			) {
				const entry = entries.get(key)
				const credential = entry && credentialOf(entry, () => unreadable(`has a broken entry for ${key}`))
				if (credential) return credential
				if (!key.includes('/')) return undefined
			}
		},
	}
}

function readText(path: string, unreadable: (why: string) => UserError): string | undefined {
	try {
		if (statSync(path).size > MAX_FILE_BYTES) throw unreadable('is too large to be a configuration file')
		return readFileSync(path, 'utf8')
	} catch (error) {
		if (error instanceof UserError) throw error
		if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
		throw unreadable(`cannot be read (${isSystemError(error) ? error.code : 'unknown'})`)
	}
}

/** Keys have been written as `host`, `host/path`, `https://host`, `https://host/v1/` and `host/v2/`. */
export function canonicalKey(key: string): string {
	const bare = key
		.replace(/^https?:\/\//, '')
		.replace(/\/+$/, '')
		.replace(/\/v[12]$/, '')
	const slash = bare.indexOf('/')
	if (slash < 0) return canonicalRegistry(bare)
	return canonicalRegistry(bare.slice(0, slash)) + bare.slice(slash)
}

/** @returns `undefined` for the empty entry that docker leaves beside a helper */
function credentialOf(entry: Entry, broken: () => UserError): Credential | undefined {
	if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken }
	if (entry.auth) {
		const pair = Buffer.from(entry.auth, 'base64').toString('utf8')
		const colon = pair.indexOf(':')
		if (colon < 1) throw broken()
		// Old versions of docker padded the password with NUL.
		const password = pair.slice(colon + 1).replace(/\0+$/, '')
		return { kind: 'password', username: pair.slice(0, colon), password }
	}
	if (entry.username !== undefined && entry.password !== undefined && entry.username !== '') {
		return { kind: 'password', username: entry.username, password: entry.password }
	}
	return undefined
}
