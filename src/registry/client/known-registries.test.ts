import { expect, it } from 'vitest'
import type { HttpResponse } from '../../http/client/index.ts'
import { refusalOf } from './registry-errors.ts'

/** What registries have been seen to answer: status, body, and what the hint has to name. */
const RECORDED: readonly (readonly [
	registry: string,
	status: number,
	body: unknown,
	code: string,
	hint: RegExp,
])[] = [
	[
		'123456789012.dkr.ecr.eu-west-1.amazonaws.com',
		404,
		error(
			'NAME_UNKNOWN',
			"The repository with name 'team/app' does not exist in the registry with id '123456789012'",
		),
		'NOT_FOUND',
		/aws ecr create-repository/,
	],
	[
		'123456789012.dkr.ecr.eu-west-1.amazonaws.com',
		400,
		error(
			'TAG_INVALID',
			"The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
		),
		'TAG_EXISTS',
		/tag that is new/,
	],
	['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 401, 'Not Authorized', 'UNAUTHENTICATED', /-u AWS/],
	[
		'europe-west3-docker.pkg.dev',
		403,
		error(
			'DENIED',
			'Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/p/locations/europe-west3/repositories/r" (or it may not exist)',
		),
		'FORBIDDEN',
		/roles\/artifactregistry\.writer/,
	],
	['europe-west3-docker.pkg.dev', 401, '', 'UNAUTHENTICATED', /oauth2accesstoken/],
	[
		'acme.azurecr.io',
		401,
		error('UNAUTHORIZED', 'authentication required, visit https://aka.ms/acr/authorization'),
		'UNAUTHENTICATED',
		/AcrPush/,
	],
	[
		'acme.azurecr.io',
		403,
		error('DENIED', "client with IP '192.0.2.1' is not allowed access. Refer to the firewall settings"),
		'FORBIDDEN',
		/firewall/,
	],
	['ghcr.io', 403, error('DENIED', 'permission_denied: write_package'), 'FORBIDDEN', /write:packages/],
	[
		'ghcr.io',
		403,
		error('DENIED', 'permission_denied: The token provided does not match expected scopes.'),
		'FORBIDDEN',
		/write:packages/,
	],
	['ghcr.io', 403, error('DENIED', 'denied'), 'FORBIDDEN', /read:packages/],
	[
		'docker.io',
		401,
		error('UNAUTHORIZED', 'authentication required'),
		'UNAUTHENTICATED',
		/docker\.io\/USER\/NAME/,
	],
	[
		'registry-1.docker.io',
		429,
		error('TOOMANYREQUESTS', 'You have reached your pull rate limit.'),
		'REGISTRY_FAILED',
		/limits/,
	],
	[
		'quay.io',
		401,
		error('UNAUTHORIZED', 'access to the requested resource is not authorized'),
		'UNAUTHENTICATED',
		/ORGANIZATION\+ROBOT/,
	],
	[
		'registry.gitlab.com',
		403,
		error('DENIED', 'requested access to the resource is denied'),
		'FORBIDDEN',
		/write_registry/,
	],
	[
		'harbor.example.com:8443',
		401,
		error(
			'UNAUTHORIZED',
			'unauthorized to access repository: library/app, action: push: unauthorized to access repository: library/app, action: push',
		),
		'UNAUTHENTICATED',
		/robot\$PROJECT/,
	],
	[
		'harbor.example.com',
		404,
		error('NOT_FOUND', 'project nowhere not found'),
		'NOT_FOUND',
		/before the first push/,
	],
]

function error(code: string, message: string): unknown {
	return { errors: [{ code, message }] }
}

function answered(status: number, body: unknown): HttpResponse {
	const text = typeof body === 'string' ? body : JSON.stringify(body)
	return {
		method: 'PUT',
		status,
		headers: {},
		url: 'https://registry.example.com/v2/',
		body: (async function* () {})(),
		bytes: async () => Buffer.from(text),
		text: async () => text,
		discard: () => undefined,
	}
}

it.each(RECORDED)('%s: %i', async (registry, status, body, code, hint) => {
	const refusal = await refusalOf(answered(status, body), { registry, action: 'do it', authenticated: true })
	expect(refusal.code).toBe(code)
	expect(refusal.hint).toMatch(hint)
	expect(refusal.hint).not.toContain('HOST ')
})

it('knows nothing of a host that only looks like a known one', async () => {
	for (const registry of [
		'ghcr.io.example.com',
		'notghcr.io',
		'123.dkr.ecr.eu-west-1.amazonaws.com.example.com',
	]) {
		const refusal = await refusalOf(answered(403, error('DENIED', 'denied')), {
			registry,
			action: 'do it',
			authenticated: true,
		})
		expect(refusal.hint).toMatch(/account lacks the right/)
	}
})

it('says of a full disk that it is full', async () => {
	const refusal = await refusalOf(answered(507, ''), {
		registry: 'r.test',
		action: 'store',
		authenticated: false,
	})
	expect(refusal).toMatchObject({ code: 'REGISTRY_FAILED', wire: { retryable: false } })
	expect(refusal.hint).toMatch(/full/)
})
