import { ArgocdName } from '../argocd/index.ts'
import {
	createArgocdClient,
	parseArgocdAddress,
	readArgocdUser,
	readArgocdVersion,
} from '../argocd-api/index.ts'
import { UserError } from '../errors/index.ts'
import { readUnhealthyTree } from '../observe/index.ts'
import { createServerArgocd } from '../sync/index.ts'
import { ARGOCD, type ClusterChoice } from './chosen-cluster.ts'
import type { ConnectedCluster } from './connected-cluster.ts'
import { readCa } from './registries.ts'
import type { Session } from './session.ts'

/**
 * Argo CD by its own API, for who has a token and no kubeconfig.
 * @throws UserError `USAGE`, `UNAUTHENTICATED`, `CA_UNREADABLE`
 * @throws RemoteError `ARGOCD_UNSUPPORTED`, `ARGOCD_FAILED`, `CONNECTION_FAILED`, `TLS_*`
 */
export async function openArgocd(
	{ env, signal }: Session,
	{ cluster: name, argocdNamespace, argocdCa }: ClusterChoice & { readonly cluster: string },
): Promise<ConnectedCluster> {
	const server = parseArgocdAddress(name.slice(ARGOCD.length))
	const token = env.ARGOCD_AUTH_TOKEN
	if (token === undefined || token.trim() === '') {
		throw new UserError('UNAUTHENTICATED', `there is no token for Argo CD ${server.host}`, {
			hint: 'Give one in ARGOCD_AUTH_TOKEN: argocd account generate-token prints one, and so does argocd proj role create-token PROJECT ROLE',
		})
	}
	refuseOther(server, env.ARGOCD_SERVER)
	const ca = argocdCa === undefined ? undefined : readCa(argocdCa)
	const client = createArgocdClient({ server, token, ca, env, signal })
	const version = await readArgocdVersion(client, { signal })
	// Argo CD's own namespace, whatever its name, is what it takes where none is given.
	const namespace = argocdNamespace === ArgocdName.defaultNamespace ? undefined : argocdNamespace
	return {
		name,
		server,
		argocd: createServerArgocd(client, { namespace }),
		argocdNamespace: namespace ?? ArgocdName.defaultNamespace,
		readUnhealthy: async (application, options) =>
			await readUnhealthyTree(client, application, { ...options, namespace }),
		argocdServer: { version, readUser: async () => await readArgocdUser(client, { signal }) },
		argocdCa,
	}
}

/** A lading.yaml of somebody else's names a server of theirs: the token goes to the one it is for. */
function refuseOther(server: URL, only: string | undefined): void {
	if (only === undefined || only.trim() === '' || parseArgocdAddress(only.trim()).host === server.host) return
	throw new UserError(
		'USAGE',
		`the token in ARGOCD_AUTH_TOKEN is for ${only.trim()}, not for ${server.host}`,
		{
			details: ['ARGOCD_SERVER says so.'],
			hint: `Is ${server.host} yours? Then take ARGOCD_SERVER away, or set it to that; else name another with --cluster.`,
		},
	)
}
