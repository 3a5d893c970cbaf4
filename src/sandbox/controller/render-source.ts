import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpack } from '../../artifact/index.ts'
import type { ByteStream } from '../../content/index.ts'
import { LadingError } from '../../errors/index.ts'
import { findRenderer, parseManifests } from '../../manifests/index.ts'
import { MediaType } from '../../oci/index.ts'

export type Rendered =
	| { readonly ok: true; readonly values: readonly unknown[] }
	/** Starts with "sandbox:": Argo CD itself would render with tools of its own. */
	| { readonly ok: false; readonly error: string }

/** Lets an installed tool render a Kustomize or Helm directory of an artifact. */
export async function renderSource(
	layer: { readonly stream: ByteStream; readonly mediaType: string; readonly path: string },
	options: {
		readonly sourceType: 'Kustomize' | 'Helm'
		readonly environment: Readonly<Record<string, string | undefined>>
		readonly signal: AbortSignal
	},
): Promise<Rendered> {
	const { environment, signal, sourceType } = options
	const renderer = findRenderer(sourceType === 'Helm' ? 'helm' : 'kustomize', { environment })
	if (renderer === undefined) {
		const tool = sourceType === 'Helm' ? 'helm' : 'kustomize or kubectl'
		return { ok: false, error: `sandbox: not rendered: ${sourceType} needs ${tool} on the PATH of lading` }
	}
	const workspace = await mkdtemp(join(tmpdir(), 'lading-'))
	try {
		const directory = join(workspace, 'artifact')
		await unpack(layer.stream, directory, { mediaType: layer.mediaType, signal, allowGit: true })
		const isChart = layer.mediaType === MediaType.helmChart
		// Argo CD strips the one directory of a chart's layer.
		const root = isChart ? join(directory, (await readdir(directory))[0] ?? '') : directory
		const bytes = await renderer.render(join(root, layer.path), { root, signal })
		return { ok: true, values: parseManifests(bytes, sourceType).map(({ value }) => value) }
	} catch (error) {
		if (!(error instanceof LadingError)) throw error
		return { ok: false, error: `sandbox: ${renderer.program}: ${error.message}` }
	} finally {
		await rm(workspace, { recursive: true, force: true })
	}
}
