import { readTree } from '../../artifact/index.ts'
import {
	type ApplicationSource,
	ArgocdLimit,
	ASSUMED_ARGOCD_VERSION,
	checkArtifact,
	comparisonErrorOf,
	type DeployedResource,
	isContentLayer,
	parseRepoUrl,
	resourcesOf,
	tlsHostname,
	type Verdict,
} from '../../argocd/index.ts'
import type { KubeObject } from '../../cluster/index.ts'
import { type ReadableStore, readVerified, verified } from '../../content/index.ts'
import { RemoteError } from '../../errors/index.ts'
import { createHttpClient } from '../../http/client/index.ts'
import { parseManifests } from '../../manifests/index.ts'
import { type Descriptor, isManifestType, type Manifest, parseManifest } from '../../oci/index.ts'
import { createRegistryClient } from '../../registry/client/index.ts'
import type { ArgocdSettings } from './controller.ts'
import { createGenerationCache, type Generation, type GenerationCache } from './generation-cache.ts'
import { goError, type RegistryNames } from './go-error.ts'
import { isFields } from './object-fields.ts'
import { renderSource } from './render-source.ts'
import { certificatesFor, repositoryAccess } from './repositories.ts'
import { resolveRevision } from './resolve-revision.ts'
import type { LoadSource, SourceAnswer, SourceRequest } from './source.ts'

export interface OciLoaderOptions extends ArgocdSettings {
	readonly connectTo?: ((registry: string) => string | undefined | Promise<string | undefined>) | undefined
	/** `PATH` of which names the tools that render. */
	readonly environment: Readonly<Record<string, string | undefined>>
}

/** Layers whose manifests are kept, in bytes. */
const MAX_CACHED_BYTES = 64 * 1024 * 1024
/** What Argo CD gives its repo-server for one answer. */
const TIMEOUT_MS = 60_000

const rpcError = (message: string, code = 'Unknown'): SourceAnswer => ({
	ok: false,
	error: `rpc error: code = ${code} desc = ${message}`,
})

/**
 * Loads sources from registries as Argo CD's repo-server does: a client of its own for
 * each request, with the credential, the CA and the scheme Argo CD's objects say.
 */
export function createOciLoader(options: OciLoaderOptions): LoadSource {
	const cache = createGenerationCache(MAX_CACHED_BYTES)
	return async (request) => {
		const { repoURL } = request.source
		if (!repoURL.startsWith('oci://'))
			return rpcError(`sandbox: ${repoURL} is no oci:// source, and only those are served here`)
		const parsed = parseRepoUrl(repoURL)
		if (!parsed.ok)
			return rpcError(parsed.argocdMessage ?? `failed to initialize oci client: ${parsed.message}`)
		const { registry, repository } = parsed.url
		const deadline = AbortSignal.timeout(TIMEOUT_MS)
		const signal = AbortSignal.any([request.signal, deadline])
		const access = repositoryAccess(options.secrets(), { repoURL, project: request.project })
		const reached = (await options.connectTo?.(registry)) ?? registry
		const authenticated = (access.username ?? '') !== '' || (access.password ?? '') !== ''
		const http = createHttpClient({
			ca: certificatesFor(options.tlsCertificates(), tlsHostname(registry)),
			// What the ConfigMap holds for a host takes the place of the system's roots.
			systemRoots: false,
			insecure: access.insecure,
			retry: { attempts: 1 },
		})
		const credential = {
			kind: 'password' as const,
			username: access.username ?? '',
			password: access.password ?? '',
		}
		const keychain = { resolve: async () => (authenticated ? credential : undefined) }
		const client = createRegistryClient({ http, keychain, plainHttp: access.plainHttp, signal })
		const store = client.repository(reached, repository)
		try {
			return await load(request, {
				store,
				cache,
				signal,
				place: `${registry}/${repository}`,
				names: { named: registry, reached, authenticated },
				environment: options.environment,
			})
		} catch (error) {
			if (request.signal.aborted) throw error
			if (deadline.aborted) return rpcError('context deadline exceeded', 'DeadlineExceeded')
			return rpcError(goError(error, { named: registry, reached, authenticated }))
		} finally {
			http.close()
		}
	}
}

/** `undefined` when it is gone; what Argo CD does not take for a manifest is not read. */
async function manifestAt(
	store: ReadableStore,
	{ descriptor, signal }: { readonly descriptor: Descriptor; readonly signal: AbortSignal },
): Promise<Manifest | undefined> {
	if (!isManifestType(descriptor.mediaType) || descriptor.size > ArgocdLimit.manifestBytes)
		return { kind: 'other', mediaType: descriptor.mediaType }
	const bytes = await readVerified(store, descriptor, { signal })
	return bytes && parseManifest(bytes, descriptor.mediaType)
}

interface Loading {
	readonly store: ReadableStore
	readonly cache: GenerationCache
	readonly signal: AbortSignal
	/** `host/repository` as the source writes it. */
	readonly place: string
	readonly names: RegistryNames
	readonly environment: OciLoaderOptions['environment']
}

async function load(request: SourceRequest, loading: Loading): Promise<SourceAnswer> {
	const { store, place, signal, names, cache } = loading
	const describe = (error: unknown): string => goError(error, names)
	const resolution = await resolveRevision(request.revision, { store, place, describe, signal })
	if (!resolution.ok) return rpcError(resolution.error)
	const { descriptor } = resolution
	const { application, namespace } = request
	const key = JSON.stringify([place, descriptor.digest, request.source, application, namespace])
	if (request.hard) cache.delete(key)
	const known = cache.get(key)
	if (known !== undefined) return { ok: true, revision: descriptor.digest, ...known }
	try {
		const generated = await generate(request, { descriptor, loading })
		if ('error' in generated) return generated.error
		cache.set(key, generated.generation, generated.size)
		return { ok: true, revision: descriptor.digest, ...generated.generation }
	} catch (error) {
		if (!(error instanceof RemoteError) || error.code !== 'CONTENT_CORRUPT') throw error
		return rpcError(
			`could not save oci digest ${descriptor.digest}: failed to perform "Push" on destination: failed to ingest: mismatched digest`,
		)
	}
}

