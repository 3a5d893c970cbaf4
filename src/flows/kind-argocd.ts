import { readFileSync } from 'node:fs'
import { ArgocdName } from '../argocd/index.ts'
import { LadingError, RemoteError, UserError } from '../errors/index.ts'
import { createHttpClient } from '../http/client/index.ts'
import {
	type ArgocdManifest,
	downloadManifest,
	imageOf,
	installArgocd,
	manifestUrl,
	parseManifest,
	readArgocdVersion,
	type ReadyProgress,
	waitUntilReady,
} from '../kind/index.ts'
import { FIELD_MANAGER } from '../sync/index.ts'
import type { ReachedCluster } from './clusters.ts'
import type { Step } from './progress.ts'
import type { Session } from './session.ts'

/** Which Argo CD is installed; nothing: what is there, else the pinned version. */
export interface ArgocdChoice {
	readonly argocdVersion?: string | undefined
	/** Path of an installation, such as `manifests/install.yaml` of Argo CD: nothing is downloaded. */
	readonly argocdManifest?: string | undefined
	readonly argocdNamespace?: string | undefined
}

/** A choice that was read as far as it can be without a cluster. */
export type ReadArgocdChoice =
	| { readonly kind: 'default' }
	| { readonly kind: 'version'; readonly version: string }
	| { readonly kind: 'manifest'; readonly manifest: ArgocdManifest }

const DEFAULT_TIMEOUT_MS = 10 * 60_000
/** Parts of Argo CD that nothing is deployed by: logins, messages, generated Applications. */
const NOT_NEEDED: ReadonlySet<string> = new Set([
	'argocd-dex-server',
	'argocd-notifications-controller',
	'argocd-applicationset-controller',
])

/** @throws UserError `USAGE`, `FILE_UNREADABLE`, `ARGOCD_UNSUPPORTED`, those of parsing */
export function readArgocdChoice(choice: ArgocdChoice): ReadArgocdChoice {
	const { argocdVersion, argocdManifest: path } = choice
	if (path === undefined) {
		if (argocdVersion === undefined) return { kind: 'default' }
		return { kind: 'version', version: readArgocdVersion(argocdVersion) }
	}
	if (argocdVersion !== undefined) {
		throw new UserError('USAGE', '--argocd-version and --argocd-manifest are both given', {
			hint: 'The manifest decides the version: give one of the two.',
		})
	}
	let text: string
	try {
		text = readFileSync(path, 'utf8')
	} catch (error) {
		throw new UserError('FILE_UNREADABLE', `cannot read the installation of Argo CD ${path}`, {
			cause: error,
			hint: `Download it where there is internet: curl -LO ${manifestUrl(readArgocdVersion())}`,
		})
	}
	return { kind: 'manifest', manifest: parseManifest(text, { from: path, namespace: namespaceOf(choice) }) }
}

function namespaceOf({ argocdNamespace }: ArgocdChoice): string {
	return argocdNamespace ?? ArgocdName.defaultNamespace
}

interface EnsureOptions {
	readonly choice: ReadArgocdChoice
	readonly step: Step
	readonly beforeWorkloads: () => Promise<void>
}

/**
 * Installs Argo CD where it is missing, is half there or another version is asked for.
 * @returns whether it had to
 * @throws UserError `ARGOCD_NOT_READY` for a cluster that is not lading's and has none
 */
