import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { isSystemError, UserError } from '../errors/index.ts'
import {
	type ClusterEntry,
	type KubeconfigFile,
	parseKubeconfig,
	type UserEntry,
} from './parse-kubeconfig.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface KubeconfigChoice {
	/** Path; `$KUBECONFIG`, `~/.kube/config` and a pod's service account otherwise, in this order. */
	readonly kubeconfig?: string | undefined
	/** Its current one. */
	readonly context?: string | undefined
	readonly env: Environment
}

/** One context, with its paths made absolute. */
export interface ChosenContext {
	readonly name: string
	readonly cluster: ClusterEntry
	readonly user: UserEntry
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** @throws UserError `KUBECONFIG_INVALID` */
export async function chooseContext({ kubeconfig, context, env }: KubeconfigChoice): Promise<ChosenContext> {
	const named =
		kubeconfig !== undefined
			? [kubeconfig]
			: (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
	const paths = named.length > 0 ? named : [join(env.HOME ?? homedir(), '.kube', 'config')]
	const files: KubeconfigFile[] = []
	for (const path of paths) {
		const file = await readKubeconfig(path, kubeconfig !== undefined)
		if (file !== undefined) files.push(file)
	}
	if (files.length > 0) return pickContext(files, { context, path: paths.join(', ') })
	const pod = context === undefined && kubeconfig === undefined ? inCluster(env) : undefined
	if (pod !== undefined) return pod
	throw new UserError('KUBECONFIG_INVALID', `there is no kubeconfig: ${paths.join(', ')} does not exist`, {
		hint: 'Name one with --kubeconfig FILE or KUBECONFIG, or use the sandbox: lading up --cluster sandbox',
	})
}

async function readKubeconfig(path: string, required: boolean): Promise<KubeconfigFile | undefined> {
	let content: string
	try {
		content = readFileSync(path, 'utf8')
	} catch (error) {
		if (!required && isSystemError(error, 'ENOENT')) return undefined
		throw new UserError(
			'KUBECONFIG_INVALID',
			`the kubeconfig ${path} cannot be read${isSystemError(error) ? ` (${error.code})` : ''}`,
			{
				cause: error,
				hint: 'Name another with --kubeconfig FILE or KUBECONFIG.',
			},
		)
	}
	const file = await parseKubeconfig(content, path)
	const directory = dirname(resolve(path))
	return {
		...file,
		clusters: file.clusters.map(({ name, value }) => ({ name, value: absolute(value, directory) })),
		users: file.users.map(({ name, value }) => ({ name, value: absolute(value, directory) })),
	}
}

const PATH_FIELDS: ReadonlySet<string> = new Set([
	'certificate-authority',
	'client-certificate',
	'client-key',
	'tokenFile',
])

/** Paths count from their file's directory; so does a plugin's command that is a path. */
function absolute<T extends ClusterEntry | UserEntry>(entry: T, directory: string): T {
	const fields = Object.entries(entry).map(([key, value]) => {
		const path = PATH_FIELDS.has(key) && typeof value === 'string' && value !== '' && !isAbsolute(value)
		return [key, path ? join(directory, value) : value] as const
	})
	const result = Object.fromEntries(fields) as T
	if (!('exec' in result) || result.exec === undefined || result.exec === null) return result
	const { exec } = result
	if (!exec?.command.includes('/') || isAbsolute(exec.command)) return result
	return { ...result, exec: { ...exec, command: join(directory, exec.command) } }
}

/** The first file that has a name decides what it means, as with kubectl. */
function pickContext(
	files: readonly KubeconfigFile[],
	{ context, path }: { readonly context: string | undefined; readonly path: string },
): ChosenContext {
	const name = context ?? files.find(({ currentContext }) => currentContext)?.currentContext
	const contexts = files.flatMap((file) => file.contexts)
	const invalid = (message: string, hint: string): UserError =>
		new UserError('KUBECONFIG_INVALID', message, { hint })
	const known =
		contexts.length === 0
			? 'It has none.'
			: `It has: ${contexts
					.map((each) => each.name)
					.slice(0, 20)
					.join(', ')}`
	if (name === undefined || name === '') {
		throw invalid(`${path} has no current context`, `Name one with --cluster context:NAME. ${known}`)
	}
	const chosen = contexts.find((each) => each.name === name)
	if (chosen === undefined) throw invalid(`${path} has no context "${name}"`, known)
	const cluster = files.flatMap((file) => file.clusters).find((each) => each.name === chosen.value.cluster)
	if (cluster === undefined) {
		throw invalid(
			`the context "${name}" names the cluster "${chosen.value.cluster}", which ${path} does not have`,
			'Check it with: kubectl config view',
		)
	}
	const user = files.flatMap((file) => file.users).find((each) => each.name === chosen.value.user)
	if (user === undefined && chosen.value.user !== '') {
		throw invalid(
			`the context "${name}" names the user "${chosen.value.user}", which ${path} does not have`,
			'Check it with: kubectl config view',
		)
	}
	return { name, cluster: cluster.value, user: user?.value ?? {} }
}

function inCluster(env: Environment): ChosenContext | undefined {
	const host = env.KUBERNETES_SERVICE_HOST
	if (host === undefined || host === '') return undefined
	const address = host.includes(':') ? `[${host}]` : host
	return {
		name: 'in-cluster',
		cluster: {
			server: `https://${address}:${env.KUBERNETES_SERVICE_PORT ?? '443'}`,
			'certificate-authority': `${SERVICE_ACCOUNT}/ca.crt`,
		},
		user: { tokenFile: `${SERVICE_ACCOUNT}/token` },
	}
}
