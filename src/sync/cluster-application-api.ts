import { type Application, ArgocdName, parseApplication } from '../argocd/index.ts'
import { type Cluster, type KubeObject, type ObjectRef, PatchType } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { ApplicationApi, ApplicationRef } from './application-api.ts'

export const FIELD_MANAGER = 'lading'

const TYPE = { apiVersion: ArgocdName.apiVersion, kind: 'Application' } as const
const REFRESH = { [ArgocdName.refreshAnnotation]: 'normal' } as const

/** Applications as objects of a Kubernetes API. */
export function createClusterApplicationApi(cluster: Cluster): ApplicationApi {
	const patch = async (
		ref: ApplicationRef,
		merge: unknown,
		signal?: AbortSignal,
	): Promise<Application | undefined> =>
		parse(
			await cluster.patch(refOf(ref), merge, { type: PatchType.merge, fieldManager: FIELD_MANAGER, signal }),
		)

	return {
		whenAbsent: 'See which there are: lading status',
		async get(ref, { signal } = {}) {
			return parse(await cluster.get(refOf(ref), { signal }))
		},
		async list(namespace, { labelSelector, signal } = {}) {
			const { items, resourceVersion } = await cluster.list(TYPE, { namespace, labelSelector, signal })
			// A list that is there has a version, however empty: without one, the kind is not served.
			if (resourceVersion === '') await refuseWithoutArgocd(cluster, signal)
			return items.map(parseApplication)
		},
		async apply(application, { signal } = {}) {
			const { metadata } = application
			const object: KubeObject = {
				...application,
				metadata: { ...metadata, annotations: { ...metadata.annotations, ...REFRESH } },
			}
			// Fields of an Application are set by many (kubectl, the UI); deploying says what they shall be.
			return parseApplication(
				await cluster.apply(object, { fieldManager: FIELD_MANAGER, force: true, signal }),
			)
		},
		async setRevision(ref, revision, { signal } = {}) {
			return await patch(
				ref,
				{ metadata: { annotations: REFRESH }, spec: { source: { targetRevision: revision } } },
				signal,
			)
		},
		async refresh(ref, { kind = 'normal', signal } = {}) {
			return await patch(ref, { metadata: { annotations: { [ArgocdName.refreshAnnotation]: kind } } }, signal)
		},
		async requestSync(ref, { prune = false, signal } = {}) {
			const operation = {
				initiatedBy: { username: FIELD_MANAGER },
				sync: { prune, syncStrategy: { hook: {} } },
			}
			const application = parse(await cluster.get(refOf(ref), { signal }))
			// Writing over a sync that runs would leave its end untold; the caller waits for that one.
			const phase = application?.status?.operationState?.phase
			if (application?.operation !== undefined || phase === 'Running' || phase === 'Terminating')
				return application
			const syncOptions = application?.spec.syncPolicy?.syncOptions
			const sync = { ...operation.sync, ...(syncOptions !== undefined && { syncOptions }) }
			return await patch(
				ref,
				{ metadata: { annotations: REFRESH }, operation: { ...operation, sync } },
				signal,
			)
		},
		async terminateSync(ref, { signal } = {}) {
			const application = parse(await cluster.get(refOf(ref), { signal }))
			if (application?.status?.operationState?.phase !== 'Running') return
			await patch(ref, { status: { operationState: { phase: 'Terminating' } } }, signal)
		},
		async delete(ref, { cascade, signal }) {
			const application = await cluster.get(refOf(ref), { signal })
			if (application === undefined) return false
			const others = (application.metadata.finalizers ?? []).filter(
				(each) => !each.startsWith(ArgocdName.resourcesFinalizer),
			)
			const finalizers = cascade ? [...others, ArgocdName.resourcesFinalizer] : others
			await cluster.patch(
				refOf(ref),
				{ metadata: { finalizers } },
				{ type: PatchType.merge, fieldManager: FIELD_MANAGER, signal },
			)
			return await cluster.delete(refOf(ref), { propagation: 'Background', signal })
		},
		async *watch({ name, namespace }, { signal } = {}) {
			for await (const event of cluster.watch(TYPE, {
				namespace,
				fieldSelector: `metadata.name=${name}`,
				signal,
			})) {
				if (event.type === 'RESYNCED') yield parse(event.items.find(({ metadata }) => metadata.name === name))
				else if (event.object.metadata.name === name)
					yield event.type === 'DELETED' ? undefined : parseApplication(event.object)
			}
		},
	}
}

async function refuseWithoutArgocd(cluster: Cluster, signal: AbortSignal | undefined): Promise<never> {
	const version = await cluster.version({ signal })
	throw new RemoteError('NOT_FOUND', `the cluster (Kubernetes ${version}) knows no Applications`, {
		hint: 'Install Argo CD there first, or choose another cluster with --cluster.',
	})
}

function refOf({ name, namespace }: ApplicationRef): ObjectRef {
	return { ...TYPE, name, namespace }
}

function parse(object: KubeObject | undefined): Application | undefined {
	return object && parseApplication(object)
}
