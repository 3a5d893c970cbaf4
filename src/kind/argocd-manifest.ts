import { createHash } from 'node:crypto'
import { loadAll } from 'js-yaml'
import * as v from 'valibot'
import { ArgocdName, ASSUMED_ARGOCD_VERSION, supportedArgoCd } from '../argocd/index.ts'
import { fieldOf, type KubeObject, listOf } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import type { HttpClient } from '../http/client/index.ts'

/** An installation of Argo CD, ready to be applied. */
export interface ArgocdManifest {
	/** `3.6.1`, as the image of the repo-server says. */
	readonly version: string
	/** sha256 of the text, in hexadecimal. */
	readonly digest: string
	readonly objects: readonly KubeObject[]
}

/** sha256 of `manifests/install.yaml` of the version that is installed unless another is asked for. */
const PINNED: Readonly<Record<string, string>> = {
	'3.6.1': '7be23ca7d9ca3d3074dee8332f1ca92a933b990cee7c9cf22cf3843ee8c2913e',
}

const MAX_BYTES = 32 * 1024 * 1024
const DOWNLOAD_TIMEOUT_MS = 120_000

/** Where the makers of Argo CD publish an installation. @see https://argo-cd.readthedocs.io/en/stable/getting_started/ */
export function manifestUrl(version: string): string {
	return `https://raw.githubusercontent.com/argoproj/argo-cd/v${version}/manifests/install.yaml`
}

/** Without the `v`. @throws UserError `USAGE`, `ARGOCD_UNSUPPORTED` */
export function readArgocdVersion(text: string = ASSUMED_ARGOCD_VERSION): string {
	const version = text.replace(/^v/, '')
	const support = supportedArgoCd(version)
	switch (support.status) {
		case 'supported':
			return version
		case 'unknown':
			throw new UserError('USAGE', support.reason, { hint: 'Write it as 3.6.1.' })
		case 'too-old':
			throw new UserError('ARGOCD_UNSUPPORTED', support.reason, {
				hint: `--argocd-version ${ASSUMED_ARGOCD_VERSION} is what is installed without it.`,
			})
	}
}

/**
 * Fetches the published installation of a version. The default one is verified against its known digest.
 * @throws UserError `NOT_FOUND`, `ARTIFACT_INVALID`; RemoteError when it cannot be reached
 */
export async function downloadManifest(
	http: HttpClient,
	{ version, signal }: { readonly version: string; readonly signal?: AbortSignal | undefined },
): Promise<string> {
	const url = manifestUrl(version)
	const response = await http.request({ method: 'GET', url, signal, timeout: DOWNLOAD_TIMEOUT_MS })
	if (response.status === 404) {
		response.discard()
		throw new UserError('NOT_FOUND', `there is no Argo CD ${version}: ${url} does not exist`, {
			hint: 'See https://github.com/argoproj/argo-cd/releases, or give a file with --argocd-manifest.',
		})
	}
	if (response.status !== 200) {
		response.discard()
		throw new UserError('TOOL_FAILED', `${url} answers with status ${response.status}`, {
			hint: 'Download it elsewhere and give it with --argocd-manifest FILE.',
		})
	}
	const text = await response.text(MAX_BYTES)
	const known = PINNED[version]
	if (known === undefined || known === digestOf(text)) return text
	throw new UserError(
		'ARTIFACT_INVALID',
		`${url} is not the installation of Argo CD ${version} that is known`,
		{
			hint: 'Something stands between, or it was changed there. Give a file that you trust with --argocd-manifest FILE.',
		},
	)
}

const objectSchema = v.looseObject({
	apiVersion: v.string(),
	kind: v.string(),
	metadata: v.looseObject({ name: v.string(), namespace: v.optional(v.string()) }),
})

/**
 * Reads an installation of Argo CD. `from` is only for messages.
 * @throws UserError `MANIFEST_UNPARSABLE`, `OBJECT_INVALID`, `ARGOCD_UNSUPPORTED`
 */
export function parseManifest(
	text: string,
	{ from, namespace }: { readonly from: string; readonly namespace: string },
): ArgocdManifest {
	let documents: readonly unknown[]
	try {
		documents = loadAll(text)
	} catch (error) {
		throw new UserError('MANIFEST_UNPARSABLE', `${from} does not parse`, { cause: error })
	}
	const objects = documents
		.filter((document) => document !== null && document !== undefined)
		.map((document) => {
			const parsed = v.safeParse(objectSchema, document)
			if (parsed.success) return inNamespace(parsed.output, namespace)
			throw new UserError('OBJECT_INVALID', `${from} holds something that is no Kubernetes object`, {
				hint: 'It has to be an installation such as manifests/install.yaml of Argo CD.',
			})
		})
	const image = imageOf(
		objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === ArgocdName.repoServer),
	)
	if (image === undefined) {
		throw new UserError('OBJECT_INVALID', `${from} holds no Deployment ${ArgocdName.repoServer}`, {
			hint: 'It has to be an installation such as manifests/install.yaml of Argo CD.',
		})
	}
	const version = /:v?(\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1]
	return {
		version: version === undefined ? image : readArgocdVersion(version),
		digest: digestOf(text),
		objects,
	}
}

/** Kinds of an installation that live in no namespace. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
	'Namespace',
	'CustomResourceDefinition',
	'ClusterRole',
	'ClusterRoleBinding',
	'PriorityClass',
])

/** As `kubectl apply -n` would; the subjects of cluster-wide bindings follow. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
	if (!CLUSTER_SCOPED.has(object.kind))
		return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } }
	if (object.kind !== 'ClusterRoleBinding') return object
	const subjects = listOf(object.subjects).map((subject) =>
		fieldOf(subject, 'namespace') === ArgocdName.defaultNamespace && typeof subject === 'object'
			? { ...subject, namespace }
			: subject,
	)
	return { ...object, subjects }
}

/** Image of the first container of a workload. */
export function imageOf(workload: KubeObject | undefined): string | undefined {
	const pod = fieldOf(fieldOf(workload?.spec, 'template'), 'spec')
	const image = fieldOf(listOf(fieldOf(pod, 'containers'))[0], 'image')
	return typeof image === 'string' ? image : undefined
}

function digestOf(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}
