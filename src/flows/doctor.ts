import { existsSync, statfsSync } from 'node:fs'
import { ASSUMED_ARGOCD_VERSION, parseRepoUrl, sourcesOf } from '../argocd/index.ts'
import { LadingError, RemoteError, UserError } from '../errors/index.ts'
import { type KindFacts, lookAtKind } from '../kind/index.ts'
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
import { describeFinding, validateSubject } from './check.ts'
import { isLoopback } from './cluster-registry.ts'
import { KIND, kubectlFor } from './chosen-cluster.ts'
import {
	chosenCluster,
	type ClusterChoice,
	type ConnectedCluster,
	isLocalCluster,
	openCluster,
} from './clusters.ts'
import { dockerState } from './docker-registry.ts'
import { isPortFree } from './free-port.ts'
import { kindTools } from './kind-tools.ts'
import {
	adviceOnWithheld,
	connectRegistry,
	NAMED_BY_CLUSTER,
	type Reach,
	reachUnnamed,
	readCa,
	type RegistryAccess,
	type RegistryConnection,
} from './registries.ts'
import { readRegistryHosting } from './registry-hosting.ts'
import type { Session } from './session.ts'
import type { RegistryState } from './state.ts'
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
	const kind = await kindFacts(session, options)
	const findings = await diagnose({
		machine: await machineFacts(session, { nodeVersion: options.nodeVersion, kind }),
		kind,
		ports: doctorPorts(session, options, connected),
		registries: await registriesOf(session, {
			target: connected,
			names: options.names,
			access: options.access,
		}),
		cluster: target instanceof LadingError ? target : connected?.cluster,
		clusterElsewhere:
			connected !== undefined && connected.name !== 'sandbox' && !isLoopback(connected.server.host),
		argocdNamespace: options.argocdNamespace ?? 'argocd',
		kubectl: connected && kubectlFor(connected.name),
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

/** What is wrong with the state file, which {@link doctor} and the choice of its cluster need. */
export function stateFault({ workspace }: Session): Finding | undefined {
	try {
		workspace.state()
		return undefined
	} catch (error) {
		if (!(error instanceof UserError)) throw error
		const why = 'without it lading does not know what it made here, and nothing else was looked at'
		return { check: 'state', status: 'fault', seen: error.message, why, fix: 'lading down --force' }
	}
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

/** Docker and kind are looked at where this project uses them, or is about to. */
async function kindFacts(session: Session, choice: ClusterChoice): Promise<KindFacts | undefined> {
	const name = chosenCluster(session, choice)
	const registry = dockerState(session)?.container
	const isKind = name?.startsWith(KIND) === true
	if (!isKind && registry === undefined) return undefined
	const cluster = isKind && isLocalCluster(session, name) ? name.slice(KIND.length) : undefined
	return await lookAtKind({ ...kindTools(session), wantsKind: isKind, cluster, registry })
}

async function machineFacts(
	{ workspace }: Session,
	{ nodeVersion, kind }: { readonly nodeVersion: string; readonly kind: KindFacts | undefined },
): Promise<MachineFacts> {
	const { registry, cluster } = workspace.state()
	const { bavail, bsize } = statfsSync(workspace.root)
	const servers = [
		{
			name: 'registry',
			recorded: registry?.kind === 'embedded',
			server: runningServer(workspace.paths.registry),
		},
		{
			name: 'sandbox',
			recorded: cluster?.kind === 'sandbox',
			server: runningServer(workspace.paths.sandbox),
		},
	]
	const wanted = registry === undefined ? DEFAULT_PORT : portOfContainer(registry, kind)
	const needed = registry !== undefined
	const isTaken = wanted !== undefined && !(await isPortFree(wanted))
	return {
		nodeVersion,
		disk: { path: workspace.root, freeBytes: bavail * bsize },
		processes: servers
			.filter(({ recorded }) => recorded)
			.map(({ name, server }) => ({ name, pid: server?.pid, alive: server !== undefined })),
		ports:
			wanted === undefined
				? []
				: [
						{
							port: wanted,
							wantedBy: 'the registry',
							takenBy: isTaken ? 'another program' : undefined,
							needed,
						},
					],
	}
}

const DEFAULT_PORT = 5000

/** The port that a container needs and does not hold. */
function portOfContainer(registry: RegistryState, kind: KindFacts | undefined): number | undefined {
	const mayLack = registry.kind === 'docker' && kind?.docker.ok === true
	if (!mayLack || kind.registry?.container?.running === true) return undefined
	return Number(registry.endpoint.push.split(':')[1])
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
	const { registry: own } = session.workspace.state()
	const endpoint = own?.endpoint
	const found = new Map<string, DoctorRegistry>()
	if (endpoint) {
		const caPem = existsSync(session.workspace.paths.ca) ? readCa(session.workspace.paths.ca) : undefined
		found.set(endpoint.cluster, {
			name: endpoint.push,
			clusterName: endpoint.cluster,
			caPem,
			embedded: true,
			loopbackOnly: own?.kind === 'embedded',
			renew: own?.kind === 'docker' ? 'lading registry up' : 'lading registry down && lading registry up',
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
				namedByCluster: name !== clusterName,
				plainHttp: access.plainHttp,
				caPem: access.caFile === undefined ? undefined : readCa(access.caFile),
				loopbackOnly: isLoopback(name),
			})
		}
	}
	return [...found.values()]
}

/** No registry gets a password that is bound to none for being named by an Application, also by one that was asked for. */
function doctorPorts(
	session: Session,
	{ access }: DoctorOptions,
	target: ConnectedCluster | undefined,
): DoctorPorts {
	const { signal } = session
	let version: Promise<string | undefined> | undefined
	const kubernetesVersion = async (): Promise<string | undefined> =>
		await (version ??= target?.cluster?.version({ signal }) ?? Promise.resolve(undefined))
	const reaching = async <T>(
		{ name: registry, namedByCluster }: DoctorRegistry,
		use: (reach: Reach) => Promise<T>,
	): Promise<T> => {
		const reach = reachUnnamed(session, registry, access)
		try {
			return await use(reach)
		} catch (error) {
			const advice = adviceOnWithheld({ session, access }, reach, registry)
			if (advice === undefined || !(error instanceof LadingError) || error.kind !== 'denied') throw error
			const why = namedByCluster ? `${NAMED_BY_CLUSTER}.` : `only an Application names it. ${advice}`
			const hint = `It was not given the user name and password, as ${why}`
			throw new RemoteError(error.code, error.message, { hint, cause: error })
		}
	}
	const connected = async <T>(
		registry: string,
		{ session: asked, access: known }: Reach,
		use: (connection: RegistryConnection) => Promise<T>,
	): Promise<T> => {
		const connection = connectRegistry(asked, registry, known)
		try {
			return await use(connection)
		} finally {
			connection.close()
		}
	}
	return {
		async ping(registry) {
			const { name } = registry
			await reaching(
				registry,
				async (reach) => await connected(name, reach, async ({ client }) => await client.ping(name)),
			)
		},
		async resolve({ registry: asked, repository, revision }, credential) {
			const registry = asked.name
			const name = isDigest(revision) ? revision : (/@(sha\d+:[0-9a-f]+)$/.exec(revision)?.[1] ?? revision)
			return await reaching(asked, async (reach) => {
				const known = { ...reach.access, credentials: credential ?? reach.access.credentials }
				return await connected(registry, { ...reach, access: known }, async (connection) => {
					const found: Descriptor | undefined = await connection
						.repository({ registry, repository })
						.resolve(name, { signal })
					return found?.digest
				})
			})
		},
		async certificate(registry) {
			const url = new URL(`https://${registry.name}`)
			const port = url.port === '' ? 443 : Number(url.port)
			return await readServerCertificate({ host: registryHostname(registry.name), port }, { signal })
		},
		async check({ registry, repository, revision, path, recurse }) {
			const [tag, digest] = isDigest(revision) ? [undefined, revision] : revision.split('@')
			const reference = {
				registry: registry.name,
				repository,
				tag,
				digest: digest !== undefined && isDigest(digest) ? digest : undefined,
			}
			const subject = await reaching(
				registry,
				async ({ session: asked, access: known }) =>
					await readArtifact(asked, reference, { access: known, version: ASSUMED_ARGOCD_VERSION }),
			)
			const { verdict, findings } = await validateSubject(session, subject, {
				path,
				recurse,
				validate: { kubernetesVersion: await kubernetesVersion() },
			})
			return [
				...verdict.findings
					.filter(({ severity }) => severity === 'refuse')
					.map(({ message }) => ({ message, isRefused: true })),
				// What an API server refuses, the Application's last sync has told; what it leaves out, nobody has.
				...findings
					.filter(({ severity, field }) => severity === 'warn' && field !== undefined)
					.map((finding) => ({
						message: describeFinding(finding).join(''),
						isRefused: false,
						fix: finding.fix,
					})),
			]
		},
	}
}
