import type { Handler, ServerRequest, ServerResponse } from '../../http/server/index.ts'
import { LadingError } from '../../errors/index.ts'
import { aggregatedVersion } from './accept.ts'
import { authenticate } from './authentication.ts'
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from './discovery.ts'
import type { Fields } from './fields.ts'
import { json, statusAnswer } from './json-answer.ts'
import type { ObjectApi } from './object-api.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'
import { openApiV2 } from './openapi-v2.ts'
import { readBody } from './request-body.ts'
import { parsePath } from './request-path.ts'
import { answerResource } from './resource-requests.ts'
import { answerReview, reviews, type ApiUser } from './reviews.ts'
import { StatusError } from './status-error.ts'
import { SANDBOX_VERSION } from './version.ts'

export interface HandlerOptions {
	/** The bearer token that every request but those for health and version needs. */
	readonly token: string
	/** Answered by `/livez` in the header `x-lading-instance`: tells this server from a stranger's. */
	readonly instance: string
	readonly now: () => Date
}

/** The API over HTTP. */
export function apiHandler(api: ObjectApi, options: HandlerOptions): Handler {
	return async (request) => {
		try {
			return await answer(api, request, options)
		} catch (error) {
			if (error instanceof StatusError) return statusAnswer(error)
			const why =
				error instanceof LadingError ? error.message : 'the lading sandbox failed; this is a fault of its own'
			return statusAnswer(new StatusError('InternalError', `Internal error occurred: ${why}`))
		}
	}
}

const OPEN = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/'])

async function answer(
	api: ObjectApi,
	request: ServerRequest,
	options: HandlerOptions,
): Promise<ServerResponse> {
	if (OPEN.has(request.path)) return answerOpen(request.path, options.instance)
	const user = authenticate(request, options.token)
	const path = parsePath(request.path)
	switch (path.kind) {
		case 'core':
			return aggregatedVersion(request.headers.accept) ? aggregated(api, true) : json(200, apiVersions())
		case 'groups':
			return aggregatedVersion(request.headers.accept)
				? aggregated(api, false)
				: json(200, apiGroupList(api.catalog))
		case 'group':
			return json(200, found(apiGroup(api.catalog, path.group)))
		case 'version':
			return json(200, found(apiResourceList(api.catalog, path)))
		case 'resource': {
			const review = await answerReviewRequest(request, { group: path.group, plural: path.plural, user })
			return review ?? answerResource(api, request, { path, now: options.now })
		}
		case 'other':
			return answerDocument(api, path.path)
	}
}

function answerOpen(path: string, instance: string): ServerResponse {
	if (path.startsWith('/version')) return json(200, SANDBOX_VERSION)
	const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-lading-instance': instance }
	return { status: 200, headers, body: 'ok' }
}

function aggregated(api: ObjectApi, core: boolean): ServerResponse {
	return json(200, aggregatedDiscovery(api.catalog, core), {
		'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
	})
}

function answerDocument(api: ObjectApi, path: string): ServerResponse {
	const [, root, version, home, ...rest] = path.split('/')
	if (root === 'openapi' && version === 'v3') {
		if (home === undefined || home === '') return json(200, openApiIndex(api.catalog))
		const wanted =
			home === 'api'
				? { group: '', version: rest[0] ?? '' }
				: { group: rest[0] ?? '', version: rest[1] ?? '' }
		return json(200, found(openApiDocument(api.catalog, wanted)))
	}
	if (path === '/openapi/v2') {
		const { contentType, body } = openApiV2()
		return { status: 200, headers: { 'content-type': contentType }, body }
	}
	if (path === '/')
		return json(200, {
			paths: ['/api', '/apis', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
		})
	throw missing()
}

async function answerReviewRequest(
	request: ServerRequest,
	{ group, plural, user }: { readonly group: string; readonly plural: string; readonly user: ApiUser },
): Promise<ServerResponse | undefined> {
	const review = reviews.find((each) => each.group === group && each.plural === plural)
	if (review === undefined) return undefined
	if (request.method !== 'POST') throw new StatusError('MethodNotAllowed', `${plural} can only be created`)
	return json(201, answerReview(review, await readBody(request), user))
}

function found(document: Fields | undefined): Fields {
	if (document === undefined) throw missing()
	return document
}

function missing(): StatusError {
	return new StatusError('NotFound', 'the server could not find the requested resource')
}
