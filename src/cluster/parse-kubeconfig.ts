import * as v from 'valibot'
import { UserError } from '../errors/index.ts'

const text = v.nullish(v.string())

const cluster = v.looseObject({
	server: v.string(),
	'certificate-authority': text,
	'certificate-authority-data': text,
	'insecure-skip-tls-verify': v.nullish(v.boolean()),
	'tls-server-name': text,
	'proxy-url': text,
})

const exec = v.looseObject({
	apiVersion: text,
	command: v.string(),
	args: v.nullish(v.array(v.string())),
	env: v.nullish(v.array(v.looseObject({ name: v.string(), value: v.optional(v.string(), '') }))),
	installHint: text,
	provideClusterInfo: v.nullish(v.boolean()),
})

const user = v.looseObject({
	'client-certificate': text,
	'client-certificate-data': text,
	'client-key': text,
	'client-key-data': text,
	token: text,
	tokenFile: text,
	username: text,
	password: text,
	as: text,
	'as-uid': text,
	'as-groups': v.nullish(v.array(v.string())),
	exec: v.nullish(exec),
	'auth-provider': v.nullish(
		v.looseObject({ name: v.string(), config: v.nullish(v.record(v.string(), v.unknown())) }),
	),
})

const context = v.looseObject({ cluster: v.string(), user: v.optional(v.string(), '') })

const entries = v.nullish(v.array(v.looseObject({ name: v.string() })))

const kubeconfig = v.looseObject({
	'current-context': text,
	clusters: entries,
	contexts: entries,
	users: entries,
})

type Text = string | null | undefined

export interface ClusterEntry {
	readonly server: string
	readonly 'certificate-authority'?: Text
	readonly 'certificate-authority-data'?: Text
	readonly 'insecure-skip-tls-verify'?: boolean | null | undefined
	readonly 'tls-server-name'?: Text
	readonly 'proxy-url'?: Text
}

export interface ExecEntry {
	readonly apiVersion?: Text
	readonly command: string
	readonly args?: readonly string[] | null | undefined
	readonly env?: readonly { readonly name: string; readonly value: string }[] | null | undefined
	readonly installHint?: Text
	readonly provideClusterInfo?: boolean | null | undefined
}

export interface UserEntry {
	readonly 'client-certificate'?: Text
	readonly 'client-certificate-data'?: Text
	readonly 'client-key'?: Text
	readonly 'client-key-data'?: Text
	readonly token?: Text
	readonly tokenFile?: Text
	readonly username?: Text
	readonly password?: Text
	readonly as?: Text
	readonly 'as-uid'?: Text
	readonly 'as-groups'?: readonly string[] | null | undefined
	readonly exec?: ExecEntry | null | undefined
	readonly 'auth-provider'?:
		| { readonly name: string; readonly config?: Readonly<Record<string, unknown>> | null | undefined }
		| null
		| undefined
}

interface ContextEntry {
	readonly cluster: string
	readonly user: string
}

interface Named<T> {
	readonly name: string
	readonly value: T
}

/** What one kubeconfig file says. */
export interface KubeconfigFile {
	readonly currentContext?: string | undefined
	readonly clusters: readonly Named<ClusterEntry>[]
	readonly contexts: readonly Named<ContextEntry>[]
	readonly users: readonly Named<UserEntry>[]
}

const MAX_BYTES = 16 * 1024 * 1024

/**
 * Reads a kubeconfig. `path` is only for messages; these never hold a value of the file.
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 * @throws UserError `KUBECONFIG_INVALID`
 */
export async function parseKubeconfig(content: string, path: string): Promise<KubeconfigFile> {
	const invalid = (why: string): UserError =>
		new UserError('KUBECONFIG_INVALID', `${path} is no kubeconfig: ${why}`, {
			hint: 'Check it with: kubectl config view',
		})
	if (content.length > MAX_BYTES) throw invalid('it is too big')
	const { load } = await import('js-yaml')
	let document: unknown
	try {
		document = load(content)
	} catch {
		// The parser's message quotes the file, and the file holds secrets.
		throw invalid('it is not YAML')
	}
	const parse = <T>(schema: v.GenericSchema<unknown, T>, value: unknown): T => {
		const result = v.safeParse(schema, value)
		if (result.success) return result.output
		const [issue] = result.issues
		throw invalid(
			`${v.getDotPath(issue) ?? 'the whole'} is not what it should be (expected ${issue.expected ?? 'something else'})`,
		)
	}
	const file = parse(kubeconfig, document ?? {})
	const named = <T>(
		list: v.InferOutput<typeof entries>,
		field: { key: string; schema: v.GenericSchema<unknown, T> },
	): Named<T>[] =>
		(list ?? []).flatMap((entry) => {
			const value = entry[field.key]
			return value === undefined || value === null
				? []
				: [{ name: entry.name, value: parse(field.schema, value) }]
		})
	return {
		clusters: named<ClusterEntry>(file.clusters, { key: 'cluster', schema: cluster }),
		contexts: named<ContextEntry>(file.contexts, { key: 'context', schema: context }),
		users: named<UserEntry>(file.users, { key: 'user', schema: user }),
		currentContext: file['current-context'] ?? undefined,
	}
}
