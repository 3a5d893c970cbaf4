import type { ServerResponse } from '../../http/server/index.ts'
import { textAt, withAt } from './fields.ts'
import { json } from './json-answer.ts'
import type { ObjectApi } from './object-api.ts'
import type { KubeObject } from '../../cluster/index.ts'
import type { ServedResource } from './resource.ts'
import { StatusError } from './status-error.ts'
import type { ObjectKey } from './store.ts'

const WITHOUT_CONTAINERS: Readonly<Record<string, string>> = {
	log: 'there are no logs',
	exec: 'there is nothing to run a command in',
	attach: 'there is nothing to attach to',
	portforward: 'there is nothing to forward a port to',
	proxy: 'there is nothing to proxy to',
	ephemeralcontainers: 'there is nothing to debug',
}

/** Subresources beyond status and scale: the few that can be, and for the rest why they cannot. */
export function answerSubresource(
	api: ObjectApi,
	resource: ServedResource,
	{ key, name, body }: { readonly key: ObjectKey; readonly name: string; readonly body: unknown },
): ServerResponse {
	const subresource = name.split('/')[0] ?? ''
	if (!resource.subresources.includes(subresource)) {
		throw new StatusError('NotFound', 'the server could not find the requested resource')
	}
	const object = api.get(resource, key)
	switch (subresource) {
		case 'eviction':
			api.delete(resource, key)
			return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
		case 'binding':
			api.amend(
				resource,
				key,
				(pod) => withAt(pod, ['spec', 'nodeName'], textAt(body, 'target', 'name')) as KubeObject,
			)
			return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
		case 'approval':
			return json(200, api.update(resource, body, { key, subresource: 'status' }))
		case 'token':
			throw new StatusError(
				'NotImplemented',
				'this is the lading sandbox: it issues no service account tokens',
			)
		default: {
			const why = WITHOUT_CONTAINERS[subresource] ?? 'this cannot be done'
			throw new StatusError(
				'NotImplemented',
				`this is the lading sandbox: no container runs here, so ${why} (${object.kind} ${object.metadata.name})`,
			)
		}
	}
}