type Generated = { readonly generation: Generation; readonly size: number } | { readonly error: SourceAnswer }

async function generate(
	{ source, application }: SourceRequest,
	artifact: { readonly descriptor: Descriptor; readonly loading: Loading },
): Promise<Generated> {
	const { descriptor, loading } = artifact
	const { store, signal } = loading
	const { digest, mediaType, size } = descriptor
	const parsed = await manifestAt(store, { descriptor, signal })
	if (parsed === undefined)
		return { error: rpcError(`error fetching oci manifest for digest ${digest}: ${digest}: not found`) }
	const manifest = { mediaType, size, digest, parsed }
	const { path, directory } = source
	const options = { parse: parseManifests, path, ...directory }
	const unsupported = (['kustomize', 'helm'] as const).find(
		(field) => Object.keys(source[field] ?? {}).length > 0,
	)
	if (unsupported !== undefined) {
		const message = `sandbox: spec.source.${unsupported} needs a real Argo CD: only what stands in the artifact is rendered here`
		return { error: rpcError(message) }
	}
	const outer = refusal(checkArtifact({ manifest }, options))
	if (outer !== undefined) return { error: outer }
	const layer = contentLayer(parsed)
	const stream = layer && (await store.fetch(layer, { signal }))
	if (layer === undefined || stream === undefined) {
		const message = `could not save oci digest ${digest}: failed to perform "Fetch" on source: ${layer?.digest ?? digest}: not found`
		return { error: rpcError(message) }
	}
	const subject = parsed.kind === 'image' ? parsed.manifest.subject : undefined
	if (subject !== undefined && (await store.resolve(subject.digest, { signal })) === undefined) {
		const message = `could not save oci digest ${digest}: failed to perform "FindSuccessors" on source: ${subject.digest}: not found`
		return { error: rpcError(message) }
	}
	if (subject !== undefined) {
		const message = `sandbox: the subject ${subject.digest} is merged into the manifests, which needs a real Argo CD`
		return { error: rpcError(message) }
	}
	const tree = await readTree(verified(layer, stream), layer.mediaType)
	const verdict = checkArtifact({ manifest, tree }, options)
	const inner = refusal(verdict)
	if (inner !== undefined) return { error: inner }
	const names = new Set(['.argocd-source.yaml', `.argocd-source-${application}.yaml`])
	const override = verdict.findings.find(
		({ rule, file = '' }) => rule === 'source-override' && names.has(file.split('/').at(-1) ?? ''),
	)
	if (override?.file !== undefined) {
		const message = `sandbox: ${override.file} changes the source, which needs a real Argo CD`
		return { error: rpcError(message) }
	}
	const unread = verdict.skipped.find(({ reason }) => reason === 'jsonnet' || reason === 'unread')
	if (unread !== undefined)
		return { error: rpcError(`sandbox: ${unread.path} needs a real Argo CD: ${unread.detail}`) }
	const sourceType = verdict.sourceType ?? 'Directory'
	if (sourceType === 'Directory')
		return { generation: { sourceType, manifests: verdict.resources.map(toObject) }, size: layer.size }
	return renderLayer(layer, { source, sourceType, loading })
}

async function renderLayer(
	layer: Descriptor,
	context: {
		readonly source: ApplicationSource
		readonly sourceType: 'Kustomize' | 'Helm'
		readonly loading: Loading
	},
): Promise<Generated> {
	const { source, sourceType, loading } = context
	const { store, signal, environment } = loading
	const stream = await store.fetch(layer, { signal })
	if (stream === undefined) return { error: rpcError(`${layer.digest}: not found`) }
	const rendered = await renderSource(
		{ stream: verified(layer, stream), mediaType: layer.mediaType, path: source.path ?? '.' },
		{ sourceType, environment, signal },
	)
	if (!rendered.ok) return { error: rpcError(rendered.error) }
	const manifests = rendered.values.filter(isFields).flatMap((value) => resourcesOf(value).map(toObject))
	return { generation: { sourceType, manifests }, size: layer.size }
}

/** What the controller puts before the words of the repo-server. */
const WRAPPING = /^Failed to load target state: (?:failed to generate manifest for source 1 of 1: )?/

/** The first finding Argo CD would stop at: what it takes without a word is taken here too. */
function refusal(verdict: Verdict): SourceAnswer | undefined {
	const message = comparisonErrorOf(verdict)
	return message === undefined ? undefined : { ok: false, error: message.replace(WRAPPING, '') }
}

function contentLayer(parsed: Manifest): Descriptor | undefined {
	if (parsed.kind !== 'image') return undefined
	const { config, layers } = parsed.manifest
	const options = { version: ASSUMED_ARGOCD_VERSION, configType: config.mediaType }
	return layers.find(({ mediaType }) => isContentLayer(mediaType, options))
}

/** A manifest as an object; one without metadata gets an empty name, which the cluster then refuses. */
function toObject({ object, kind, name }: DeployedResource): KubeObject {
	const metadata = isFields(object['metadata']) ? object['metadata'] : {}
	const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : ''
	return { ...object, apiVersion, kind, metadata: { ...metadata, name } }
}
