import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { startArgoCd } from './argocd.ts'
import { startKubernetes, untilNodeReady } from './kubernetes.ts'
import { startRegistry } from './registries.ts'
import type { StackData } from './stack.ts'
import { Supervisor } from './supervisor.ts'

/** Argo CD's own default is 120 s; a test of polling restarts the controller with another. */
const RESYNC = '120s'

/** Kubernetes, Argo CD and three registries: some twelve seconds on two cores that do nothing else. */
export async function startStack({
	bin,
	judges,
	parent,
}: Pick<StackData, 'bin' | 'judges' | 'parent'>): Promise<StackData> {
	const supervisor = new Supervisor(parent.run, parent.scope)
	const host = { supervisor, bin }
	const { directory } = supervisor
	const pki = mkdtempSync(join(directory, 'registry-pki-'))
	const startRegistries = async (): Promise<StackData['registries']> => ({
		tls: await startRegistry(host, { name: 'registry-tls', pki }),
		auth: await startRegistry(host, {
			name: 'registry-auth',
			pki,
			username: 'ann',
			password: 'a secret: of ann',
		}),
		http: await startRegistry(host, { name: 'registry-http' }),
	})
	const startClusterAndArgoCd = async (): Promise<Pick<StackData, 'kubernetes' | 'argocd'>> => {
		const kubernetes = await startKubernetes(host)
		const argocd = await startArgoCd(host, kubernetes, { resync: process.env.LADING_TEST_RESYNC ?? RESYNC })
		await untilNodeReady(host, kubernetes)
		return { kubernetes, argocd }
	}
	const [registries, cluster] = await Promise.all([startRegistries(), startClusterAndArgoCd()])
	return { directory, parent, bin, judges, registries, ...cluster }
}
