import type { Application } from '../../argocd/index.ts'
import type { NewCondition } from './conditions.ts'
import { type Destination, isDestinationPermitted, isSourcePermitted, type Project } from './project.ts'

/** The one cluster the stand-in deploys to: its own. */
const IN_CLUSTER = { server: 'https://kubernetes.default.svc', name: 'in-cluster' } as const

/** Where an application deploys to, or why that is nowhere. @see util/argo/argo.go GetDestinationCluster */
export function destinationOf(application: Application): Destination | { readonly problem: string } {
	const { server = '', name = '', namespace = '' } = application.spec.destination
	if (server !== '' && name !== '')
		return { problem: `application destination can't have both name and server defined: ${name} ${server}` }
	if (server === '' && name === '') return { problem: 'Destination server missing from app spec' }
	if (name !== '' && name !== IN_CLUSTER.name)
		return { problem: `there are no clusters with this name: ${name}` }
	if (server !== '' && server.replace(/\/+$/, '') !== IN_CLUSTER.server)
		return {
			problem: `error getting cluster by server "${server}": rpc error: code = NotFound desc = cluster "${server}" not found`,
		}
	return { ...IN_CLUSTER, namespace }
}

/**
 * What forbids an application altogether, as InvalidSpecError.
 * @see util/argo/argo.go ValidatePermissions
 */
export function validatePermissions(application: Application, project: Project): readonly NewCondition[] {
	const invalid = (message: string): NewCondition => ({ type: 'InvalidSpecError', message })
	const { spec } = application
	const source = spec.source
	if ((spec.sources ?? []).length > 0)
		return [invalid('sandbox: an application with several sources needs a real Argo CD')]
	if (
		source === undefined ||
		source.repoURL === '' ||
		((source.path ?? '') === '' && (source.chart ?? '') === '')
	)
		return [invalid('spec.source.repoURL and either spec.source.path or spec.source.chart are required')]
	if ((source.chart ?? '') !== '' && (source.targetRevision ?? '') === '')
		return [invalid('spec.source.targetRevision is required if the manifest source is a helm chart')]
	const conditions: NewCondition[] = []
	if (!isSourcePermitted(project, source.repoURL))
		conditions.push(
			invalid(`application repo ${source.repoURL} is not permitted in project '${project.name}'`),
		)
	const destination = destinationOf(application)
	if ('problem' in destination) return [...conditions, invalid(destination.problem)]
	if (!isDestinationPermitted(project, destination)) {
		const server = (spec.destination.name ?? '') === '' ? destination.server : destination.name
		conditions.push(
			invalid(
				`application destination server '${server}' and namespace '${destination.namespace}' do not match any of the allowed destinations in project '${project.name}'`,
			),
		)
	}
	return conditions
}
