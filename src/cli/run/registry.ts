import { resolve } from 'node:path'
import {
	type DockerRegistry,
	joinLocalRegistry,
	type LocalRegistry,
	type PushRecord,
	type RegistryContent,
	registryContent,
	registryDirectoryStatus,
	requireLocalRegistry,
	startDockerRegistry,
	startRegistry,
	stopDockerRegistry,
	stopRegistry,
} from '../../flows/index.ts'
import { countOf, formatBytes, formatTable, type Style } from '../../output/index.ts'
import { UserError } from '../../errors/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface RegistryUpFlags extends CommonFlags {
	readonly registry?: string
	readonly image?: string
	readonly port?: number
	readonly immutable?: readonly string[]
}

export interface RegistryStatusFlags extends CommonFlags {
	readonly data?: string
}

export interface RegistryDownFlags extends CommonFlags {
	readonly keepData?: boolean
}

type AnyRegistry = LocalRegistry | DockerRegistry

function document(registry: AnyRegistry): Readonly<Record<string, unknown>> {
	const { endpoint, ca } = registry
	const common = { url: `https://${endpoint.push}`, ...endpoint, ca }
	if ('container' in registry) {
		const { container, image } = registry
		return { kind: 'docker', ...common, container, image }
	}
	const { server } = registry
	return { kind: 'embedded', ...common, pid: server.pid, startedAt: server.startedAt }
}

export async function registryUp(invocation: Invocation, flags: RegistryUpFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const kind = wantedKind(invocation, flags)
	const immutable = flags.immutable ?? (await invocation.config()).immutable
	const step = output.progress.step('registry')
	const { registry, joined } = await workspace.exclusive(
		async () => ({
			registry:
				kind === 'docker'
					? await startDockerRegistry(session, { port: flags.port, image: flags.image, step })
					: await startRegistry(session, { port: flags.port, immutable }),
			joined: await joinLocalRegistry(session),
		}),
		{ signal },
	)
	const url = `https://${registry.endpoint.push}`
	if (registry.started) step.done(url)
	else step.unchanged(`runs already: ${url}`)
	for (const line of joined) output.progress.note(line)
	output.answer({
		text: `Registry at ${url}\nCA at ${registry.ca}\n\nNext: lading push DIR NAME:v1.0.0`,
		document: { registry: { ...document(registry), started: registry.started } },
	})
}

/** @throws UserError `USAGE` */
function wantedKind({ workspace }: Invocation, { registry, image }: RegistryUpFlags): 'embedded' | 'docker' {
	const { registry: present, cluster } = workspace.state()
	const byDefault = present?.kind ?? (cluster?.kind === 'kind' ? 'docker' : 'embedded')
	const kind = registry ?? byDefault
	if (kind !== 'embedded' && kind !== 'docker') {
		throw new UserError('USAGE', `"${kind}" is not a kind of local registry`, {
			hint: '--registry takes embedded or docker here; a registry elsewhere needs no starting.',
		})
	}
	if (image === undefined || kind === 'docker') return kind
	throw new UserError('USAGE', '--image is for a registry in a container', { hint: 'Add --registry docker.' })
}

export async function registryStatus(invocation: Invocation, { data }: RegistryStatusFlags): Promise<void> {
	if (data !== undefined) return await registryStatusOf(invocation, resolve(invocation.cwd, data))
	const session = sessionOf(invocation)
	const registry = await requireLocalRegistry(session)
	const content = await registryContent(session)
	const where =
		'container' in registry
			? `Container     ${registry.container}, of ${registry.image}`
			: `Process       ${registry.server.pid}, since ${registry.server.startedAt}`
	invocation.output.answer({
		text: [
			`Registry      https://${registry.endpoint.push} (in the cluster: ${registry.endpoint.cluster})`,
			`CA            ${registry.ca}`,
			where,
			...(content ? contentLines(content, invocation.output.style) : []),
		].join('\n'),
		document: { registry: { ...document(registry), content } },
	})
}

/** Of a directory that is no project's. */
async function registryStatusOf(invocation: Invocation, dataDirectory: string): Promise<void> {
	const { url, ca, content } = await registryDirectoryStatus(sessionOf(invocation), dataDirectory)
	invocation.output.answer({
		text: [
			`Registry      ${url ?? 'no server runs'}`,
			...(ca === undefined ? [] : [`CA            ${ca}`]),
			`Directory     ${dataDirectory}`,
			...contentLines(content, invocation.output.style),
		].join('\n'),
		document: { registry: { kind: 'embedded', running: url !== undefined, url, ca, dataDirectory, content } },
	})
}

function contentLines(
	{ artifacts, repositories, tags, bytes, disk, damage, pushes = [] }: RegistryContent,
	style: Style,
): readonly string[] {
	const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`
	return [
		`Content       ${countOf(artifacts, 'artifact')} in ${countOf(repositories, 'repository')}, ${countOf(tags, 'tag')}${size}`,
		...(disk ? [`Disk          ${formatBytes(disk.free)} of ${formatBytes(disk.size)} free`] : []),
		...(damage === undefined ? [] : [`Damage        ${damage}`]),
		...lastPushes(pushes, style),
	]
}

const SHOWN_PUSHES = 5

function lastPushes(pushes: readonly PushRecord[], style: Style): string[] {
	if (pushes.length === 0) return []
	const rows = pushes
		.slice(0, SHOWN_PUSHES)
		.map(({ repository, tag, digest, user, client, time }) => [
			`${time.slice(0, 19)}Z`,
			tag === undefined ? `${repository}@${digest.slice(0, 19)}` : `${repository}:${tag}`,
			user === undefined ? (client ?? '') : `${user} (${client})`,
		])
	return ['', formatTable(['pushed', 'what', 'by'], rows, style)]
}

export async function registryDown(invocation: Invocation, flags: RegistryDownFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('registry')
	const keepData = flags.keepData ?? false
	const stop = workspace.state().registry?.kind === 'docker' ? stopDockerRegistry : stopRegistry
	const { stopped, content } = await workspace.exclusive(
		async () => ({
			content: await registryContent(session).catch(() => undefined),
			stopped: await stop(session, { keepData }),
		}),
		{ signal },
	)
	const artifacts = content?.artifacts ?? 0
	if (!stopped && (keepData || content === undefined)) step.unchanged('was not running')
	else step.done(`${keepData ? 'stopped; it keeps' : 'removed, with'} ${countOf(artifacts, 'artifact')}`)
	output.answer({ text: '', document: { registry: { stopped, kept: keepData, artifacts } } })
}
