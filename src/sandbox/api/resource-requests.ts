import type { KubeObject } from '../../cluster/index.ts'
import type { ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { formOf, type Form } from './accept.ts'
import { at, fieldsOf, isFields, numberAt, textAt, type Fields } from './fields.ts'
import { json, warningHeaders } from './json-answer.ts'
import type { Deleted, DeleteRequest } from './deletion.ts'
import type { ListRequest } from './listing.ts'
import type { ObjectApi, WriteOptions } from './object-api.ts'
import type { PatchKind } from './patching.ts'
import type { FieldValidation } from './prepare.ts'
import { readBody } from './request-body.ts'
import type { RequestPath } from './request-path.ts'
import { apiVersionOf, type ServedResource } from './resource.ts'
import { patchScale, scaleOf, updateScale } from './scale.ts'
import { badRequest, StatusError } from './status-error.ts'
import type { ObjectKey } from './store.ts'
import { answerSubresource } from './subresources.ts'
import { partialMetadata, tableOf, type IncludeObject } from './table.ts'
import { openWatch, type WatchFrame } from './watch.ts'

type ResourcePath = RequestPath & { readonly kind: 'resource' }

/** A request for objects, understood as far as all verbs need it. */
interface Call {
	readonly api: ObjectApi
	readonly request: ServerRequest
	readonly resource: ServedResource
	readonly path: ResourcePath
	readonly form: Form
	readonly now: () => Date
	readonly warnings: string[]
}

/** Answers a request for objects of a resource. */
export async function answerResource(
	api: ObjectApi,
	request: ServerRequest,
	{ path, now }: { readonly path: ResourcePath; readonly now: () => Date },
): Promise<ServerResponse> {
	const resource = api.catalog.find(path.group, path.version, path.plural)
	if (resource === undefined)
		throw new StatusError('NotFound', 'the server could not find the requested resource')
	const form = formOf(request.headers.accept)
	if (form === undefined) {
		throw new StatusError(
			'NotAcceptable',
			'only the following media types are accepted: application/json, application/json;stream=watch',
		)
	}
	if (path.name !== undefined && path.namespace === undefined && resource.namespaced) {
		throw new StatusError('NotFound', 'the server could not find the requested resource')
	}
	const call: Call = { api, request, resource, path, form, now, warnings: [] }
	if (path.name === undefined) return answerCollection(call)
	const key = { namespace: path.namespace, name: path.name }
	if (path.subresource === undefined || (path.subresource === 'status' && resource.status))
		return answerObject(call, key)
	if (path.subresource === 'scale' && resource.scale) return answerScale(call, key)
	if (path.subresource === 'finalize' && resource.subresources.includes('finalize'))
		return answerObject(call, key)
	const body = request.method === 'GET' ? undefined : await readBody(request)
	return answerSubresource(api, resource, { key, name: path.subresource, body })
}

async function answerCollection(call: Call): Promise<ServerResponse> {
	const { api, resource, path, request } = call
	switch (request.method) {
		case 'GET':
		case 'HEAD':
			return isTrue(request.query.get('watch')) ? answerWatch(call) : answerList(call)
		case 'POST': {
			if (resource.namespaced && path.namespace === undefined) {
				throw new StatusError(
					'MethodNotAllowed',
					'the server does not allow this method on the requested resource',
				)
			}
			const body = await readBody(request)
			return one(call, 201, api.create(resource, body, { ...writeOptions(call), namespace: path.namespace }))
		}
		case 'DELETE': {
			const deleting = deleteRequest(request, await readBody(request))
			return many(call, {
				items: api.deleteCollection(resource, { ...listRequest(call), ...deleting }),
				metadata: {},
			})
		}
		default:
			throw new StatusError(
				'MethodNotAllowed',
				'the server does not allow this method on the requested resource',
			)
	}
}

function answerList(call: Call): ServerResponse {
	const { api, resource } = call
	const { items, resourceVersion, remaining, continue: next } = api.list(resource, listRequest(call))
	return many(call, {
		items,
		metadata: {
			resourceVersion,
			...(next !== undefined && { continue: next }),
			...(remaining !== undefined && { remainingItemCount: remaining }),
		},
	})
}

const DEFAULT_WATCH_SECONDS = 1800
const MAX_WATCH_SECONDS = 24 * 3600

function answerWatch(call: Call): ServerResponse {
	const { api, resource, request, form } = call
	const { query } = request
	const seconds = Number(query.get('timeoutSeconds') ?? DEFAULT_WATCH_SECONDS)
	const frames = openWatch(api, resource, {
		...listRequest(call),
		resourceVersion: query.get('resourceVersion') ?? undefined,
		sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
		bookmarks: isTrue(query.get('allowWatchBookmarks')),
		timeoutMs:
			1000 *
			Math.min(Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_WATCH_SECONDS, MAX_WATCH_SECONDS),
		signal: request.signal,
	})
	const headers = {
		'content-type':
			form === 'table'
				? 'application/json;as=Table;v=v1;g=meta.k8s.io;stream=watch'
				: 'application/json;stream=watch',
		'cache-control': 'no-cache, private',
	}
	return { status: 200, headers, body: lines(call, frames) }
}

async function* lines(call: Call, frames: AsyncIterable<WatchFrame>): AsyncGenerator<string> {
	let headless = false
	for await (const frame of frames) {
		yield `${JSON.stringify({ type: frame.type, object: frameObject(call, frame, headless) })}\n`
		headless = true
	}
}

function frameObject(call: Call, frame: WatchFrame, headless: boolean): unknown {
	if (frame.type === 'ERROR') return frame.status
	if (frame.type === 'BOOKMARK') {
		const { kind } = call.resource
		const annotations = frame.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
		const metadata = { resourceVersion: String(frame.revision), creationTimestamp: null, ...annotations }
		if (call.form !== 'table') return { kind, apiVersion: apiVersionOf(call.resource), metadata }
		return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: [], rows: [] }
	}
	return formed(call, frame.object, headless)
}