export async function ensureArgocd(
	session: Session,
	target: ReachedCluster,
	{ choice, step, beforeWorkloads }: EnsureOptions,
): Promise<boolean> {
	const { workspace, signal } = session
	const { cluster: state } = workspace.state()
	if (state?.kind !== 'kind') return false
	const { cluster, argocdNamespace: namespace } = target
	const live = await cluster.get(
		{ apiVersion: 'apps/v1', kind: 'Deployment', name: ArgocdName.repoServer, namespace },
		{ signal },
	)
	if (!state.ours) {
		if (live !== undefined) return false
		throw new RemoteError(
			'ARGOCD_NOT_READY',
			`the kind cluster ${state.name} is not lading's, and has no Argo CD in ${namespace}`,
			{
				hint: `Install it, or let lading make a cluster of its own (--cluster kind:NAME): kubectl --context kind-${state.name} create namespace ${namespace} && kubectl --context kind-${state.name} apply -n ${namespace} --server-side -f ${manifestUrl(readArgocdVersion())}`,
			},
		)
	}
	const isThere = live !== undefined && imageOf(live) !== undefined
	if (isThere && state.argocd !== undefined && isWanted(state.argocd, choice)) return false
	const manifest = await manifestFor(session, { choice, namespace, step })
	step.update(`installing Argo CD ${manifest.version}`)
	await installArgocd(cluster, manifest, {
		namespace,
		fieldManager: FIELD_MANAGER,
		beforeWorkloads,
		onProgress: (done, of) => step.update(`installing Argo CD ${manifest.version}: ${done} of ${of} objects`),
		signal,
	})
	const { version, digest } = manifest
	workspace.update((now) => ({
		...now,
		...(now.cluster?.kind === 'kind' && { cluster: { ...now.cluster, argocd: { version, digest } } }),
	}))
	return true
}

function isWanted(
	installed: { readonly version: string; readonly digest: string },
	choice: ReadArgocdChoice,
): boolean {
	switch (choice.kind) {
		case 'default':
			return true
		case 'version':
			return installed.version.replace(/^v/, '') === choice.version
		case 'manifest':
			return installed.digest === choice.manifest.digest
	}
}

async function manifestFor(
	{ env, signal, progress }: Session,
	{
		choice,
		namespace,
		step,
	}: { readonly choice: ReadArgocdChoice; readonly namespace: string; readonly step: Step },
): Promise<ArgocdManifest> {
	if (choice.kind === 'manifest') return choice.manifest
	const version = choice.kind === 'version' ? choice.version : readArgocdVersion()
	const from = manifestUrl(version)
	step.update(`downloading ${from}`)
	const http = createHttpClient({
		env,
		onRetry: ({ origin, reason }) => progress.warn(`${origin}: ${reason}; trying again`),
	})
	try {
		return parseManifest(await downloadManifest(http, { version, signal }), { from, namespace })
	} catch (error) {
		if (
			!(error instanceof LadingError) ||
			error.kind === 'interrupted' ||
			error.hint?.includes('--argocd-manifest') === true
		)
			throw error
		throw new RemoteError(error.code, `Argo CD ${version} cannot be downloaded: ${error.message}`, {
			cause: error,
			hint: 'Where there is no internet, give its install.yaml with --argocd-manifest FILE.',
		})
	} finally {
		http.close()
	}
}

/** Waits for the cluster's DNS and for Argo CD, and shows what keeps them. @throws RemoteError `ARGOCD_NOT_READY` */
export async function waitForArgocd(
	{ signal }: Session,
	{ cluster, argocdNamespace }: ReachedCluster,
	{ step, timeoutMs = DEFAULT_TIMEOUT_MS }: { readonly step: Step; readonly timeoutMs?: number | undefined },
): Promise<void> {
	const onProgress = (progress: ReadyProgress): void => step.update(describe(progress))
	await Promise.all([
		waitUntilReady(cluster, {
			namespace: argocdNamespace,
			needs: (name) => !NOT_NEEDED.has(name),
			timeoutMs,
			onProgress,
			signal,
		}),
		waitUntilReady(cluster, {
			namespace: 'kube-system',
			needs: (name) => name === 'coredns',
			timeoutMs,
			signal,
		}),
	])
}

function describe({ ready, of, waiting, troubles }: ReadyProgress): string {
	const [trouble] = troubles
	const counts = `${ready} of ${of} ready`
	if (trouble !== undefined) return `${counts}; ${trouble}`
	return waiting.length === 0 ? counts : `${counts}; waiting for ${waiting.join(', ')}`
}
