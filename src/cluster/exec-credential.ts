import { execFile } from 'node:child_process'
import * as v from 'valibot'
import { isSystemError, printable, UserError } from '../errors/index.ts'
import type { ExecEntry } from './parse-kubeconfig.ts'

export interface ExecCredential {
	readonly token?: string | undefined
	/** PEM, with `key`. */
	readonly cert?: string | undefined
	readonly key?: string | undefined
	/** Milliseconds since the epoch; absent: as long as the API takes it. */
	readonly expires?: number | undefined
}

export interface ExecOptions {
	readonly env: Readonly<Record<string, string | undefined>>
	readonly signal?: AbortSignal | undefined
	/** `spec.cluster` for plugins that ask for it. */
	readonly clusterInfo: Readonly<Record<string, unknown>>
}

const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 1024 * 1024

const output = v.looseObject({
	kind: v.literal('ExecCredential'),
	status: v.looseObject({
		token: v.optional(v.string()),
		clientCertificateData: v.optional(v.string()),
		clientKeyData: v.optional(v.string()),
		expirationTimestamp: v.nullish(v.string()),
	}),
})

/**
 * Runs the credential plugin that the user's kubeconfig names, without a shell. What it
 * prints is a secret and stands in no message.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * @throws UserError `TOOL_MISSING`, `TOOL_FAILED`
 */
export async function runExecPlugin(plugin: ExecEntry, options: ExecOptions): Promise<ExecCredential> {
	const apiVersion = plugin.apiVersion ?? 'client.authentication.k8s.io/v1'
	const info = {
		apiVersion,
		kind: 'ExecCredential',
		spec: { interactive: false, ...(plugin.provideClusterInfo === true && { cluster: options.clusterInfo }) },
	}
	const env = {
		...options.env,
		...Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value])),
		KUBERNETES_EXEC_INFO: JSON.stringify(info),
	}
	const text = await run(plugin, { env, signal: options.signal })
	let json: unknown
	try {
		json = JSON.parse(text)
	} catch {
		json = undefined
	}
	const result = v.safeParse(output, json)
	if (!result.success) throw failed(plugin, 'answers with something that is no ExecCredential')
	const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = result.output.status
	if (token === undefined && (cert === undefined || key === undefined))
		throw failed(plugin, 'gives no credential')
	const expires = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN
	return { token, cert, key, ...(Number.isFinite(expires) && { expires }) }
}

function run(
	plugin: ExecEntry,
	{
		env,
		signal,
	}: {
		readonly env: Readonly<Record<string, string | undefined>>
		readonly signal?: AbortSignal | undefined
	},
): Promise<string> {
	return new Promise((resolve, reject) => {
		const child = execFile(
			plugin.command,
			[...(plugin.args ?? [])],
			{ env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true, ...(signal && { signal }) },
			(error, stdout, stderr) => {
				if (error === null) return resolve(stdout)
				if (signal?.aborted === true) return reject(signal.reason as Error)
				if (isSystemError(error, 'ENOENT', 'EACCES')) {
					return reject(
						new UserError(
							'TOOL_MISSING',
							`the kubeconfig logs in with "${plugin.command}", which cannot be run`,
							{
								hint: installHint(plugin) ?? `Install ${plugin.command}, or put it on PATH.`,
							},
						),
					)
				}
				reject(
					failed(
						plugin,
						error.killed === true
							? `did not end within ${TIMEOUT_MS / 1000} s`
							: `ended with ${String(error.code ?? 'a failure')}`,
						stderr,
					),
				)
			},
		)
		child.stdin?.end()
	})
}

const SAID_LINES = 5

/** What it writes to standard error is meant for people; the credential goes to standard output. */
function failed(plugin: ExecEntry, what: string, stderr = ''): UserError {
	const said = stderr
		.split('\n')
		.map((line) => printable(line).trim())
		.filter((line) => line !== '')
	return new UserError('TOOL_FAILED', `the credential plugin "${plugin.command}" of the kubeconfig ${what}`, {
		details: said.slice(-SAID_LINES),
		hint: 'Log in again with the tool of your cluster, and see whether kubectl get ns works.',
	})
}

function installHint({ installHint: hint }: ExecEntry): string | undefined {
	// eslint-disable-next-line no-control-regex -- a file must not steer the terminal
	return hint?.replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g, '').slice(0, 1000)
}
