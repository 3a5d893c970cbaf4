import {
	type Application,
	ArgocdName,
	parseApplication,
	parseRepoUrl,
	explain,
	sourcesOf,
	supportedArgoCd,
} from '../argocd/index.ts'
import { type Cluster, isWorkloadReady, type KubeObject, podsOf, podTrouble } from '../cluster/index.ts'
import { LadingError, shellWord } from '../errors/index.ts'
import { findRepositorySecret, secretField } from '../sync/index.ts'
import type { Check, DoctorContext, DoctorRegistry, Finding } from './check.ts'
import { readUnhealthy } from './unhealthy.ts'

const APPLICATION = { apiVersion: ArgocdName.apiVersion, kind: 'Application' } as const
const WORKLOADS = [
	{ apiVersion: 'apps/v1', kind: 'Deployment' },
	{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
] as const
const CONTROLLER = 'argocd-application-controller'
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const
const REPO_SERVER = ArgocdName.repoServer

/** What can be wrong with the cluster, its Argo CD and the Applications there. */
export const argocdChecks: readonly Check[] = [
	{ name: 'cluster', run: checkCluster },
	{ name: 'argocd', run: async (context) => await withCluster(context, checkArgocd) },
	{
		name: 'application',
		run: async (context) => await eachApplication(context, conditionsOf),
	},
	{ name: 'repository-secret', run: async (context) => await eachApplication(context, checkSecret) },
	{ name: 'artifact', run: async (context) => await eachApplication(context, checkArtifactOf) },
]

async function checkCluster({ cluster, signal }: DoctorContext): Promise<readonly Finding[]> {
	const base = { check: 'cluster' }
	if (cluster === undefined)
		return [
			{
				...base,
				status: 'skipped',
				seen: 'no cluster is chosen',
				fix: 'lading up, or --cluster context:NAME',
			},
		]
	if (cluster instanceof LadingError)
		return [{ ...base, status: 'fault', seen: cluster.message, fix: cluster.hint }]
	try {
		return [
			{
				...base,
				subject: cluster.server,
				status: 'ok',
				seen: `Kubernetes ${await cluster.version({ signal })}`,
			},
		]
	} catch (error) {
		if (!(error instanceof LadingError)) throw error
		return [{ ...base, subject: cluster.server, status: 'fault', seen: error.message, fix: error.hint }]
	}
}

async function withCluster(
	context: DoctorContext,
	run: (cluster: Cluster, context: DoctorContext) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
	const { cluster } = context
	return cluster === undefined || cluster instanceof LadingError ? [] : await run(cluster, context)
}

async function checkArgocd(
	cluster: Cluster,
	{ argocdNamespace: namespace, kubectl = 'kubectl', signal }: DoctorContext,
): Promise<readonly Finding[]> {
	const base = { check: 'argocd', subject: namespace }
	const server = await cluster.get({ ...DEPLOYMENT, name: REPO_SERVER, namespace }, { signal })
	if (server === undefined) {
		return [
			{
				...base,
				status: 'warn',
				seen: `there is no Deployment ${REPO_SERVER} in namespace ${namespace}`,
				why: 'Argo CD is not installed there, or runs otherwise',
				fix: 'Name its namespace with --argocd-namespace, or install Argo CD.',
			},
		]
	}
	const found: Finding[] = [...(await workloadsNotReady(cluster, { namespace, kubectl, signal }))]
	const version = versionOf(server)
	const support = version === undefined ? undefined : supportedArgoCd(version)
	if (version === undefined || support === undefined || support.status === 'unknown') {
		found.push({ ...base, status: 'warn', seen: 'the version of Argo CD cannot be told from its image' })
	} else if (support.status === 'too-old') {
		found.push({
			...base,
			status: 'fault',
			seen: `Argo CD ${version}`,
			why: support.reason,
			fix: 'Upgrade Argo CD.',
		})
	} else {
		found.push({ ...base, status: 'ok', seen: `Argo CD ${version}`, why: support.note })
	}
	return found
}

/** What runs in the namespace of Argo CD and does not, with what stops its pods. */
async function workloadsNotReady(
	cluster: Cluster,
	{
		kubectl,
		...options
	}: {
		readonly namespace: string
		readonly kubectl: string
		readonly signal: AbortSignal | undefined
	},
): Promise<readonly Finding[]> {
	const labelSelector = `${ArgocdName.partOfLabel}=argocd`
	const lists = await Promise.all(
		WORKLOADS.map(async (type) => await cluster.list(type, { ...options, labelSelector })),
	)
	const lacking = lists.flatMap(({ items }) => items).filter((each) => !isWorkloadReady(each))
	return await Promise.all(
		lacking.map(async (workload): Promise<Finding> => {
			const { name, namespace } = workload.metadata
			const pods = await podsOf(cluster, workload, { signal: options.signal })
			const trouble = pods.map(podTrouble).find((each) => each !== undefined)
			const essential = name === REPO_SERVER || name === CONTROLLER
			return {
				check: 'argocd',
				subject: name,
				status: essential ? 'fault' : 'warn',
				seen: `${name} is not ready`,
				why: trouble ?? (essential ? 'without it nothing is deployed' : undefined),
				fix: `${kubectl} describe pods -n ${namespace} -l app.kubernetes.io/name=${name}`,
			}
		}),
	)
}

/** From the tag of the image, which is where an installation says its version. */
function versionOf(deployment: KubeObject): string | undefined {
	const pod = record(record(record(deployment.spec)?.template)?.spec)
	const containers = Array.isArray(pod?.containers) ? (pod.containers as unknown[]) : []
	for (const container of containers) {
		const image = record(container)?.image
		const tag = typeof image === 'string' ? /:(v?\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1] : undefined
		if (tag !== undefined) return tag
	}
	return undefined
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
	return typeof value === 'object' && value !== null
		? (value as Readonly<Record<string, unknown>>)
		: undefined
}

type ApplicationCheck = (
	application: Application,
	context: DoctorContext & { readonly cluster: Cluster },
) => Promise<readonly Finding[]> | readonly Finding[]

async function eachApplication(context: DoctorContext, check: ApplicationCheck): Promise<readonly Finding[]> {
	return await withCluster(context, async (cluster) => {
		const { argocdNamespace: namespace, applications: names, signal } = context
		const labelSelector =
			names === undefined ? `${ArgocdName.managedByLabel}=${ArgocdName.managedByLading}` : undefined
		const { items } = await cluster.list(APPLICATION, { namespace, labelSelector, signal })
		const applications = items
			.filter(({ metadata }) => names?.includes(metadata.name) ?? true)
			.map(parseApplication)
		return (
			await Promise.all(applications.map(async (each) => await check(each, { ...context, cluster })))
		).flat()
	})
}

const conditionsOf: ApplicationCheck = async (application, { cluster, signal }) => {
	const base = { check: 'application', subject: application.metadata.name }
	const { status } = application
	const explanations = explain(application)
	const seen = `${status?.sync?.status ?? 'Unknown'} and ${status?.health?.status ?? 'Unknown'}`
	if (explanations.length === 0) {
		const degraded = status?.health?.status === 'Degraded'
		const stands = status?.sync?.status === 'Synced'
		const causes = (await readUnhealthy(cluster, application, { signal })).map(
			({ kind, name, message }) => `${kind} ${name}: ${message}`,
		)
		return [
			{
				...base,
				status: degraded ? 'fault' : stands ? 'ok' : 'warn',
				seen,
				...(!stands && { fix: `lading status ${application.metadata.name}` }),
				...(causes.length > 0 && { why: causes.join('; ') }),
				...(degraded && {
					why: causes.length > 0 ? causes.join('; ') : status.health?.message,
					fix: `lading status ${application.metadata.name}`,
				}),
			},
		]
	}
	return explanations.map(({ severity, what, why, next }) => ({
		...base,
		status: severity === 'error' ? 'fault' : 'warn',
		seen: what,
		why,
		fix: next,
	}))
}

interface Place {
	readonly repoURL: string
	readonly registry: DoctorRegistry
	readonly repository: string
	readonly revision: string
	readonly path: string | undefined
	readonly recurse: boolean | undefined
	/** Argo CD deploys all files that stand there, and as they are. */
	readonly isPlain: boolean
}

function placesOf(application: Application, { registries }: DoctorContext): readonly Place[] {
	return sourcesOf(application).flatMap((source) => {
		const { repoURL, targetRevision = '', path, directory } = source
		const parsed = parseRepoUrl(repoURL)
		if (!parsed.ok) return []
		const { registry: name, repository } = parsed.url
		const registry = registries.find(({ clusterName }) => clusterName === name) ?? { name, clusterName: name }
		const { recurse, include = '', exclude = '' } = directory ?? {}
		const isRendered = 'helm' in source || 'kustomize' in source || 'plugin' in source
		const isPlain = !isRendered && include === '' && exclude === ''
		return [{ repoURL, registry, repository, revision: targetRevision, path, recurse, isPlain }]
	})
}

const checkSecret: ApplicationCheck = async (application, context) => {
	const { cluster, argocdNamespace: namespace, signal, ports } = context
	const found: Finding[] = []
	for (const { repoURL, ...place } of placesOf(application, context)) {
		const base = { check: 'repository-secret', subject: application.metadata.name }
		const deploy = `lading deploy ${application.metadata.name} ${place.registry.name}/${place.repository}:${place.revision}`
		const secret = await findRepositorySecret(cluster, repoURL, { namespace, signal })
		if (secret === undefined) {
			found.push({
				...base,
				status: 'warn',
				seen: `${repoURL} has no repository Secret`,
				why: 'Argo CD 3.4.4 to 3.5 read it as Git then',
				fix: deploy,
			})
			continue
		}
		const type = secretField(secret, 'type')
		if (type !== 'oci') {
			found.push({
				...base,
				status: 'fault',
				seen: `the Secret ${secret.metadata.name} has type ${type ?? 'git (the default)'}`,
				why: 'an oci:// source needs type: oci',
				fix: `${context.kubectl ?? 'kubectl'} patch secret ${secret.metadata.name} -n ${namespace} --type merge -p '{"stringData":{"type":"oci"}}'`,
			})
			continue
		}
		const username = secretField(secret, 'username')
		const password = secretField(secret, 'password')
		if (username === undefined || password === undefined) {
			found.push({ ...base, status: 'ok', seen: `${secret.metadata.name}, without credentials` })
			continue
		}
		if (place.registry.namedByCluster) {
			found.push({
				...base,
				status: 'skipped',
				seen: `whether the registry takes the credentials in ${secret.metadata.name} was not asked`,
				why: `they are for ${place.registry.clusterName}, and only the ConfigMap local-registry-hosting says that it is ${place.registry.name} here`,
			})
			continue
		}
		try {
			await ports.resolve(place, { username, password })
			found.push({
				...base,
				status: 'ok',
				seen: `the registry takes the credentials in ${secret.metadata.name}`,
			})
		} catch (error) {
			if (!(error instanceof LadingError)) throw error
			if (error.kind !== 'denied') found.push({ ...base, status: 'skipped', seen: error.message })
			else
				found.push({
					...base,
					status: 'fault',
					seen: `the registry refuses the credentials in ${secret.metadata.name}`,
					fix: `${deploy} --username USER --password-stdin`,
				})
		}
	}
	return found
}

/** How `check` looks where the Application does. */
function flagsOf({ path = '.', recurse }: Place): string {
	return (
		(path === '.' || path === '' ? '' : ` --path ${shellWord(path)}`) + (recurse === true ? ' --recurse' : '')
	)
}

/** A failed sync says itself what stopped it, and server-side apply refuses the fields that others leave out. */
function tellsOfFields({ spec, status }: Application): boolean {
	const phase = status?.operationState?.phase
	const isServerSide = spec.syncPolicy?.syncOptions?.includes('ServerSideApply=true') === true
	return phase === 'Failed' || phase === 'Error' || isServerSide
}

const checkArtifactOf: ApplicationCheck = async (application, context) => {
	const found: Finding[] = []
	for (const place of placesOf(application, context)) {
		const base = { check: 'artifact', subject: application.metadata.name }
		const name = `${place.registry.name}/${place.repository}:${place.revision}`
		// A range is resolved by Argo CD; whether it matches stands in the conditions.
		if (/[\^~><*\s|]/.test(place.revision)) continue
		try {
			const digest = await context.ports.resolve(place)
			if (digest === undefined) {
				found.push({
					...base,
					status: 'fault',
					seen: `${name} is not in the registry`,
					fix: `lading push DIR ${name}, or see what there is: lading tags ${place.registry.name}/${place.repository}`,
				})
				continue
			}
			const faults = ((await context.ports.check?.(place)) ?? []).filter(
				({ isRefused }) => isRefused || (place.isPlain && !tellsOfFields(application)),
			)
			if (!faults.some(({ isRefused }) => isRefused))
				found.push({ ...base, status: 'ok', seen: `${name} is ${digest}` })
			const look = `lading check ${name}${flagsOf(place)}`
			for (const { message: seen, isRefused, fix = look } of faults)
				found.push({ ...base, status: isRefused ? 'fault' : 'warn', seen, fix })
		} catch (error) {
			if (!(error instanceof LadingError)) throw error
			found.push({ ...base, status: 'skipped', seen: error.message, fix: error.hint })
		}
	}
	return found
}
