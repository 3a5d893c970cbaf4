import { UserError } from '../errors/index.ts'
import type { Container, Docker } from './docker.ts'

/** The port that a registry listens on in its container. */
export const REGISTRY_PORT = 5000

const MANAGED_BY = 'app.kubernetes.io/managed-by'
const PROJECT = 'lading.project'
const CERTIFICATE = 'lading.certificate'
const CERT_FILE = '/lading-registry.crt'
const KEY_FILE = '/lading-registry.key'

export interface RegistryContainerSpec {
	/** Also its name on the network of the cluster. */
	readonly name: string
	/** Such as `registry:3`. */
	readonly image: string
	/** Of this machine's loopback. */
	readonly port: number
	/** Holds its content over every restart. */
	readonly volume: string
	/** Whose it is: only the project that made it changes or removes it. */
	readonly project: string
	readonly certificate: {
		readonly certFile: string
		readonly keyFile: string
		/** Changes with the certificate. */
		readonly fingerprint: string
	}
}

/** What marks a container or a volume of a project. */
export function projectLabels(project: string): Readonly<Record<string, string>> {
	return { [MANAGED_BY]: 'lading', [PROJECT]: project }
}

/** The label that finds every container of a project. */
export function projectLabel(project: string): string {
	return `${PROJECT}=${project}`
}

export function isOfProject(labels: Readonly<Record<string, string>>, project: string): boolean {
	return labels[MANAGED_BY] === 'lading' && labels[PROJECT] === project
}

/**
 * Makes sure that the registry's container is there as it was asked for, and runs. What
 * differs is made anew, on the same volume. The certificate is copied into it, so that
 * nothing of this machine has to be shared with the engine.
 * @throws UserError `NAME_TAKEN`, `TOOL_FAILED`, `DOCKER_NOT_RUNNING`
 */
export async function ensureRegistryContainer(
	docker: Docker,
	spec: RegistryContainerSpec,
	options: { readonly onLine?: ((line: string) => void) | undefined } = {},
): Promise<'made' | 'started' | 'unchanged'> {
	const present = await docker.container(spec.name)
	if (present !== undefined && !isOfProject(present.labels, spec.project)) {
		throw new UserError(
			'NAME_TAKEN',
			`the container ${spec.name} is not this project's, and stays as it is`,
			{
				hint: `docker rename ${spec.name} other`,
			},
		)
	}
	if (present !== undefined && isAsWanted(present, spec)) {
		if (present.running) return 'unchanged'
		await docker.start(spec.name)
		return 'started'
	}
	if (present !== undefined) await docker.remove(spec.name)
	const labels = projectLabels(spec.project)
	if ((await docker.volume(spec.volume)) === undefined) await docker.createVolume(spec.volume, labels)
	await docker.create(
		{
			name: spec.name,
			image: spec.image,
			labels: { ...labels, [CERTIFICATE]: spec.certificate.fingerprint },
			env: {
				REGISTRY_HTTP_ADDR: `:${REGISTRY_PORT}`,
				REGISTRY_HTTP_TLS_CERTIFICATE: CERT_FILE,
				REGISTRY_HTTP_TLS_KEY: KEY_FILE,
				REGISTRY_STORAGE_DELETE_ENABLED: 'true',
				// registry:3 reports to a collector that is not there, and complains of it.
				OTEL_TRACES_EXPORTER: 'none',
			},
			volumes: { '/var/lib/registry': spec.volume },
			ports: { [REGISTRY_PORT]: spec.port },
		},
		options,
	)
	await putCertificate(docker, spec)
	await docker.start(spec.name)
	return 'made'
}

/** Puts the certificate into the container again, and makes the registry read it. */
export async function renewCertificate(docker: Docker, spec: RegistryContainerSpec): Promise<void> {
	await putCertificate(docker, spec)
	await docker.restart(spec.name)
}

async function putCertificate(docker: Docker, { name, certificate }: RegistryContainerSpec): Promise<void> {
	await docker.copyInto(name, { from: certificate.keyFile, to: KEY_FILE })
	await docker.copyInto(name, { from: certificate.certFile, to: CERT_FILE })
}

function isAsWanted(container: Container, spec: RegistryContainerSpec): boolean {
	return (
		// One that was never started may lack its certificate: its maker was interrupted.
		container.status !== 'created' &&
		container.image === spec.image &&
		container.ports[`${REGISTRY_PORT}/tcp`] === spec.port &&
		container.labels[CERTIFICATE] === spec.certificate.fingerprint
	)
}

/** Attaches a container to a network, where both are there. @returns whether that was news */
export async function attach(
	docker: Docker,
	{ network, container }: { readonly network: string; readonly container: string },
): Promise<boolean> {
	const present = await docker.container(container)
	if (present === undefined || present.networks.includes(network)) return false
	await docker.connect(network, container)
	return true
}
