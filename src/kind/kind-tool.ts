import { dump, load } from 'js-yaml'
import * as v from 'valibot'
import { UserError } from '../errors/index.ts'
import { markMount } from './node-mark.ts'
import { complaintOf, detailsOf, type RunTool } from './run-tool.ts'

export interface CreateClusterOptions {
	readonly name: string
	/** Where its kubeconfig is written; never the user's own. */
	readonly kubeconfig: string
	/** Node image; kind's own for its release. */
	readonly image?: string | undefined
	/** What tells the nodes of this call from all others. */
	readonly mark: string
	/** A kind configuration, as YAML. */
	readonly config?: string | undefined
	/** Told each line that kind says. */
	readonly onLine?: ((line: string) => void) | undefined
}

/** What lading asks of kind. All throw UserError `TOOL_MISSING`, `TOOL_FAILED`. */
export interface Kind {
	version(): Promise<string>
	/**
	 * What it has made when it fails stays: kind would remove everything of that name.
	 * @throws UserError `CONFIG_INVALID` for a configuration that is none
	 */
	create(options: CreateClusterOptions): Promise<void>
	/** Names of the containers that are the nodes. */
	nodes(name: string): Promise<readonly string[]>
	kubeconfig(name: string): Promise<string>
}

/** An image may have to be pulled first. */
const CREATE_TIMEOUT_MS = 20 * 60_000

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
		async create({ name, kubeconfig, mark, image, config, onLine }) {
			await must(
				[
					'create',
					'cluster',
					'--name',
					name,
					'--kubeconfig',
					kubeconfig,
					'--retain',
					...(image === undefined ? [] : ['--image', image]),
					'--config',
					'-',
				],
				{
					what: `kind cannot make the cluster ${name}`,
					hint: 'https://kind.sigs.k8s.io/docs/user/known-issues/ has what stops it most; kind export logs has all it knows.',
					input: withMark(withRegistryDirectory(config), mark),
					timeoutMs: CREATE_TIMEOUT_MS,
					onLine,
				},
			)
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
	nodes: v.nullish(v.array(v.looseObject({ extraMounts: v.nullish(v.array(v.unknown())) }))),
})

/** A kind configuration by which containerd reads `certs.d`; the user's own, with that added where it lacks. */
export function withRegistryDirectory(config: string | undefined): string {
	const text = config ?? 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n'
	const parsed = parseConfig(text)
	const patches = parsed.containerdConfigPatches ?? []
	if (patches.some((patch) => patch.includes('config_path'))) return text
	return dump({ ...parsed, containerdConfigPatches: [...patches, CONTAINERD_PATCH] })
}

/** A kind configuration whose nodes carry the mark. */
export function withMark(config: string, mark: string): string {
	const parsed = parseConfig(config)
	// What kind makes of a configuration without nodes.
	const nodes = parsed.nodes?.length ? parsed.nodes : [{ role: 'control-plane', extraMounts: undefined }]
	return dump({
		...parsed,
		nodes: nodes.map((node) => ({
			...node,
			extraMounts: [...(node.extraMounts ?? []), { ...markMount(mark) }],
		})),
	})
}

function parseConfig(text: string): v.InferOutput<typeof configSchema> {
	let value: unknown
	try {
		value = load(text)
	} catch (error) {
		throw invalidConfig('it does not parse', error)
	}
	const parsed = v.safeParse(configSchema, value)
	if (parsed.success) return parsed.output
	const [issue] = parsed.issues
	throw invalidConfig(`${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
}

function invalidConfig(why: string, cause?: unknown): UserError {
	return new UserError('CONFIG_INVALID', `the kind configuration is not valid: ${why}`, {
		hint: 'It begins with "kind: Cluster" and "apiVersion: kind.x-k8s.io/v1alpha4"; see https://kind.sigs.k8s.io/docs/user/configuration/',
		cause,
	})
}
