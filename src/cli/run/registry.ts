import {
	findRegistry,
	type LocalRegistry,
	registryContent,
	startRegistry,
	stopRegistry,
} from '../../flows/index.ts'
import { countOf, formatBytes } from '../../output/index.ts'
import { UserError } from '../../errors/index.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface RegistryUpFlags extends CommonFlags {
	readonly port?: number
}

export type RegistryStatusFlags = CommonFlags

export interface RegistryDownFlags extends CommonFlags {
	readonly keepData?: boolean
}

function document({ endpoint, server, ca }: LocalRegistry): Readonly<Record<string, unknown>> {
	return {
		kind: 'embedded',
		url: `https://${endpoint.push}`,
		...endpoint,
		ca,
		pid: server.pid,
		startedAt: server.startedAt,
	}
}

export async function registryUp(invocation: Invocation, flags: RegistryUpFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('registry')
	const registry = await workspace.exclusive(async () => await startRegistry(session, { port: flags.port }), {
		signal,
	})
	const url = `https://${registry.endpoint.push}`
	if (registry.started) step.done(url)
	else step.unchanged(`runs already: ${url}`)
	output.answer({
		text: `Registry at ${url}\nCA at ${registry.ca}\n\nNext: lading push DIR NAME:v1.0.0`,
		document: { registry: { ...document(registry), started: registry.started } },
	})
}

export async function registryStatus(invocation: Invocation): Promise<void> {
	const session = sessionOf(invocation)
	const registry = findRegistry(session)
	if (!registry)
		throw new UserError('NOT_RUNNING', 'the local registry is not running', { hint: 'lading registry up' })
	const content = await registryContent(session)
	invocation.output.answer({
		text: [
			`Registry      https://${registry.endpoint.push} (in the cluster: ${registry.endpoint.cluster})`,
			`CA            ${registry.ca}`,
			`Process       ${registry.server.pid}, since ${registry.server.startedAt}`,
			...(content
				? [
						`Content       ${countOf(content.artifacts, 'artifact')} in ${countOf(content.repositories, 'repository')}, ${countOf(content.tags, 'tag')}, ${formatBytes(content.bytes)}`,
					]
				: []),
		].join('\n'),
		document: { registry: { ...document(registry), content } },
	})
}

export async function registryDown(invocation: Invocation, flags: RegistryDownFlags): Promise<void> {
	const { output, workspace, signal } = invocation
	const session = sessionOf(invocation)
	const step = output.progress.step('registry')
	const keepData = flags.keepData ?? false
	const { stopped, content } = await workspace.exclusive(
		async () => ({
			content: await registryContent(session).catch(() => undefined),
			stopped: await stopRegistry(session, { keepData }),
		}),
		{ signal },
	)
	const artifacts = content?.artifacts ?? 0
	if (!stopped && (keepData || content === undefined)) step.unchanged('was not running')
	else step.done(`${keepData ? 'stopped; it keeps' : 'removed, with'} ${countOf(artifacts, 'artifact')}`)
	output.answer({ text: '', document: { registry: { stopped, kept: keepData, artifacts } } })
}
