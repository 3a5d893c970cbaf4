import * as v from 'valibot'
import type { KubeObject } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import type { Application } from './types.ts'

const text = v.optional(v.string())
const flag = v.optional(v.boolean())
const record = v.optional(v.record(v.string(), v.unknown()))
const strings = v.optional(v.record(v.string(), v.string()))

const source = v.looseObject({
	repoURL: v.optional(v.string(), ''),
	targetRevision: text,
	path: text,
	chart: text,
	ref: text,
	directory: v.optional(v.looseObject({ recurse: flag, include: text, exclude: text })),
	kustomize: record,
	helm: record,
})

const syncPolicy = v.looseObject({
	automated: v.optional(v.looseObject({ prune: flag, selfHeal: flag, allowEmpty: flag, enabled: flag })),
	syncOptions: v.optional(v.array(v.string())),
	retry: record,
})

/** Words Argo CD may add one day must not break the reading of a status. */
const syncCode = v.fallback(v.picklist(['Synced', 'OutOfSync', 'Unknown']), 'Unknown')
const healthCode = v.optional(
	v.fallback(
		v.picklist(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']),
		'Unknown',
	),
)
const health = v.optional(v.looseObject({ status: healthCode, message: text }))

const resource = v.looseObject({
	group: text,
	version: text,
	kind: v.string(),
	namespace: text,
	// An object without a name gets as far as here, and fails in the sync.
	name: v.optional(v.string(), ''),
	status: v.optional(syncCode),
	health,
	requiresPruning: flag,
})

const history = v.looseObject({
	id: v.optional(v.number(), 0),
	revision: text,
	deployedAt: v.optional(v.string(), ''),
	deployStartedAt: text,
	source: v.optional(source),
	initiatedBy: v.optional(v.looseObject({ username: text, automated: flag })),
})

const syncedResource = v.looseObject({
	group: text,
	version: text,
	kind: v.string(),
	namespace: text,
	name: v.optional(v.string(), ''),
	status: text,
	message: text,
	hookPhase: text,
	hookType: text,
	syncPhase: text,
})

const operationState = v.looseObject({
	phase: v.picklist(['Running', 'Terminating', 'Failed', 'Error', 'Succeeded']),
	message: text,
	startedAt: text,
	finishedAt: v.nullish(v.string()),
	retryCount: v.optional(v.number()),
	operation: record,
	syncResult: v.optional(
		v.looseObject({
			revision: text,
			source: v.optional(source),
			resources: v.optional(v.array(syncedResource)),
		}),
	),
})

const status = v.looseObject({
	sync: v.optional(
		v.looseObject({
			status: syncCode,
			revision: text,
			revisions: v.optional(v.array(v.string())),
			comparedTo: record,
		}),
	),
	health,
	conditions: v.optional(
		v.array(
			v.looseObject({
				type: v.string(),
				message: v.optional(v.string(), ''),
				lastTransitionTime: v.nullish(v.string()),
			}),
		),
	),
	resources: v.optional(v.array(resource)),
	history: v.optional(v.array(history)),
	operationState: v.optional(operationState),
	reconciledAt: v.nullish(v.string()),
	sourceType: text,
	summary: record,
})

const application = v.looseObject({
	apiVersion: v.literal('argoproj.io/v1alpha1'),
	kind: v.literal('Application'),
	metadata: v.looseObject({
		name: v.string(),
		namespace: text,
		labels: strings,
		annotations: strings,
		finalizers: v.optional(v.array(v.string())),
		ownerReferences: v.optional(
			v.array(
				v.looseObject({
					apiVersion: v.string(),
					kind: v.string(),
					name: v.string(),
					uid: v.string(),
					controller: flag,
				}),
			),
		),
	}),
	spec: v.looseObject({
		project: v.optional(v.string(), 'default'),
		source: v.optional(source),
		sources: v.optional(v.array(source)),
		destination: v.looseObject({ server: text, name: text, namespace: text }),
		syncPolicy: v.optional(syncPolicy),
		revisionHistoryLimit: v.optional(v.number()),
	}),
	status: v.optional(status),
	operation: record,
})

/**
 * Reads an Application that a cluster gave; fields that lading does not know stay.
 * @throws RemoteError `CLUSTER_FAILED` when it is none
 */
export function parseApplication(object: KubeObject): Application {
	const result = v.safeParse(application, object)
	if (result.success) return result.output as Application
	const [issue] = result.issues
	throw new RemoteError(
		'CLUSTER_FAILED',
		`${object.kind} ${object.metadata.name} is no Application that Argo CD would write: ${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`,
		{ hint: 'Look at it with kubectl get application -o yaml; lading reads argoproj.io/v1alpha1.' },
	)
}
