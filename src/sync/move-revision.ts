import { type Application, classifyRevision, ownerOf, sourcesOf } from '../argocd/index.ts'
import { RemoteError, UserError } from '../errors/index.ts'
import type { ApiOptions, ApplicationApi, ApplicationRef } from './application-api.ts'

export interface Moved {
	readonly application: Application
	/** The revision it had. */
	readonly from: string
}

/**
 * Points an Application at another revision, and has it compared.
 * @throws UserError `APPLICATION_OWNED`, `REFERENCE_INVALID`, `OBJECT_INVALID` (several sources, or none that is `oci://`)
 * @throws RemoteError `NOT_FOUND`
 */
export async function moveRevision(
	api: ApplicationApi,
	ref: ApplicationRef,
	{ revision, signal }: ApiOptions & { readonly revision: string },
): Promise<Moved> {
	const invalid = classifyRevision(revision)
	if (invalid.kind === 'invalid') {
		throw new UserError('REFERENCE_INVALID', `Argo CD cannot read this revision: ${invalid.message}`, {
			hint: 'Give a tag, a digest (sha256:…), a tag with a digest (v1.0.0@sha256:…) or a version range (^1.0.0).',
		})
	}
	const present = await getApplication(api, ref, { signal })
	refuseOwned(present)
	refuseOtherSources(present)
	const from = present.spec.source?.targetRevision ?? ''
	const application = await api.setRevision(ref, revision, { signal })
	if (application === undefined) throw notFound(api, ref)
	return { application, from }
}

/** @throws RemoteError `NOT_FOUND` */
export async function getApplication(
	api: ApplicationApi,
	ref: ApplicationRef,
	options: ApiOptions = {},
): Promise<Application> {
	const application = await api.get(ref, options)
	if (application === undefined) throw notFound(api, ref)
	return application
}

/** @throws UserError `APPLICATION_OWNED` */
export function refuseOwned(application: Application): void {
	const owner = ownerOf(application)
	if (owner === undefined) return
	throw new UserError(
		'APPLICATION_OWNED',
		`the Application ${application.metadata.name} belongs to ${owner.owner}, which would undo the change`,
		{
			hint: owner.editInstead,
		},
	)
}

/** @throws UserError `OBJECT_INVALID` for several sources, or one that is not `oci://` */
export function refuseOtherSources(application: Application): void {
	const { name } = application.metadata
	if ((application.spec.sources?.length ?? 0) > 0) {
		throw new UserError(
			'OBJECT_INVALID',
			`the Application ${name} has several sources, and a revision of its own for each`,
			{
				hint: `Change the one you mean: kubectl edit application ${name} -n ${application.metadata.namespace ?? 'argocd'}`,
			},
		)
	}
	const [source] = sourcesOf(application)
	if (source?.repoURL.startsWith('oci://') === true) return
	throw new UserError(
		'OBJECT_INVALID',
		`the Application ${name} does not come from an OCI artifact (${source?.repoURL ?? 'no source'})`,
		{
			hint: 'lading moves Applications whose repoURL starts with oci://.',
		},
	)
}

export function notFound(
	{ whenAbsent }: Pick<ApplicationApi, 'whenAbsent'>,
	{ name, namespace }: ApplicationRef,
): RemoteError {
	return new RemoteError('NOT_FOUND', `there is no Application ${name} in namespace ${namespace}`, {
		hint: whenAbsent,
	})
}
