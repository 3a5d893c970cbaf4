import { describe, expect, it } from 'vitest'
import { type Application, buildApplication } from '../argocd/index.ts'
import { askedDigest, deploymentNotFound, findDeployment, previousDeployment } from './index.ts'

const A = `sha256:${'a'.repeat(64)}`
const B = `sha256:${'b'.repeat(64)}`
const C = `sha256:bb${'c'.repeat(62)}`
const repoURL = 'oci://r:5000/app'

/** An Application with a history of `[digest, targetRevision]`, the oldest first, with the ids 0, 1, … */
function application(
	targetRevision: string,
	history: readonly (readonly [string, string])[],
	compared?: string,
): Application {
	return {
		...buildApplication({ name: 'app', repoURL, targetRevision, destination: { namespace: 'demo' } }),
		status: {
			sync: { status: compared === undefined ? 'Unknown' : 'Synced', revision: compared },
			history: history.map(([revision, asked], id) => ({
				id,
				revision,
				deployedAt: '2026-01-01T00:00:00Z',
				source: { repoURL, targetRevision: asked },
			})),
		},
	}
}

describe('previousDeployment', () => {
	it.each([
		[
			'the one before',
			application(
				'v2',
				[
					[A, 'v1'],
					[B, 'v2'],
				],
				B,
			),
			0,
		],
		[
			'not the same artifact once more',
			application(
				'v2',
				[
					[A, 'v1'],
					[B, 'v2'],
					[B, 'v2'],
				],
				B,
			),
			0,
		],
		[
			'the one that runs, where the new one failed in its sync',
			application(
				'v2',
				[
					[A, 'v0'],
					[A, 'v1'],
				],
				B,
			),
			1,
		],
		[
			'the one that runs, where the new one was not found',
			application('v9', [
				[A, 'v1'],
				[B, 'v2'],
			]),
			1,
		],
		[
			'the one before, where the registry is away',
			application('latest', [
				[A, 'v1'],
				[B, 'latest'],
			]),
			0,
		],
		[
			'the one before, of a pinned one',
			application(`v2@${B}`, [
				[A, 'v1'],
				[B, 'v2'],
			]),
			0,
		],
		[
			'forward again, after a rollback',
			application(
				'v1',
				[
					[A, 'v1'],
					[B, 'v2'],
					[A, 'v1'],
				],
				A,
			),
			1,
		],
	])('is %s', (_, given, id) => {
		expect(previousDeployment(given).id).toBe(id)
	})

	it.each([
		['nothing was deployed', application('v1', [])],
		['there is only one', application('v1', [[A, 'v1']], A)],
		['all were of Git', application('v1', [['0123abc', 'main']], A)],
	])('is none where %s', (_, given) => {
		expect(() => previousDeployment(given)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
	})
})

describe('findDeployment', () => {
	const given = application(
		'latest',
		[
			[A, 'v1'],
			[B, `v2@${B}`],
			[C, 'latest'],
			[A, '7'],
		],
		A,
	)

	it.each([
		['0', 0],
		['3', 3],
		['7', 3],
		['v1', 0],
		['v2', 1],
		[`v2@${B}`, 1],
		['latest', 2],
		[A, 3],
		[`${A.slice(0, 19)}…`, 3],
		[`${C.slice(0, 19)}...`, 2],
	])('knows %s', (text, id) => {
		expect(findDeployment(given, text)?.id).toBe(id)
	})

	it.each(['4', 'v3', '-1', '', `sha256:${'d'.repeat(64)}`])('does not know %j', (text) => {
		expect(findDeployment(given, text)).toBeUndefined()
		expect(deploymentNotFound(given, text).details).toHaveLength(4)
	})

	it('takes no start that several digests have', () => {
		const close = application('v1', [
			[B, 'v1'],
			[`sha256:${'b'.repeat(63)}c`, 'v2'],
		])
		expect(() => findDeployment(close, 'sha256:bbbbbbbb')).toThrow(expect.objectContaining({ code: 'USAGE' }))
	})
})

describe('askedDigest', () => {
	it('is not known where the revision was never deployed and not compared', () => {
		expect(askedDigest(application('v9', [[A, 'v1']]))).toBeUndefined()
	})
})
