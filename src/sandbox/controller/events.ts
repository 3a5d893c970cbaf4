import type { Application } from '../../argocd/index.ts'
import type { Cluster } from '../../cluster/index.ts'

/** Says in every event that no real controller is at work. */
const COMPONENT = 'argocd-application-controller (sandbox)'

export interface ApplicationEvent {
	readonly type: 'Normal' | 'Warning'
	readonly reason: 'OperationStarted' | 'OperationCompleted' | 'ResourceUpdated'
	readonly message: string
}

/** Longest message the API takes, in characters. */
const MAX_MESSAGE = 1024

/** Notes an event on an Application, for `kubectl describe`. @see util/argo/audit_logger.go */
export async function recordEvent(
	cluster: Cluster,
	application: Application,
	event: ApplicationEvent & {
		/** Milliseconds since the epoch. */
		readonly now: number
		/** Tells apart the events of one millisecond. */
		readonly sequence: number
		readonly signal: AbortSignal
	},
): Promise<void> {
	const { name, namespace = '', uid, resourceVersion } = application.metadata
	const { server = '', namespace: destination = '' } = application.spec.destination
	const timestamp = new Date(event.now).toISOString().replace(/\.\d+Z$/, 'Z')
	await cluster.create(
		{
			apiVersion: 'v1',
			kind: 'Event',
			metadata: {
				name: `${name}.${event.now.toString(16)}${event.sequence.toString(16).padStart(4, '0')}`,
				namespace,
				annotations: { 'dest-server': server, 'dest-namespace': destination },
			},
			involvedObject: {
				apiVersion: application.apiVersion,
				kind: application.kind,
				name,
				namespace,
				uid,
				resourceVersion,
			},
			source: { component: COMPONENT },
			type: event.type,
			reason: event.reason,
			message: event.message.slice(0, MAX_MESSAGE),
			firstTimestamp: timestamp,
			lastTimestamp: timestamp,
			count: 1,
		},
		{ signal: event.signal },
	)
}
