import { spawn } from 'node:child_process'
import * as v from 'valibot'
import { isSystemError, UserError } from '../../errors/index.ts'
import type { Credential } from './credential.ts'
import { parseJson } from './parse-json.ts'

export interface HelperOptions {
	readonly env: Readonly<Record<string, string | undefined>>
	/** The file that names the helper, for messages. */
	readonly path: string
	readonly signal?: AbortSignal | undefined
	/** Milliseconds; default 30 s, as a helper may ask the user to unlock a keychain. */
	readonly timeout?: number | undefined
}

const DEFAULT_TIMEOUT = 30_000
/** In bytes. */
const MAX_OUTPUT_BYTES = 256 * 1024

const answerSchema = v.object({ Username: v.string(), Secret: v.string() })

/**
 * Asks `docker-credential-NAME get` for a registry.
 * @returns `undefined` when the helper knows nothing about it
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
	name: string,
	server: string,
	options: HelperOptions,
): Promise<Credential | undefined> {
	const program = helperProgram(name, options)
	const { status, output } = await run(program, { verb: 'get', input: server }, options)
	// The protocol has no other sign for "not found" than this sentence.
	if (status !== 0 && NOT_FOUND.test(output)) return undefined
	const answer = status === 0 ? v.safeParse(answerSchema, parseJson(output)) : undefined
	if (!answer?.success) {
		throw new UserError('CREDENTIALS_UNREADABLE', `${program} gave no credential for ${server}`, {
			hint: `Try it by hand: echo ${server} | ${program} get`,
			details: status === 0 ? ['its answer is not what helpers answer'] : [`it ended with status ${status}`],
		})
	}
	const { Username: username, Secret: secret } = answer.output
	if (username === '' && secret === '') return undefined
	if (username === '<token>') return { kind: 'identity-token', token: secret }
	return { kind: 'password', username, password: secret }
}

const NOT_FOUND = /credentials not found/i

/**
 * Has `docker-credential-NAME store` keep a credential.
 * @throws UserError `CREDENTIALS_UNREADABLE`, `TOOL_MISSING`
 */
export async function storeWithHelper(
	name: string,
	{
		server,
		username,
		password,
	}: { readonly server: string; readonly username: string; readonly password: string },
	options: HelperOptions,
): Promise<string> {
	const program = helperProgram(name, options)
	const input = JSON.stringify({ ServerURL: server, Username: username, Secret: password })
	const { status } = await run(program, { verb: 'store', input }, options)
	// Its words are not shown: some helpers repeat what they were given.
	if (status === 0) return program
	throw new UserError('CREDENTIALS_UNREADABLE', `${program} does not keep the credential for ${server}`, {
		hint: `It ended with status ${status}. Unlock the keychain behind it, or take it out of ${options.path}.`,
	})
}

/** Has `docker-credential-NAME erase` forget a registry. @returns whether it knew it */
export async function eraseWithHelper(
	name: string,
	server: string,
	options: HelperOptions,
): Promise<boolean> {
	const program = helperProgram(name, options)
	if (!(await askHelper(name, server, options))) return false
	const { status, output } = await run(program, { verb: 'erase', input: server }, options)
	if (status === 0) return true
	if (NOT_FOUND.test(output)) return false
	throw new UserError('CREDENTIALS_UNREADABLE', `${program} does not forget ${server}`, {
		hint: `It ended with status ${status}. Try it by hand: echo ${server} | ${program} erase`,
	})
}

function helperProgram(name: string, options: HelperOptions): string {
	// The name becomes part of a program's name: nothing in it may lead out of PATH.
	if (!/^[a-z0-9-]+$/.test(name)) {
		throw new UserError(
			'CREDENTIALS_UNREADABLE',
			`${options.path} names a credential helper that is no name`,
			{
				hint: 'credsStore and credHelpers hold the part after docker-credential-, of a-z, 0-9 and "-".',
			},
		)
	}
	return `docker-credential-${name}`
}

function run(
	program: string,
	{ verb, input }: { readonly verb: 'get' | 'store' | 'erase'; readonly input: string },
	{ env, path, signal, timeout = DEFAULT_TIMEOUT }: HelperOptions,
): Promise<{ readonly status: number | string; readonly output: string }> {
	return new Promise((resolve, reject) => {
		const child = spawn(program, [verb], {
			env: { ...env },
			stdio: ['pipe', 'pipe', 'ignore'],
			timeout,
			killSignal: 'SIGKILL',
			...(signal && { signal }),
		})
		// What a killed helper has started may hold its output open for ever.
		child.once('exit', (_code, killedBy) => killedBy !== null && child.stdout.destroy())
		const chunks: Buffer[] = []
		let size = 0
		child.stdout.on('data', (chunk: Buffer) => {
			size += chunk.byteLength
			if (size > MAX_OUTPUT_BYTES) child.kill()
			else chunks.push(chunk)
		})
		child.once('error', (error) => {
			if (signal?.aborted) return reject(signal.reason)
			const missing = isSystemError(error, 'ENOENT')
			reject(
				new UserError(
					missing ? 'TOOL_MISSING' : 'CREDENTIALS_UNREADABLE',
					missing ? `${path} names ${program}, which is not in PATH` : `${program} cannot be run`,
					{ hint: `Install ${program}, or take it out of ${path}.`, cause: error },
				),
			)
		})
		child.once('close', (code, killedBy) => {
			resolve({ status: code ?? killedBy ?? 'unknown', output: Buffer.concat(chunks).toString('utf8') })
		})
		// A helper may end without reading; that is its business.
		child.stdin.once('error', () => undefined)
		child.stdin.end(input)
	})
}
