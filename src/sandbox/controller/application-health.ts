import { Annotation, annotation } from './annotations.ts'
import type { ManagedResource } from './comparison.ts'
import { resourceHealth } from './health.ts'
import { type Health, isWorse } from './health-status.ts'
import { isHook, isSkipped } from './hooks.ts'
import { keyOf } from './resource-key.ts'

/** How many resources a message names. */
const MAX_CAUSES = 3

/**
 * The worst health of what is deployed; Missing when things are wanted and none of
 * them is there.
 * @see controller/health.go setApplicationHealth
 */
export function applicationHealth(resources: readonly ManagedResource[]): Health {
	let status: Health['status'] = 'Healthy'
	let causes: ManagedResource[] = []
	let wanted = false
	let there = false
	for (const resource of resources) {
		const { target, live } = resource
		if ((target !== undefined && isSkipped(target)) || (live !== undefined && isHook(live))) continue
		wanted = true
		if (live === undefined) continue
		there = true
		const health =
			annotation(live, Annotation.ignoreHealthCheck) === 'true' ? undefined : resourceHealth(live)
		if (health === undefined) continue
		if (isWorse(status, health.status)) {
			status = health.status
			causes = [resource]
		} else if (status === health.status && status !== 'Healthy') causes.push(resource)
	}
	if (wanted && !there && isWorse(status, 'Missing')) return { status: 'Missing' }
	return causes.length === 0 ? { status } : { status, message: describeCauses(causes) }
}

function describeCauses(causes: readonly ManagedResource[]): string {
	const names = causes.slice(0, MAX_CAUSES).flatMap(({ live }) => {
		if (live === undefined) return []
		const { group, kind, namespace, name } = keyOf(live)
		return `${group === '' ? kind : `${group}/${kind}`}:${namespace === '' ? name : `${namespace}/${name}`}`
	})
	const more = causes.length > MAX_CAUSES ? ` and ${causes.length - MAX_CAUSES} more` : ''
	return `Caused by ${names.join(', ')}${more}`
}
