import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createArgocdClient } from '../../src/argocd-api/index.ts'
import { openSandbox } from '../../src/sandbox/api/index.ts'
import { createClusterArgocd, createServerArgocd } from '../../src/sync/index.ts'
import { argocdContract } from '../contract/argocd.ts'
import { startFakeArgocdServer, TOKEN } from '../contract/fake-argocd-server.ts'

const place = {
	namespace: 'argocd',
	repoURL: 'oci://registry.example.com/shop',
	host: 'registry.example.com',
	ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
}

argocdContract('Argo CD by its objects in Kubernetes', async () => {
	const directory = mkdtempSync(join(tmpdir(), 'lading-'))
	const sandbox = await openSandbox({ directory, token: 'x' })
	return {
		...place,
		argocd: createClusterArgocd(sandbox.cluster),
		async close() {
			await sandbox.close()
			rmSync(directory, { recursive: true, force: true })
		},
	}
})

argocdContract('Argo CD by its own API', async () => {
	const server = await startFakeArgocdServer()
	const client = createArgocdClient({ server: server.url, token: TOKEN })
	return { ...place, argocd: createServerArgocd(client), close: async () => await server.close() }
})
