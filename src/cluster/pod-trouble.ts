import type { KubeObject } from './objects.ts'

/** Reasons of a container that only say that it takes its time. */
const PATIENT: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing'])

/** What stops a pod: an image that cannot be pulled, a container that crashes, no node that takes it. */
export function podTrouble(pod: KubeObject): string | undefined {
	return containerTrouble(pod) ?? schedulingTrouble(pod)
}

function containerTrouble(pod: KubeObject): string | undefined {
	const containers = ['initContainerStatuses', 'containerStatuses'].flatMap((field) =>
		listOf(fieldOf(pod.status, field)),
	)
	for (const container of containers) {
		const waiting = fieldOf(fieldOf(container, 'state'), 'waiting')
		const reason = textOf(waiting, 'reason')
		if (reason === '' || PATIENT.has(reason)) continue
		const message = textOf(waiting, 'message')
		return message === '' ? reason : `${reason}: ${message}`
	}
	return undefined
}

function schedulingTrouble(pod: KubeObject): string | undefined {
	const condition = listOf(fieldOf(pod.status, 'conditions')).find(
		(each) => textOf(each, 'type') === 'PodScheduled' && textOf(each, 'status') === 'False',
	)
	return condition === undefined
		? undefined
		: `${textOf(condition, 'reason')}: ${textOf(condition, 'message')}`
}

/** A field of a part of an object that is read by its parts; `undefined` where there is none. */
export function fieldOf(value: unknown, field: string): unknown {
	return typeof value === 'object' && value !== null
		? (value as Readonly<Record<string, unknown>>)[field]
		: undefined
}

/** A text field; empty where there is none. */
export function textOf(value: unknown, field: string): string {
	const text = fieldOf(value, field)
	return typeof text === 'string' ? text : ''
}

/** A list; empty where there is none. */
export function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? (value as readonly unknown[]) : []
}
