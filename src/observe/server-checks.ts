import { type Application, ArgocdName, explain, sourcesOf } from '../argocd/index.ts'
import { LadingError } from '../errors/index.ts'
import type { Argocd } from '../sync/index.ts'
import type { Finding } from './check.ts'
import type { ReadUnhealthy } from './unhealthy.ts'

/** An argocd-server that was connected to. */
export interface ArgocdServer {
	/** Of Argo CD; a supported one. */
	readonly version: string
	/** Who the token is of; `undefined` where Argo CD does not take it. */
	readUser(): Promise<string | undefined>
}

export interface ServerChecks {
	readonly server: ArgocdServer
	readonly argocd: Argocd
	readonly readUnhealthy: ReadUnhealthy
	/** `host[:port]` of it. */
	readonly host: string
	readonly namespace: string
	/** These; otherwise all that lading made. */
	readonly names?: readonly string[] | undefined
	readonly signal?: AbortSignal | undefined
}

/** What can be told of an Argo CD and its Applications by its own API alone. */
export async function diagnoseServer(context: ServerChecks): Promise<readonly Finding[]> {
	const { host } = context
	const cluster: Finding = {
		check: 'cluster',
		subject: host,
		status: 'skipped',
		seen: 'Argo CD is asked by its own API: the cluster behind it is not looked at',
		fix: 'lading doctor --cluster context:NAME looks at that too.',
	}
	try {
		const user = await context.server.readUser()
		if (user === undefined) {
			const seen = `Argo CD ${context.server.version} does not take the token`
			const fix =
				'argocd account generate-token, or argocd proj role create-token PROJECT ROLE, makes a new one for ARGOCD_AUTH_TOKEN.'
			return [cluster, { check: 'argocd', subject: host, status: 'fault', seen, fix }]
		}
		const seen = `Argo CD ${context.server.version}, as ${user}`
		const argocd: Finding = { check: 'argocd', subject: host, status: 'ok', seen }
		return [cluster, argocd, ...(await diagnoseApplications(context))]
	} catch (error) {
		context.signal?.throwIfAborted()
		if (!(error instanceof LadingError)) throw error
		return [
			cluster,
			{ check: 'argocd', subject: host, status: 'fault', seen: error.message, fix: error.hint },
		]
	}
}

async function diagnoseApplications(context: ServerChecks): Promise<readonly Finding[]> {
	const { argocd, namespace, names, signal } = context
	const labelSelector =
		names === undefined ? `${ArgocdName.managedByLabel}=${ArgocdName.managedByLading}` : undefined
	const all = await argocd.applications.list(namespace, { labelSelector, signal })
	const applications = all.filter(({ metadata }) => names?.includes(metadata.name) ?? true)
	const found = await Promise.all(
		applications.map(async (each) => [
			...(await stateOf(each, context)),
			...(await repositoriesOf(each, context)),
		]),
	)
	return found.flat()
}

async function stateOf(
	application: Application,
	{ readUnhealthy, signal }: ServerChecks,
): Promise<readonly Finding[]> {
	const base = { check: 'application', subject: application.metadata.name }
	const explanations = explain(application)
	if (explanations.length > 0) {
		return explanations.map(({ severity, what, why, next }) => ({
			...base,
			status: severity === 'error' ? 'fault' : 'warn',
			seen: what,
			why,
			fix: next,
		}))
	}
	const { sync, health } = application.status ?? {}
	const causes = await readUnhealthy(application, { signal })
	const why = causes.map(({ kind, name, message }) => `${kind} ${name}: ${message}`).join('; ')
	return [
		{
			...base,
			status: health?.status === 'Degraded' ? 'fault' : 'ok',
			seen: `${sync?.status ?? 'Unknown'} and ${health?.status ?? 'Unknown'}`,
			...(why !== '' && { why }),
			fix: `lading status ${application.metadata.name}`,
		},
	]
}

async function repositoriesOf(
	application: Application,
	{ argocd, signal }: ServerChecks,
): Promise<readonly Finding[]> {
	const found: Finding[] = []
	for (const { repoURL } of sourcesOf(application)) {
		if (!repoURL.startsWith('oci://')) continue
		const base = { check: 'repository', subject: application.metadata.name }
		const repository = await argocd.repositories.find(repoURL, { signal })
		const fix = `argocd repo add ${repoURL} --type oci --upsert`
		if (repository === undefined) {
			const seen = `the token sees no repository ${repoURL}`
			found.push({
				...base,
				status: 'warn',
				seen,
				why: 'Argo CD 3.4.4 to 3.5 read it as Git where there is none',
				fix,
			})
		} else if (repository.type !== 'oci') {
			const seen = `the repository ${repoURL} has type ${repository.type ?? 'git'}`
			found.push({ ...base, status: 'fault', seen, why: 'an oci:// source needs type: oci', fix })
		} else found.push({ ...base, status: 'ok', seen: repoURL })
	}
	return found
}
