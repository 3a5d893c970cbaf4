import { resolve } from 'node:path'
import { type Config, isClusterName } from '../config/index.ts'
import { UserError } from '../errors/index.ts'
import {
	type ApplicationWish,
	type ClusterChoice,
	type KindOptions,
	localClusterName,
	type RegistryAccess,
	type Session,
} from '../flows/index.ts'
import type { ApplicationFlags, ClusterFlags, KindFlags, RegistryFlags } from './flags.ts'
import type { CommonFlags, Invocation } from './invocation.ts'

/** What the flows work with. */
export function sessionOf({ workspace, env, output, signal, context }: Invocation): Session {
	return {
		workspace,
		env,
		progress: output.progress,
		signal,
		launcher: context.launcher,
		platform: process.platform,
	}
}

/** How this command reaches its registry: flags, then environment. */
export async function accessOf(
	{ cwd, env, context }: Invocation,
	flags: RegistryFlags,
): Promise<RegistryAccess> {
	const username = flags.username ?? env.LADING_USERNAME
	const password = flags.passwordStdin ? await readPassword(context.stdin) : env.LADING_PASSWORD
	// What the environment names a registry for must not reach another one.
	const only = flags.passwordStdin ? undefined : env.LADING_REGISTRY || undefined
	if ((username === undefined) !== (password === undefined)) {
		throw new UserError(
			'USAGE',
			username === undefined
				? 'a password is given, but no user name'
				: 'a user name is given, but no password',
			{
				hint: 'Give both: --username NAME --password-stdin, or LADING_USERNAME and LADING_PASSWORD. lading login keeps them.',
			},
		)
	}
	return {
		caFile: flags.ca === undefined ? undefined : resolve(cwd, flags.ca),
		insecure: flags.insecure,
		plainHttp: flags.plainHttp,
		credentials:
			username === undefined || password === undefined
				? undefined
				: { username, password, ...(only !== undefined && { registry: only }) },
	}
}

const MAX_PASSWORD_BYTES = 64 * 1024

export async function readPassword(stdin: Invocation['context']['stdin']): Promise<string> {
	if (stdin.isTTY === true) {
		throw new UserError('USAGE', '--password-stdin reads from a pipe, and standard input is a terminal', {
			hint: 'printenv TOKEN | lading … --username NAME --password-stdin',
		})
	}
	const chunks: Buffer[] = []
	let size = 0
	for await (const chunk of stdin) {
		const bytes = Buffer.from(chunk)
		size += bytes.byteLength
		if (size > MAX_PASSWORD_BYTES)
			throw new UserError('USAGE', 'what comes on standard input is too long for a password')
		chunks.push(bytes)
	}
	const password = Buffer.concat(chunks)
		.toString('utf8')
		.replace(/\r?\n$/, '')
	if (password === '') throw new UserError('USAGE', '--password-stdin was given, and standard input is empty')
	return password
}

/**
 * Which cluster: flags, then lading.yaml. A project has one local cluster: where there is
 * one, it is the one that a local cluster in lading.yaml means.
 */
export function clusterOf(
	{ cwd, workspace }: Invocation,
	flags: ClusterFlags,
	config: Config,
): ClusterChoice {
	const isLocal = flags.cluster === undefined && /^(?:sandbox$|kind\b)/.test(config.cluster ?? '')
	const own = isLocal ? localClusterName(workspace.state()) : undefined
	const cluster = flags.cluster ?? own ?? config.cluster
	if (cluster !== undefined && !isClusterName(cluster)) {
		throw new UserError('USAGE', `"${cluster}" is not a cluster`, {
			hint: '--cluster takes sandbox, kind, kind:NAME, context:NAME of a kubeconfig (kubectl config get-contexts), or argocd:HOST for Argo CD’s own API.',
		})
	}
	return {
		cluster,
		kubeconfig: flags.kubeconfig === undefined ? undefined : resolve(cwd, flags.kubeconfig),
		argocdNamespace: flags.argocdNamespace,
		argocdCa: flags.argocdCa === undefined ? undefined : resolve(cwd, flags.argocdCa),
	}
}

/** How a kind cluster and its Argo CD are made. */
export function kindOf(
	{ cwd }: Invocation,
	flags: KindFlags,
): Pick<KindOptions, 'nodeImage' | 'kubernetes' | 'kindConfig' | 'argocdVersion' | 'argocdManifest'> {
	const pathOf = (path: string | undefined): string | undefined =>
		path === undefined ? undefined : resolve(cwd, path)
	return {
		nodeImage: flags.nodeImage,
		kubernetes: flags.kubernetes,
		kindConfig: pathOf(flags.kindConfig),
		argocdVersion: flags.argocdVersion,
		argocdManifest: pathOf(flags.argocdManifest),
	}
}

/** What the Application shall look like: flags, then lading.yaml. */
export function applicationOf(flags: ApplicationFlags, config: Config): ApplicationWish {
	return {
		clusterRegistry: flags.clusterRegistry,
		namespace: flags.namespace ?? config.namespace,
		path: flags.path ?? config.path,
		recurse: flags.recurse || config.recurse,
		project: flags.project ?? config.project,
		manual: flags.manual,
		prune: flags.prune,
		serverSide: flags.serverSide,
		timeoutMs: flags.timeout,
	}
}

/** Whether there are colours: the flag, then the environment; `undefined` where the stream decides. */
export function colorOf({ env }: Pick<Invocation, 'env'>, flags: CommonFlags): boolean | undefined {
	return flags.color ?? (env.NO_COLOR === undefined || env.NO_COLOR === '' ? undefined : false)
}
