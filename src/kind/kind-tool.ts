import { dump, load } from 'js-yaml'
import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { complaintOf, detailsOf, type RunTool } from './run-tool.ts'

export interface CreateClusterOptions {
	readonly name: string
	/** Where its kubeconfig is written; never the user's own. */
	readonly kubeconfig: string
	/** Node image; kind's own for its release. */
	readonly image?: string | undefined
	/** A kind configuration, as YAML. */
	readonly config?: string | undefined
	/** Told each line that kind says. */
	readonly onLine?: ((line: string) => void) | undefined
}

/** What lading asks of kind. All throw UserError `TOOL_MISSING`, `TOOL_FAILED`. */
export interface Kind {
	version(): Promise<string>
	clusters(): Promise<readonly string[]>
	/** @throws UserError `CONFIG_INVALID` for a configuration that is none */
	create(options: CreateClusterOptions): Promise<void>
	/** Also what is half made. */
	delete(name: string, kubeconfig: string): Promise<void>
	/** Names of the containers that are the nodes. */
	nodes(name: string): Promise<readonly string[]>
	kubeconfig(name: string): Promise<string>
}

/** An image may have to be pulled first. */
const CREATE_TIMEOUT_MS = 20 * 60_000
const DELETE_TIMEOUT_MS = 2 * 60_000

/** How containerd is told to look into `certs.d` for registries. @see https://kind.sigs.k8s.io/docs/user/local-registry/ */
export const CERTS_DIRECTORY = '/etc/containerd/certs.d'
const CONTAINERD_PATCH = `[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "${CERTS_DIRECTORY}"\n`

export function createKind({
	run,
	signal,
}: {
	readonly run: RunTool
	readonly signal?: AbortSignal | undefined
}): Kind {
	const must = async (
		args: readonly string[],
		options: Parameters<RunTool>[2] & { readonly what: string; readonly hint?: string },
	): Promise<string> => {
		const { what, hint, ...rest } = options
		const result = await run('kind', args, { signal, ...rest })
		if (result.status === 0) return result.stdout
		throw new UserError('TOOL_FAILED', `${what}: ${complaintOf(result)}`, {
			details: detailsOf(result),
			hint,
		})
	}
	const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '')

	return {
		version: async () =>
			/\bv(\d+\.\d+\.\S+)/.exec(await must(['version'], { what: 'kind does not run' }))?.[1] ?? '',
		clusters: async () =>
			lines(await must(['get', 'clusters'], { what: 'the kind clusters cannot be listed' })),
		async create({ name, kubeconfig, image, config, onLine }) {
			await must(
				[
					'create',
					'cluster',
					'--name',
					name,
					'--kubeconfig',
					kubeconfig,
					...(image === undefined ? [] : ['--image', image]),
					'--config',
					'-',
				],
				{
					what: `kind cannot make the cluster ${name}`,
					hint: 'https://kind.sigs.k8s.io/docs/user/known-issues/ has what stops it most; kind export logs has all it knows.',
					input: withRegistryDirectory(config),
					timeoutMs: CREATE_TIMEOUT_MS,
					onLine,
				},
			)
		},
		async delete(name, kubeconfig) {
			await must(['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig], {
				what: `kind cannot remove the cluster ${name}`,
				timeoutMs: DELETE_TIMEOUT_MS,
			})
		},
		nodes: async (name) =>
			lines(await must(['get', 'nodes', '--name', name], { what: 'the nodes cannot be listed' })),
		kubeconfig: async (name) =>
			await must(['get', 'kubeconfig', '--name', name], { what: `there is no kubeconfig of ${name}` }),
	}
}

const configSchema = v.looseObject({
	kind: v.literal('Cluster'),
	apiVersion: v.pipe(v.string(), v.startsWith('kind.x-k8s.io/')),
	containerdConfigPatches: v.nullish(v.array(v.string())),
})

/** A kind configuration by which containerd reads `certs.d`; the user's own, with that added where it lacks. */
export function withRegistryDirectory(config: string | undefined): string {
	const text = config ?? 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n'
	let value: unknown
	try {
		value = load(text)
	} catch (error) {
		throw invalidConfig('it does not parse', error)
	}
	const parsed = v.safeParse(configSchema, value)
	if (!parsed.success) {
		const [issue] = parsed.issues
		throw invalidConfig(`${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
	}
	const patches = parsed.output.containerdConfigPatches ?? []
	if (patches.some((patch) => patch.includes('config_path'))) return text
	return dump({ ...parsed.output, containerdConfigPatches: [...patches, CONTAINERD_PATCH] })
}

function invalidConfig(why: string, cause?: unknown): UserError {
	return new UserError('CONFIG_INVALID', `the kind configuration is not valid: ${why}`, {
		hint: 'It begins with "kind: Cluster" and "apiVersion: kind.x-k8s.io/v1alpha4"; see https://kind.sigs.k8s.io/docs/user/configuration/',
		cause,
	})
}
