import { tlsHostname } from '../argocd/index.ts'
import { LadingError } from '../errors/index.ts'
import { readTrust } from '../sync/index.ts'
import type { Check, DoctorContext, DoctorRegistry, Finding } from './check.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** What can be wrong with a registry, seen from here and from the cluster. */
export const registryChecks: readonly Check[] = [
	{ name: 'registry-reachable', run: async (context) => await each(context, checkReachable) },
	{ name: 'registry-certificate', run: async (context) => (await each(context, checkCertificate)).flat() },
	{ name: 'ca-trusted', run: async (context) => (await each(context, checkTrust)).flat() },
	{
		name: 'registry-loopback',
		run: ({ registries, clusterElsewhere }) =>
			registries
				.filter(({ loopbackOnly }) => loopbackOnly === true && clusterElsewhere === true)
				.map(({ name, clusterName }) => ({
					check: 'registry-loopback',
					subject: name,
					status: 'fault',
					seen: `${name} listens on this machine only, and the cluster runs elsewhere`,
					why: `to the cluster ${clusterName} is itself, or nothing`,
					fix: 'Use a registry that both reach; for kind: docker network connect kind kind-registry',
				})),
	},
]

async function each<T>(
	{ ...context }: DoctorContext,
	check: (registry: DoctorRegistry, context: DoctorContext) => Promise<T>,
): Promise<T[]> {
	return await Promise.all(context.registries.map(async (registry) => await check(registry, context)))
}

async function checkReachable(registry: DoctorRegistry, { ports }: DoctorContext): Promise<Finding> {
	const base = { check: 'registry-reachable', subject: registry.name }
	try {
		await ports.ping(registry)
		return { ...base, status: 'ok', seen: `${registry.name} answers` }
	} catch (error) {
		if (!(error instanceof LadingError)) throw error
		// It answers; whether Argo CD may read is seen with Argo CD's own credentials.
		const status = error.kind === 'denied' ? 'warn' : 'fault'
		return { ...base, status, seen: error.message, fix: error.hint }
	}
}

async function checkCertificate(
	registry: DoctorRegistry,
	{ ports, now }: DoctorContext,
): Promise<readonly Finding[]> {
	if (registry.plainHttp === true) return []
	const base = { check: 'registry-certificate', subject: registry.name }
	const certificate = await ports.certificate(registry)
	if (certificate === undefined)
		return [{ ...base, status: 'skipped', seen: `${registry.name} shows no certificate` }]
	const found: Finding[] = []
	const days = Math.floor((certificate.validTo - now()) / DAY_MS)
	const until = new Date(certificate.validTo).toISOString()
	if (certificate.validTo < now()) {
		found.push({
			...base,
			status: 'fault',
			seen: `it expired at ${until}`,
			fix: registry.renew ?? 'Renew it, and start the registry with the new one.',
		})
	} else if (certificate.validFrom > now()) {
		found.push({
			...base,
			status: 'fault',
			seen: `it is valid only from ${new Date(certificate.validFrom).toISOString()}`,
			why: 'a clock is wrong, here or where it was issued',
			fix: 'Set the clock: timedatectl set-ntp true',
		})
	} else if (days < SOON_DAYS) {
		found.push({
			...base,
			status: 'warn',
			seen: `it expires in ${days} days, at ${until}`,
			fix: registry.renew ?? 'Renew it before then.',
		})
	}
	for (const name of new Set([registry.name, registry.clusterName])) {
		const host = tlsHostname(name)
		if (certificate.covers(host)) continue
		found.push({
			...base,
			status: 'fault',
			seen: `it is not for ${host}`,
			why: `it carries ${certificate.names === '' ? 'no name' : certificate.names}`,
			fix: registry.renew ?? `Issue it for ${host} too, or reach the registry by a name it carries.`,
		})
	}
	if (registry.caPem !== undefined && !certificate.isSignedBy(registry.caPem)) {
		found.push({
			...base,
			status: 'fault',
			seen: 'it is not signed by the CA that is known here',
			why: 'the CA was replaced, or the server does not send its chain',
			fix: registry.renew ?? `lading trust ${registry.name} --ca FILE`,
		})
	}
	return found.length > 0 ? found : [{ ...base, status: 'ok', seen: `valid until ${until}` }]
}

async function checkTrust(registry: DoctorRegistry, context: DoctorContext): Promise<readonly Finding[]> {
	const { cluster, argocdNamespace: namespace, signal, ports } = context
	if (cluster === undefined || cluster instanceof LadingError || registry.plainHttp === true) return []
	const host = tlsHostname(registry.clusterName)
	const base = { check: 'ca-trusted', subject: host }
	const bundle = (await readTrust(cluster, { namespace, signal }))?.[host]
	const certificate = await ports.certificate(registry)
	const fix = `lading trust ${registry.clusterName}${registry.embedded === true ? '' : ' --ca FILE'}`
	if (bundle === undefined) {
		if (registry.caPem === undefined)
			return [{ ...base, status: 'ok', seen: 'Argo CD trusts the public CAs for it' }]
		return [
			{
				...base,
				status: 'fault',
				seen: `argocd-tls-certs-cm has no CA for ${host}`,
				why: 'Argo CD will not trust its certificate',
				fix,
			},
		]
	}
	if (!bundle.includes('BEGIN CERTIFICATE')) {
		return [
			{
				...base,
				status: 'fault',
				seen: `argocd-tls-certs-cm has no certificate under ${host}`,
				why: 'Argo CD ignores such a file without a word',
				fix,
			},
		]
	}
	if (certificate !== undefined && !certificate.isSignedBy(bundle)) {
		return [
			{
				...base,
				status: 'fault',
				seen: `the CA in argocd-tls-certs-cm did not sign what ${registry.name} shows`,
				why: 'the registry was made anew, or its CA was replaced',
				fix,
			},
		]
	}
	return [{ ...base, status: 'ok', seen: `Argo CD has its CA` }]
}
