import type { KubeObject } from '../../../cluster/index.ts'
import { numberAt, textAt } from '../fields.ts'
import type { ObjectApi } from '../object-api.ts'

export interface Occurrence {
	readonly type: 'Normal' | 'Warning'
	readonly reason: string
	readonly message: string
	readonly component: string
}

const MAX_EVENTS = 1000
/** Makes all serials equally long, so that they sort as texts. */
const SERIAL_BASE = 0x1000_0000_0000

/** Writes `Event`s that describe shows: one object per happening, counted when it repeats. */
export class EventRecorder {
	private readonly api: ObjectApi

	constructor(api: ObjectApi) {
		this.api = api
	}

	record(about: KubeObject, { type, reason, message, component }: Occurrence): void {
		const resource = this.api.catalog.ofKind('v1', 'Event')
		const namespace = about.metadata.namespace ?? 'default'
		const home = this.api.store.get('/namespaces', { name: namespace })
		if (resource === undefined || home === undefined || home.metadata.deletionTimestamp !== undefined) return
		const time = this.api.time()
		const events = this.api.store.list('/events', namespace)
		const same = events.find(
			(event) =>
				textAt(event, 'involvedObject', 'uid') === about.metadata.uid &&
				textAt(event, 'reason') === reason &&
				textAt(event, 'message') === message,
		)
		if (same) {
			const count = (numberAt(same, 'count') ?? 1) + 1
			this.api.amend(resource, { namespace, name: same.metadata.name }, (event) => ({
				...event,
				count,
				lastTimestamp: time,
			}))
			return
		}
		const [oldest] = events.length >= MAX_EVENTS ? events.toSorted(byAge) : []
		if (oldest) this.api.delete(resource, { namespace, name: oldest.metadata.name })
		const { name, uid, resourceVersion } = about.metadata
		// Like those of a cluster, names go up with time: what happened in one second stays in order.
		const serial = (this.api.store.revision + SERIAL_BASE).toString(16)
		const event = {
			metadata: { name: `${name.slice(0, 200)}.${serial}`, namespace },
			involvedObject: {
				apiVersion: about.apiVersion,
				kind: about.kind,
				name,
				namespace: about.metadata.namespace,
				uid,
				resourceVersion,
			},
			type,
			reason,
			message,
			source: { component },
			reportingComponent: component,
			reportingInstance: '',
			firstTimestamp: time,
			lastTimestamp: time,
			count: 1,
		}
		this.api.create(resource, event, { namespace, unowned: true })
	}
}

function byAge(a: KubeObject, b: KubeObject): number {
	return Number(a.metadata.resourceVersion ?? 0) - Number(b.metadata.resourceVersion ?? 0)
}
