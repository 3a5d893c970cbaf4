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
	const program = `docker-credential-${name}`
	const { status, output } = await run(program, server, options)
	// The protocol has no other sign for "not found" than this sentence.
	if (status !== 0 && /credentials not found/i.test(output)) return undefined
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

function run(
	program: string,
	server: string,
	{ env, path, signal, timeout = DEFAULT_TIMEOUT }: HelperOptions,
): Promise<{ readonly status: number | string; readonly output: string }> {
	return new Promise((resolve, reject) => {
		const child = spawn(program, ['get'], {
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
		child.stdin.end(server)
	})
}