function formed(call: Call, object: KubeObject, headless = false): unknown {
	switch (call.form) {
		case 'object':
			return object
		case 'metadata':
			return partialMetadata(object)
		case 'table':
			return tableOf(call.resource, [object], {
				now: call.now(),
				includeObject: includeObject(call),
				list: { resourceVersion: object.metadata.resourceVersion },
				headless,
			})
	}
}

function includeObject({ request }: Call): IncludeObject {
	const asked = request.query.get('includeObject')
	return asked === 'None' || asked === 'Object' ? asked : 'Metadata'
}

function one(call: Call, status: number, object: KubeObject): ServerResponse {
	return json(status, formed(call, object), warningHeaders(call.warnings))
}

function many(
	call: Call,
	list: { readonly items: readonly KubeObject[]; readonly metadata: Fields },
): ServerResponse {
	const { items, metadata } = list
	switch (call.form) {
		case 'table':
			return json(
				200,
				tableOf(call.resource, items, {
					now: call.now(),
					includeObject: includeObject(call),
					list: metadata,
				}),
			)
		case 'metadata':
			return json(200, {
				kind: 'PartialObjectMetadataList',
				apiVersion: 'meta.k8s.io/v1',
				metadata,
				items: items.map(partialMetadata),
			})
		case 'object':
			return json(200, {
				kind: `${call.resource.kind}List`,
				apiVersion: apiVersionOf(call.resource),
				metadata,
				items,
			})
	}
}

