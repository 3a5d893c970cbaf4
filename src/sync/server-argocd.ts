import * as v from 'valibot'
import {
	buildRepositorySecret,
	explainMessage,
	factsOf,
	mergeCa,
	normalizeRepoUrl,
	repositorySecretName,
	tlsCertsKey,
} from '../argocd/index.ts'
import { type ArgocdClient, GrpcCode, grpcCodeOf, refusalMessage } from '../argocd-api/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ApiOptions } from './application-api.ts'
import type { ApplyRepositoryOptions, Argocd, CertificateApi, Repository, RepositoryApi } from './argocd.ts'
import { createServerApplicationApi, type ServerOptions } from './server-application-api.ts'

/** Argo CD by its own API, for who has no access to the cluster that it runs in. */
export function createServerArgocd(client: ArgocdClient, options: ServerOptions = {}): Argocd {
	return {
		applications: createServerApplicationApi(client, options),
		repositories: createServerRepositories(client),
		certificates: createServerCertificates(client),
	}
}

interface Entry extends Repository {
	/** Of a repository that belongs to one project. */
	readonly project?: string | undefined
}

const repositoryList = v.looseObject({
	items: v.nullish(
		v.array(
			v.looseObject({
				repo: v.string(),
				type: v.optional(v.string()),
				name: v.optional(v.string()),
				project: v.optional(v.string()),
			}),
		),
	),
})

/** Argo CD keeps no labels by this API: an entry of lading's is known by its name. */
function createServerRepositories(client: ArgocdClient): RepositoryApi {
	const find = async (repoURL: string, { signal }: ApiOptions = {}): Promise<Entry | undefined> => {
		const { items } = v.parse(repositoryList, await client.json({ path: 'v1/repositories', signal }))
		const found = items?.find(({ repo }) => normalizeRepoUrl(repo) === normalizeRepoUrl(repoURL))
		if (found === undefined) return undefined
		const { type, name = '', project } = found
		return {
			name: name === '' ? repoURL : name,
			type,
			isOurs: name === repositorySecretName(repoURL),
			...(project !== undefined && project !== '' && { project }),
		}
	}
	const create = async (options: ApplyRepositoryOptions, project: string | undefined): Promise<void> => {
		const { repoURL, username, password, insecure, plainHttp, signal } = options
		await client.json({
			method: 'POST',
			path: 'v1/repositories',
			query: { upsert: 'true' },
			body: {
				type: 'oci',
				repo: repoURL,
				name: repositorySecretName(repoURL),
				username,
				password,
				insecure,
				insecureOCIForceHttp: plainHttp,
				project,
			},
			signal,
		})
	}
	/** A role of a project makes repositories of that project alone. */
	const createWhereAllowed = async (
		options: ApplyRepositoryOptions,
		project: string | undefined,
	): Promise<void> => {
		try {
			await create(options, project)
		} catch (error) {
			const { applicationProject } = options
			const isDenied = grpcCodeOf(error) === GrpcCode.permissionDenied
			if (!isDenied || project !== undefined || applicationProject === undefined) throw error
			await create(options, applicationProject)
		}
	}
	return {
		find,
		async apply(options) {
			// The same input is refused here as where it becomes a Secret.
			buildRepositorySecret(options)
			const { repoURL, signal } = options
			const present = await find(repoURL, { signal })
			if (present !== undefined && !present.isOurs)
				return { outcome: 'kept', name: present.name, type: present.type }
			const name = repositorySecretName(repoURL)
			const saysMore =
				options.username !== undefined || options.insecure === true || options.plainHttp === true
			// Written again, it would lose the credentials that it holds.
			if (present !== undefined && !saysMore) return { outcome: 'applied', name, type: 'oci' }
			try {
				await createWhereAllowed(options, present?.project ?? options.project)
			} catch (error) {
				const isDenied = grpcCodeOf(error) === GrpcCode.permissionDenied
				if (isDenied && options.username === undefined) return { outcome: 'forbidden', name }
				throw asRefusedRepository(error, repoURL)
			}
			return { outcome: 'applied', name, type: 'oci' }
		},
		async remove(repoURL, { signal } = {}) {
			const present = await find(repoURL, { signal })
			if (present?.isOurs !== true) return false
			try {
				await client.json({
					method: 'DELETE',
					path: `v1/repositories/${encodeURIComponent(repoURL)}`,
					query: { appProject: present.project },
					signal,
				})
				return true
			} catch (error) {
				if (grpcCodeOf(error) === GrpcCode.permissionDenied) return false
				throw error
			}
		},
	}
}

/** Argo CD tries the registry before it takes a repository; what it says then, it says of Applications too. */
function asRefusedRepository(error: unknown, repoURL: string): unknown {
	if (!(error instanceof RemoteError) || error.code !== 'ARGOCD_FAILED') return error
	const message = refusalMessage(error)
	const { cause, what, why, next } = explainMessage(
		message,
		factsOf({
			metadata: { name: repositorySecretName(repoURL) },
			spec: { project: '', source: { repoURL }, destination: {} },
		}),
	)
	if (cause === 'unknown') return error
	return new RemoteError('SYNC_FAILED', `Argo CD does not take the repository ${repoURL}: ${what} ${why}`, {
		hint: next,
		details: [message],
		cause: error,
		wire: error.wire,
	})
}

const certificateList = v.looseObject({
	items: v.nullish(v.array(v.looseObject({ serverName: v.string(), certType: v.string() }))),
})

/** Argo CD gives out no certificates by this API, only whose they are. */
function createServerCertificates(client: ArgocdClient): CertificateApi {
	const path = 'v1/certificates'
	return {
		async trust({ host, pem, signal }) {
			const serverName = tlsCertsKey(host)
			const bundle = mergeCa({}, { host, pem })[serverName] ?? ''
			const item = {
				serverName,
				certType: 'https',
				certSubType: '',
				certData: Buffer.from(bundle).toString('base64'),
			}
			try {
				const answer = await client.json({ method: 'POST', path, body: { items: [item] }, signal })
				return (v.parse(certificateList, answer).items ?? []).length > 0 ? 'changed' : 'unchanged'
			} catch (error) {
				if (!(error instanceof RemoteError) || error.code !== 'ARGOCD_FAILED') throw error
				if (!(await this.isTrusted({ host, signal }))) throw error
				throw new RemoteError(
					'ARGOCD_FAILED',
					`Argo CD has other certificates for ${serverName}, and gives them to nobody: adding one would lose them`,
					{
						hint: `Add it with --cluster context:NAME, or take the others away first: argocd cert rm ${serverName} --cert-type https`,
						cause: error,
						wire: error.wire,
					},
				)
			}
		},
		async isTrusted({ host, signal }) {
			const serverName = tlsCertsKey(host)
			try {
				const query = { hostNamePattern: serverName, certType: 'https' }
				const { items } = v.parse(certificateList, await client.json({ path, query, signal }))
				return items?.some((each) => each.serverName === serverName) === true
			} catch (error) {
				// Who may not look does not know of any.
				if (grpcCodeOf(error) === GrpcCode.permissionDenied) return false
				throw error
			}
		},
	}
}
