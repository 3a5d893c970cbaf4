import type { KubeObject } from '../../cluster/index.ts'
import type { ServedResource } from './resource.ts'
import { parseFieldSelector, parseLabelSelector } from './selectors.ts'
import { badRequest } from './status-error.ts'

export interface ListRequest {
	readonly namespace?: string | undefined
	readonly labelSelector?: string | undefined
	readonly fieldSelector?: string | undefined
	readonly limit?: number | undefined
	readonly continue?: string | undefined
}

export interface Page {
	readonly items: readonly KubeObject[]
	readonly continue?: string | undefined
	readonly remaining?: number | undefined
}

export interface Listed extends Page {
	readonly resourceVersion: string
}

/** Whether a stored object is one that a list or watch asks for. */
export function matcher(resource: ServedResource, request: ListRequest): (stored: KubeObject) => boolean {
	const labels = request.labelSelector ? parseLabelSelector(request.labelSelector) : undefined
	const fields = request.fieldSelector
		? parseFieldSelector(request.fieldSelector, resource.storageKey)
		: undefined
	const { namespace } = request
	return (stored) =>
		(namespace === undefined || stored.metadata.namespace === namespace) &&
		(labels === undefined || labels(stored.metadata.labels ?? {})) &&
		(fields === undefined || fields(stored))
}

function positionOf({ metadata }: KubeObject): string {
	return `${metadata.namespace ?? ''}\u0000${metadata.name}`
}

function parseContinue(token: string): string {
	const position = Buffer.from(token, 'base64url').toString()
	if (!position.includes('\u0000')) throw badRequest('continue key is not valid')
	return position
}

/** The part of the sorted, stored objects that a request asks for. */
export function pageOf(sorted: readonly KubeObject[], resource: ServedResource, request: ListRequest): Page {
	const matching = sorted.filter(matcher(resource, request))
	const after = request.continue === undefined ? undefined : parseContinue(request.continue)
	const start = after === undefined ? 0 : matching.findIndex((object) => positionOf(object) > after)
	const rest = start === -1 ? [] : matching.slice(start)
	const items = request.limit === undefined || request.limit <= 0 ? rest : rest.slice(0, request.limit)
	const last = items.at(-1)
	if (items.length === rest.length || last === undefined) return { items }
	return {
		items,
		continue: Buffer.from(positionOf(last)).toString('base64url'),
		remaining: rest.length - items.length,
	}
}
