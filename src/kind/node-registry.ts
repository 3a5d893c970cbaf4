import { UserError } from '../errors/index.ts'
import type { Docker } from './docker.ts'
import { CERTS_DIRECTORY } from './kind-tool.ts'

export interface NodeRegistry {
	/** `host:port` as the nodes reach it. */
	readonly server: string
	/** Names by which images may be called: `kind-registry:5000`, `localhost:5001`. */
	readonly names: readonly string[]
	/** PEM. */
	readonly ca: string
}

interface NodeFile {
	readonly path: string
	readonly text: string
}

/**
 * Tells the containerd of a node how to reach the registry, and by which CA. It reads
 * these files at every pull.
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 * @returns whether that was news
 */
export async function ensureNodeRegistry(
	docker: Docker,
	node: string,
	registry: NodeRegistry,
): Promise<boolean> {
	const files = registry.names.flatMap((name) => filesFor(name, registry))
	const present = await docker.exec(node, ['cat', ...files.map(({ path }) => path)])
	if (present.status === 0 && present.stdout === files.map(({ text }) => text).join('')) return false
	await must(docker, node, ['mkdir', '-p', ...registry.names.map((name) => `${CERTS_DIRECTORY}/${name}`)])
	for (const { path, text } of files) await must(docker, node, ['cp', '/dev/stdin', path], text)
	return true
}

function filesFor(name: string, { server, ca }: NodeRegistry): readonly NodeFile[] {
	const directory = `${CERTS_DIRECTORY}/${name}`
	return [
		{ path: `${directory}/ca.crt`, text: ca },
		{
			path: `${directory}/hosts.toml`,
			text: [
				`server = "https://${server}"`,
				'',
				`[host."https://${server}"]`,
				'  capabilities = ["pull", "resolve"]',
				`  ca = "${directory}/ca.crt"`,
				'',
			].join('\n'),
		},
	]
}

/** Whether the containerd of a node reads `certs.d` at all: in a cluster that somebody else made it may not. */
export async function readsCertsDirectory(docker: Docker, node: string): Promise<boolean> {
	const { status, stdout } = await docker.exec(node, ['containerd', 'config', 'dump'])
	return status === 0 && /^\s*config_path\s*=\s*["'][^"']*certs\.d/m.test(stdout)
}

/** Whether a node finds a name. The pods ask the cluster's DNS, which asks the node's. */
export async function resolvesName(docker: Docker, node: string, name: string): Promise<boolean> {
	return (await docker.exec(node, ['getent', 'hosts', name])).status === 0
}

/** Bytes that are free where a node keeps its images; `undefined` where it does not tell. */
export async function freeBytesOf(docker: Docker, node: string): Promise<number | undefined> {
	const { status, stdout } = await docker.exec(node, ['df', '--output=avail', '-B1', '/var/lib/containerd'])
	const bytes = Number(stdout.trim().split('\n').at(-1))
	return status === 0 && Number.isFinite(bytes) ? bytes : undefined
}

async function must(docker: Docker, node: string, args: readonly string[], input?: string): Promise<void> {
	const result = await docker.exec(node, args, { input })
	if (result.status === 0) return
	throw new UserError(
		'TOOL_FAILED',
		`the node ${node} cannot be told of the registry: ${result.stderr.trim()}`,
		{
			hint: `Does the node run? docker start ${node}`,
		},
	)
}
