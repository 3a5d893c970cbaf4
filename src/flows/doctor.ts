import { statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { ASSUMED_ARGOCD_VERSION, parseRepoUrl, sourcesOf } from '../argocd/index.ts'
import { LadingError } from '../errors/index.ts'
import {
	diagnose,
	diagnoseServer,
	type DoctorPorts,
	type DoctorRegistry,
	type Finding,
	type MachineFacts,
	readServerCertificate,
} from '../observe/index.ts'
import { type Descriptor, isDigest, registryHostname } from '../oci/index.ts'
import { getApplication } from '../sync/index.ts'
import { runningServer } from './background.ts'
import { checkSubject } from './check.ts'
import { isLoopback } from './cluster-registry.ts'
import { chosenCluster, type ClusterChoice, type ConnectedCluster, openCluster } from './clusters.ts'
import { findRegistry } from './local-registry.ts'
import { connectRegistry, readCa, type RegistryAccess } from './registries.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'
import { readArtifact } from './subject.ts'

export interface DoctorOptions extends ClusterChoice {
	/** Only these Applications. */
	readonly names: readonly string[]
	readonly access: RegistryAccess
	/** Of Node. */
	readonly nodeVersion: string
	/** Milliseconds since the epoch. */
	readonly now: () => number
}

/** Looks at everything that can be wrong, and changes nothing. */
export async function doctor(session: Session, options: DoctorOptions): Promise<readonly Finding[]> {
	const target = await clusterOrError(session, options)
	const connected = target === undefined || target instanceof LadingError ? undefined : target
	if (connected) await requireApplications(session, connected, options.names)
	const findings = await diagnose({
		machine: await machineFacts(session, options),
		ports: doctorPorts(session, options),
		registries: await registriesOf(session, {
			target: connected,
			names: options.names,
			access: options.access,
		}),
		cluster: target instanceof LadingError ? target : connected?.cluster,
		clusterElsewhere:
			connected !== undefined && connected.name !== 'sandbox' && !isLoopback(connected.server.host),
		argocdNamespace: options.argocdNamespace ?? 'argocd',
		applications: options.names.length === 0 ? undefined : options.names,
		now: options.now,
		signal: session.signal,
	})
	if (connected?.argocdServer !== undefined) {
		const { argocd, argocdServer: server, readUnhealthy, argocdNamespace: namespace } = connected
		const told = await diagnoseServer({
			server,
			argocd,
			readUnhealthy,
			namespace,
			host: connected.server.host,
			names: options.names.length === 0 ? undefined : options.names,
			signal: session.signal,
		})
		return [...findings.filter(({ check }) => check !== 'cluster'), ...told]
	}
	if (connected?.name !== 'sandbox') return findings
	// The sandbox has no Deployment to look at: its stand-in for Argo CD is part of it.
	const standIn: Finding = {
		check: 'argocd',
		subject: 'sandbox',
		status: 'ok',
		seen: `the stand-in for Argo CD ${ASSUMED_ARGOCD_VERSION}`,
	}
	return findings.map((finding) => (finding.check === 'argocd' ? standIn : finding))
}

/** @throws UserError `NOT_FOUND` for a name that no Application has */
async function requireApplications(
	{ signal }: Session,
	{ argocd, argocdNamespace: namespace }: ConnectedCluster,
	names: readonly string[],
): Promise<void> {
	const api = argocd.applications
	await Promise.all(names.map(async (name) => await getApplication(api, { name, namespace }, { signal })))
}

async function clusterOrError(
	session: Session,
	choice: ClusterChoice,
): Promise<ConnectedCluster | LadingError | undefined> {
	if (chosenCluster(session, choice) === undefined) return undefined
	try {
		return await openCluster(session, choice)
	} catch (error) {
		if (error instanceof LadingError) return error
		throw error
	}
}

async function machineFacts({ workspace }: Session, { nodeVersion }: DoctorOptions): Promise<MachineFacts> {
	const state = workspace.state()
	const { bavail, bsize } = statfsSync(workspace.root)
	const servers = [
		{ name: 'registry', recorded: state.registry, server: runningServer(workspace.paths.registry) },
		{ name: 'sandbox', recorded: state.cluster, server: runningServer(workspace.paths.sandbox) },
	]
	return {
		nodeVersion,
		disk: { path: workspace.root, freeBytes: bavail * bsize },
		processes: servers
			.filter(({ recorded }) => recorded)
			.map(({ name, server }) => ({ name, pid: server?.pid, alive: server !== undefined })),
		ports: state.registry
			? []
			: [
					{
						port: 5000,
						wantedBy: 'the registry',
						takenBy: (await isFree(5000)) ? undefined : 'another program',
					},
				],
	}
}

async function isFree(port: number): Promise<boolean> {
	return await new Promise((resolve) => {
		const server = createServer()
		server.once('error', () => resolve(false))
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
	})
}

/** The local registry, and every registry that an Application names. */
async function registriesOf(
	session: Session,
	{
		target,
		names,
		access,
	}: {
		readonly target: ConnectedCluster | undefined
		readonly names: readonly string[]
		readonly access: RegistryAccess
	},
): Promise<readonly DoctorRegistry[]> {
	const endpoint = session.workspace.state().registry?.endpoint
	const local = findRegistry(session)
	const found = new Map<string, DoctorRegistry>()
	if (endpoint) {
		const caPem = local && readCa(local.ca)
		found.set(endpoint.cluster, {
			name: endpoint.push,
			clusterName: endpoint.cluster,
			caPem,
			embedded: true,
			loopbackOnly: true,
		})
	}
	if (!target) return [...found.values()]
	const hosting = endpoint ?? (await readRegistryHosting(target.cluster).catch(() => undefined))
	const applications = await target.argocd.applications
		.list(target.argocdNamespace, { signal: session.signal })
		.catch(() => [])
	for (const application of applications) {
		const { name: own, labels } = application.metadata
		const isMine = labels?.['app.kubernetes.io/managed-by'] === 'lading'
		if (names.length > 0 ? !names.includes(own) : !isMine) continue
		for (const { repoURL } of sourcesOf(application)) {
			const parsed = parseRepoUrl(repoURL)
			if (!parsed.ok || found.has(parsed.url.registry)) continue
			const clusterName = parsed.url.registry
			const name = hosting?.cluster === clusterName ? hosting.push : clusterName
			found.set(clusterName, {
				name,
				clusterName,
				plainHttp: access.plainHttp,
				caPem: access.caFile === undefined ? undefined : readCa(access.caFile),
				loopbackOnly: isLoopback(name),
			})
		}
	}
	return [...found.values()]
}

function doctorPorts(session: Session, { access }: DoctorOptions): DoctorPorts {
	const { signal } = session
	return {
		async ping(registry) {
			const connection = connectRegistry(session, registry.name, access)
			try {
				await connection.client.ping(registry.name)
			} finally {
				connection.close()
			}
		},
		async resolve({ registry, repository, revision }, credential) {
			const connection = connectRegistry(session, registry.name, {
				...access,
				credentials: credential ?? access.credentials,
			})
			try {
				const name = isDigest(revision) ? revision : (/@(sha\d+:[0-9a-f]+)$/.exec(revision)?.[1] ?? revision)
				const found: Descriptor | undefined = await connection
					.repository({ registry: registry.name, repository })
					.resolve(name, { signal })
				return found?.digest
			} finally {
				connection.close()
			}
		},
		async certificate(registry) {
			const url = new URL(`https://${registry.name}`)
			const port = url.port === '' ? 443 : Number(url.port)
			return await readServerCertificate({ host: registryHostname(registry.name), port }, { signal })
		},
		async check({ registry, repository, revision }) {
			const [tag, digest] = isDigest(revision) ? [undefined, revision] : revision.split('@')
			const reference = {
				registry: registry.name,
				repository,
				tag,
				digest: digest !== undefined && isDigest(digest) ? digest : undefined,
			}
			const subject = await readArtifact(session, reference, { access, version: ASSUMED_ARGOCD_VERSION })
			const verdict = await checkSubject(session, subject, { recurse: true })
			return verdict.findings.filter(({ severity }) => severity === 'refuse').map(({ message }) => message)
		},
	}
}