async function answerObject(call: Call, key: ObjectKey): Promise<ServerResponse> {
	const { api, resource, request, path } = call
	switch (request.method) {
		case 'GET':
		case 'HEAD':
			return one(call, 200, api.get(resource, key))
		case 'PUT': {
			const subresource = subresourceOf(path)
			return one(
				call,
				200,
				api.update(resource, await readBody(request), { ...writeOptions(call), key, subresource }),
			)
		}
		case 'PATCH':
			return answerPatch(call, key)
		case 'DELETE': {
			if (path.subresource !== undefined) break
			return deleted(call, api.delete(resource, key, deleteRequest(request, await readBody(request))))
		}
		default:
			break
	}
	throw new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

async function answerPatch(call: Call, key: ObjectKey): Promise<ServerResponse> {
	const { api, resource, request, path } = call
	const body = await readBody(request)
	const options = { ...writeOptions(call), key, subresource: subresourceOf(path) }
	const kind = patchKind(request)
	if (kind !== 'apply') return one(call, 200, api.patch(resource, body, { ...options, kind }))
	const force = isTrue(request.query.get('force'))
	const manager = request.query.get('fieldManager') ?? undefined
	const { object, created } = api.apply(resource, body, { ...options, manager, force })
	return one(call, created ? 201 : 200, object)
}

async function answerScale(call: Call, key: ObjectKey): Promise<ServerResponse> {
	const { api, resource, request } = call
	const options = { ...writeOptions(call), key }
	switch (request.method) {
		case 'GET':
			return json(200, scaleOf(resource, api.get(resource, key)))
		case 'PUT':
			return json(200, updateScale(api, resource, { ...options, body: await readBody(request) }))
		case 'PATCH': {
			const kind = patchKind(request)
			if (kind === 'apply') throw badRequest('the lading sandbox does not apply to scale: use a merge patch')
			return json(200, patchScale(api, resource, { ...options, body: await readBody(request), kind }))
		}
		default:
			throw new StatusError(
				'MethodNotAllowed',
				'the server does not allow this method on the requested resource',
			)
	}
}

function deleted({ resource }: Call, { object, gone }: Deleted): ServerResponse {
	if (!gone || resource.storageKey === '/pods') return json(200, object)
	const { name, uid } = object.metadata
	const details = {
		name,
		...(resource.group !== '' && { group: resource.group }),
		kind: resource.plural,
		uid,
	}
	return json(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

function subresourceOf({ subresource }: ResourcePath): WriteOptions['subresource'] {
	return subresource === 'status' || subresource === 'finalize' ? subresource : undefined
}

const PATCH_KINDS: Readonly<Record<string, PatchKind | 'apply'>> = {
	'application/json-patch+json': 'json',
	'application/merge-patch+json': 'merge',
	'application/strategic-merge-patch+json': 'strategic',
	'application/apply-patch+yaml': 'apply',
	'application/apply-patch+json': 'apply',
}

function patchKind({ headers }: ServerRequest): PatchKind | 'apply' {
	const type = (headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
	const kind = Object.hasOwn(PATCH_KINDS, type) ? PATCH_KINDS[type] : undefined
	if (kind !== undefined) return kind
	const known = Object.keys(PATCH_KINDS).join(', ')
	throw new StatusError(
		'UnsupportedMediaType',
		`the body of the request was in an unknown format - accepted media types include: ${known}`,
	)
}

function isTrue(value: string | null): boolean {
	return value === 'true' || value === '1'
}

function listRequest({ request: { query }, path }: Call): ListRequest {
	const limit = Number(query.get('limit') ?? 0)
	const byName = path.name === undefined ? undefined : `metadata.name=${path.name}`
	return {
		namespace: path.namespace,
		labelSelector: query.get('labelSelector') ?? undefined,
		fieldSelector: query.get('fieldSelector') ?? byName,
		limit: Number.isSafeInteger(limit) && limit > 0 ? limit : undefined,
		continue: query.get('continue') || undefined,
	}
}

function writeOptions({ request, warnings }: Call): WriteOptions {
	const { query, headers } = request
	const validation = query.get('fieldValidation')
	const dryRun = query.getAll('dryRun')
	if (dryRun.some((value) => value !== 'All' && value !== ''))
		throw badRequest('dryRun: Unsupported value: supported values: "All"')
	return {
		dryRun: dryRun.includes('All'),
		manager: query.get('fieldManager') || (headers['user-agent'] ?? '').split('/')[0] || 'unknown',
		fieldValidation: isValidation(validation) ? validation : 'Warn',
		warn: (text) => void warnings.push(text),
	}
}

function isValidation(value: string | null): value is FieldValidation {
	return value === 'Strict' || value === 'Warn' || value === 'Ignore'
}

function deleteRequest({ query }: ServerRequest, body: unknown): DeleteRequest {
	const options = fieldsOf(body)
	const grace =
		numberAt(options, 'gracePeriodSeconds') ??
		(query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined)
	const orphans = at(options, 'orphanDependents') ?? query.get('orphanDependents')
	const asked = textAt(options, 'propagationPolicy') ?? query.get('propagationPolicy') ?? undefined
	const propagation = asked ?? (orphans === true || orphans === 'true' ? 'Orphan' : undefined)
	if (
		propagation !== undefined &&
		propagation !== 'Foreground' &&
		propagation !== 'Background' &&
		propagation !== 'Orphan'
	) {
		throw badRequest(`propagationPolicy: Unsupported value: ${JSON.stringify(propagation)}`)
	}
	const dryRun = at(options, 'dryRun')
	const preconditions = isFields(options['preconditions']) ? options['preconditions'] : {}
	return {
		dryRun: query.getAll('dryRun').includes('All') || (Array.isArray(dryRun) && dryRun.includes('All')),
		propagation,
		graceSeconds: grace,
		uid: textAt(preconditions, 'uid'),
		resourceVersion: textAt(preconditions, 'resourceVersion'),
	}
}
