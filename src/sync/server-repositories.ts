import * as v from 'valibot'
import {
	buildRepositorySecret,
	credentialTemplateUrl,
	explainMessage,
	factsOf,
	normalizeRepoUrl,
	repositorySecretName,
	tlsHostname,
} from '../argocd/index.ts'
import { type ArgocdClient, GrpcCode, grpcCodeOf, readAnswer, refusalMessage } from '../argocd-api/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ApiOptions } from './application-api.ts'
import type { ApplyRepositoryOptions, CertificateApi, Repository, RepositoryApi } from './argocd.ts'
import type { ServerOptions } from './server-application-api.ts'
import { pause } from './watch-application.ts'

const UNKNOWN_CA = 'ca-unknown'
const CA_RETRY_MS = 5000
/** Together a little more than the two minutes that a kubelet may take. */
const CA_ATTEMPTS = 30

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

const templateList = v.looseObject({
	items: v.nullish(
		v.array(
			v.looseObject({
				url: v.string(),
				type: v.optional(v.string()),
				username: v.optional(v.string()),
			}),
		),
	),
})

/** Argo CD keeps no labels by this API: an entry of lading's is known by its name. */
export function createServerRepositories(
	client: ArgocdClient,
	{ certificates, sleep = pause }: ServerOptions & { readonly certificates: CertificateApi },
): RepositoryApi {
	const find = async (repoURL: string, { signal }: ApiOptions = {}): Promise<Entry | undefined> => {
		const { items } = readAnswer(repositoryList, await client.json({ path: 'v1/repositories', signal }))
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
			for (let attempt = 1; ; attempt++) {
				try {
					await createWhereAllowed(options, present?.project ?? options.project)
					return { outcome: 'applied', name, type: 'oci' }
				} catch (error) {
					const isDenied = grpcCodeOf(error) === GrpcCode.permissionDenied
					if (isDenied && options.username === undefined) return { outcome: 'forbidden', name }
					// The kubelet takes its time to hand a new CA over.
					const isOnItsWay =
						refusedFor(error, repoURL)?.cause === UNKNOWN_CA &&
						(await certificates.isTrusted({ host: tlsHostname(repoURL), signal }))
					if (!isOnItsWay || attempt >= CA_ATTEMPTS) throw asRefusedRepository(error, repoURL)
				}
				await sleep(CA_RETRY_MS, signal)
			}
		},
		async applyTemplate({ registry, username, password, plainHttp, signal }) {
			const url = credentialTemplateUrl(registry)
			const { items } = readAnswer(templateList, await client.json({ path: 'v1/repocreds', signal }))
			const present = items?.find((each) => normalizeRepoUrl(each.url) === normalizeRepoUrl(url))
			// It keeps neither names nor labels: another account's is taken for someone else's.
			if (present !== undefined && present.username !== username)
				return { outcome: 'kept', name: present.url, type: present.type }
			await client.json({
				method: 'POST',
				path: 'v1/repocreds',
				query: { upsert: 'true' },
				body: { type: 'oci', url, username, password, insecureOCIForceHttp: plainHttp },
				signal,
			})
			return { outcome: 'applied', name: url, type: 'oci' }
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
function refusedFor(error: unknown, repoURL: string): ReturnType<typeof explainMessage> | undefined {
	if (!(error instanceof RemoteError) || error.code !== 'ARGOCD_FAILED') return undefined
	const spec = { project: '', source: { repoURL }, destination: {} }
	const facts = factsOf({ metadata: { name: repositorySecretName(repoURL) }, spec })
	return explainMessage(refusalMessage(error), facts)
}

function asRefusedRepository(error: unknown, repoURL: string): unknown {
	const explained = refusedFor(error, repoURL)
	if (!(error instanceof RemoteError) || explained === undefined || explained.cause === 'unknown')
		return error
	const { what, why, next, message = '' } = explained
	return new RemoteError('SYNC_FAILED', `Argo CD does not take the repository ${repoURL}: ${what} ${why}`, {
		hint: next,
		details: [message],
		cause: error,
		wire: error.wire,
	})
}
