import { describe, expect, it } from 'vitest'
import type { Application, ApplicationStatus } from '../argocd/index.ts'
import { RemoteError } from '../errors/index.ts'
import { type ApplicationApi, waitForSync, type WaitForSyncOptions } from './index.ts'

const OLD = `sha256:${'0'.repeat(64)}`
const NEW = `sha256:${'1'.repeat(64)}`
const P =
	'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = '
const UNKNOWN_CA = `${P}failed to resolve revision "v1": cannot get digest for revision v1: Head "https://r:5000/v2/app/manifests/v1": tls: failed to verify certificate: x509: certificate signed by unknown authority`

interface Shape {
	readonly refreshing?: boolean
	readonly error?: string
	readonly manual?: boolean
	readonly deleting?: boolean
}

function application(
	status: ApplicationStatus | undefined,
	{ refreshing, error, manual, deleting }: Shape = {},
): Application {
	return {
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: {
			name: 'app',
			namespace: 'argocd',
			...(refreshing === true && { annotations: { 'argocd.argoproj.io/refresh': 'normal' } }),
			...(deleting === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
		},
		spec: {
			project: 'default',
			source: { repoURL: 'oci://r:5000/app', targetRevision: 'v1', path: '.' },
			destination: { namespace: 'demo' },
			...(manual !== true && { syncPolicy: { automated: {} } }),
		},
		...(status && {
			status: {
				...status,
				...(error !== undefined && { conditions: [{ type: 'ComparisonError', message: error }] }),
			},
		}),
	}
}

const resources = [{ kind: 'Service', name: 's', status: 'Synced' as const }]
const synced = (
	revision: string,
	health: 'Healthy' | 'Progressing' | 'Degraded' = 'Healthy',
): ApplicationStatus => ({
	sync: { status: 'Synced', revision },
	health: { status: health },
	resources,
	operationState: { phase: 'Succeeded' },
})
const unknown: ApplicationStatus = { sync: { status: 'Unknown' }, health: { status: 'Healthy' } }
const outOfSync = (phase: 'Running' | 'Error'): ApplicationStatus => ({
	sync: { status: 'OutOfSync', revision: NEW },
	health: { status: 'Healthy' },
	operationState: { phase, message: 'ComparisonError: before' },
})

/** Tells its states one after the other; after the last it stays, until something ends the wait. */
function scripted(
	states: readonly (Application | undefined)[],
): ApplicationApi & { readonly refreshed: number } {
	let refreshed = 0
	const waiting: (() => void)[] = []
	const none = (): Promise<undefined> => Promise.resolve(undefined)
	return {
		get refreshed() {
			return refreshed
		},
		whenAbsent: '',
		get: none,
		setRevision: none,
		requestSync: none,
		terminateSync: none,
		list: () => Promise.resolve([]),
		apply: (given) => Promise.resolve(given),
		delete: () => Promise.resolve(true),
		refresh() {
			refreshed++
			waiting.shift()?.()
			return none()
		},
		async *watch(_, { signal } = {}) {
			for (const [index, state] of states.entries()) {
				yield state
				const last = index === states.length - 1
				const refreshing = state?.metadata.annotations !== undefined
				const retries = state?.status?.conditions !== undefined && !refreshing && !last
				if (!last && !retries) continue
				if (signal?.aborted === true) return
				await new Promise<void>((resolve) => {
					waiting.push(resolve)
					signal?.addEventListener('abort', () => resolve(), { once: true })
				})
			}
		},
	}
}

const wait = (
	states: readonly (Application | undefined)[],
	options: Partial<WaitForSyncOptions> = {},
): ReturnType<typeof waitForSync> =>
	waitForSync(scripted(states), {
		name: 'app',
		namespace: 'argocd',
		digest: NEW,
		timeoutMs: 2000,
		graceMs: 10,
		retryMs: 1,
		...options,
	})

describe('waitForSync', () => {
	it('waits for the digest, not for the word Synced', async () => {
		const states = [
			application(synced(OLD)),
			application(synced(NEW, 'Progressing')),
			application(synced(NEW)),
		]
		expect(await wait(states)).toMatchObject({ sync: 'Synced', health: 'Healthy', revision: NEW, resources })
	})

	it('passes over what was there before the refresh, errors and successes', async () => {
		const states = [
			application(unknown, { refreshing: true, error: `${P}old trouble` }),
			application(synced(NEW), { refreshing: true }),
			application(outOfSync('Error')),
			application(outOfSync('Running')),
			application(synced(NEW)),
		]
		expect(await wait(states)).toMatchObject({ revision: NEW })
	})

	it('does not wait for a difference that Argo CD lets stand', async () => {
		const left: ApplicationStatus = {
			...outOfSync('Running'),
			operationState: {
				phase: 'Succeeded',
				finishedAt: '2026-01-01T00:00:00Z',
				syncResult: { revision: NEW },
			},
			reconciledAt: '2026-01-01T00:00:05Z',
			resources: [{ kind: 'Service', name: 's', status: 'OutOfSync' }],
		}
		await expect(wait([application(left)])).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			message: expect.stringContaining('the cluster still differs: Service s'),
			hint: expect.stringContaining('argocd app diff app'),
		})
	})

	it('takes Unknown and Healthy with a condition for a no, and explains it', async () => {
		const error = `${P}failed to resolve revision "v1": cannot get digest for revision v1: r:5000/app:v1: not found`
		await expect(wait([application(unknown, { error })])).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			details: [error],
		})
	})

	it('asks again where nothing is heard for a while, and lives with a no', async () => {
		const silent = { ...synced(NEW, 'Progressing'), conditions: [] }
		const api = scripted([application(silent), application(synced(NEW))])
		const options = { name: 'app', namespace: 'argocd', digest: NEW, timeoutMs: 2000, nudgeMs: 1 }
		expect(await waitForSync(api, options)).toMatchObject({ health: 'Healthy' })
		expect(api.refreshed).toBe(1)
		const refresh = (): Promise<never> => Promise.reject(new RemoteError('FORBIDDEN', 'no'))
		const forbidden = { ...scripted([application(silent)]), refresh }
		await expect(waitForSync(forbidden, { ...options, timeoutMs: 50 })).rejects.toMatchObject({
			code: 'TIMED_OUT',
		})
	})

	it('refreshes again while the CA is on its way to the pod', async () => {
		const api = scripted([application(unknown, { error: UNKNOWN_CA }), application(synced(NEW))])
		const options = { name: 'app', namespace: 'argocd', digest: NEW, timeoutMs: 2000, retryMs: 1 }
		expect(await waitForSync(api, { ...options, isCaTrusted: () => Promise.resolve(true) })).toMatchObject({
			revision: NEW,
		})
		expect(api.refreshed).toBe(1)
		await expect(
			wait([application(unknown, { error: UNKNOWN_CA })], {
				isCaTrusted: () => Promise.resolve(true),
				timeoutMs: 20,
			}),
		).rejects.toMatchObject({
			code: 'TIMED_OUT',
			message: expect.stringContaining('does not trust the certificate'),
			hint: expect.stringContaining('lading trust'),
		})
		await expect(
			wait([application(unknown, { error: UNKNOWN_CA })], { isCaTrusted: () => Promise.resolve(false) }),
		).rejects.toMatchObject({
			code: 'SYNC_FAILED',
		})
	})

	it('gives the repo-server time to start, and names it when it does not', async () => {
		const unavailable =
			'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unavailable desc = dns: A record lookup error'
		const down = application(unknown, { error: unavailable })
		const api = scripted([down, down, application(synced(NEW, 'Progressing')), application(synced(NEW))])
		const options = { name: 'app', namespace: 'argocd', digest: NEW, timeoutMs: 5000, retryMs: 1 }
		expect(await waitForSync(api, options)).toMatchObject({ revision: NEW })
		expect(api.refreshed).toBeGreaterThan(0)
		await expect(wait([down], { timeoutMs: 100, retryMs: 1000 })).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			message: expect.stringContaining('repo-server does not answer'),
			hint: expect.stringContaining('argocd-repo-server'),
		})
		const slow = wait([down, application(synced(NEW, 'Progressing'))], { timeoutMs: 100 })
		await expect(slow).rejects.toMatchObject({ code: 'TIMED_OUT' })
	})

	it('asks once more where a comparison of before, which failed, may have taken the request along', async () => {
		const before = application(synced(OLD), { refreshing: true })
		const failed = application(unknown, { error: `${P}connection refused` })
		const asked = application(unknown, { refreshing: true, error: `${P}connection refused` })
		const api = scripted([failed, asked, application(synced(NEW))])
		const options = { name: 'app', namespace: 'argocd', digest: NEW, timeoutMs: 2000, before }
		expect(await waitForSync(api, options)).toMatchObject({ revision: NEW })
		expect(api.refreshed).toBe(1)

		const still = scripted([failed, asked, failed])
		await expect(waitForSync(still, options)).rejects.toMatchObject({ code: 'SYNC_FAILED' })
		expect(still.refreshed).toBe(1)

		const changed = scripted([failed, asked, application(synced(NEW))])
		const afterChange = { ...options, before: application(synced(OLD)), isChanged: true }
		expect(await waitForSync(changed, afterChange)).toMatchObject({ revision: NEW })
		expect(changed.refreshed).toBe(1)

		// No other comes: the no stands, a while later.
		await expect(wait([failed], { before })).rejects.toMatchObject({ code: 'SYNC_FAILED' })
		const certain = scripted([failed])
		const settled = { ...options, before: application(synced(OLD)) }
		await expect(waitForSync(certain, settled)).rejects.toMatchObject({ code: 'SYNC_FAILED' })
		expect(certain.refreshed).toBe(0)
	})

	it('takes Degraded for a no once it lasts', async () => {
		await expect(wait([application(synced(NEW, 'Degraded'))])).rejects.toMatchObject({
			code: 'APPLICATION_DEGRADED',
		})
		const recovering = [
			application(synced(NEW, 'Degraded')),
			application(synced(NEW, 'Progressing')),
			application(synced(NEW)),
		]
		expect(await wait(recovering)).toMatchObject({ health: 'Healthy' })
	})

	it('says why it is Degraded, and what it waits for', async () => {
		const whyUnhealthy = (): Promise<readonly string[]> => Promise.resolve(['Pod p: ImagePullBackOff'])
		await expect(wait([application(synced(NEW, 'Degraded'))], { whyUnhealthy })).rejects.toMatchObject({
			code: 'APPLICATION_DEGRADED',
			details: ['Pod p: ImagePullBackOff'],
		})
		await expect(
			wait([application(synced(NEW, 'Progressing'))], { whyUnhealthy, timeoutMs: 20 }),
		).rejects.toMatchObject({ code: 'TIMED_OUT', details: ['Pod p: ImagePullBackOff'] })
	})

	it('does not take silence for news when the cluster is gone', async () => {
		const api = scripted([application(synced(OLD))])
		const gone = new RemoteError('CLUSTER_UNREACHABLE', 'the cluster c cannot be reached')
		const options = { name: 'app', namespace: 'argocd', digest: NEW, timeoutMs: 20 }
		await expect(waitForSync({ ...api, get: () => Promise.reject(gone) }, options)).rejects.toMatchObject({
			code: 'TIMED_OUT',
			message: expect.stringContaining('cannot be reached'),
		})
	})

	it('does not wait for health where it is not asked to', async () => {
		expect(await wait([application(synced(NEW, 'Progressing'))], { health: false })).toMatchObject({
			health: 'Progressing',
		})
	})

	it('says how far it got when the time is over', async () => {
		await expect(wait([application(synced(OLD))], { timeoutMs: 20 })).rejects.toMatchObject({
			code: 'TIMED_OUT',
			message: expect.stringContaining(`it is not at ${NEW} yet`),
		})
	})

	it('tells of what it warns of, and of nothing where all is well', async () => {
		expect(await wait([application(synced(NEW))])).toMatchObject({ explanations: [] })
		expect(await wait([application({ ...synced(NEW), resources: [] })])).toMatchObject({
			explanations: [{ cause: 'nothing-deployed', severity: 'warning' }],
		})
		const message = 'Resource coordination.k8s.io/Lease one is excluded in the settings'
		const conditions = [{ type: 'ExcludedResourceWarning', message }]
		expect(await wait([application({ ...synced(NEW), conditions })])).toMatchObject({
			explanations: [{ cause: 'resource-excluded', severity: 'warning' }],
		})
	})

	it('tells of another Application that it has taken a resource from', async () => {
		const message = 'ConfigMap/one is part of applications argocd/app and another'
		const status: ApplicationStatus = {
			sync: { status: 'OutOfSync', revision: NEW },
			conditions: [{ type: 'SharedResourceWarning', message }],
			operationState: { phase: 'Succeeded', startedAt: '2026-01-01T00:00:00Z' },
		}
		const shared = application(status, { refreshing: true })
		const at = (startedAt: string): Application =>
			application({ ...synced(NEW), operationState: { phase: 'Succeeded', startedAt } })
		const told = [{ cause: 'resource-shared', message }]
		const later = at('2026-01-01T00:00:05Z')
		expect(await wait([shared, later])).toMatchObject({ explanations: told })
		expect(await wait([later], { before: shared })).toMatchObject({ explanations: told })
		// It was taken out of the other one: nothing had to be synced.
		const cured = at('2026-01-01T00:00:00Z')
		expect(await wait([cured], { before: shared })).toMatchObject({ explanations: [] })
		const still = application({ ...status, ...synced(NEW) })
		expect((await wait([shared, still])).explanations).toHaveLength(1)
	})

	it('tells that a manual Application does not move by itself', async () => {
		const state = application({ sync: { status: 'OutOfSync', revision: NEW } }, { manual: true })
		await expect(wait([state])).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			message: expect.stringContaining('does not sync by itself'),
		})
	})

	it('waits for the comparison that follows a sync it asked for', async () => {
		const done: ApplicationStatus = {
			sync: { status: 'OutOfSync', revision: NEW },
			health: { status: 'Missing' },
			resources: [{ kind: 'Service', name: 's', status: 'OutOfSync', requiresPruning: true }],
			reconciledAt: '2026-01-01T00:00:01Z',
			operationState: {
				phase: 'Succeeded',
				finishedAt: '2026-01-01T00:00:01Z',
				syncResult: { revision: NEW },
			},
		}
		const states = [application(done, { manual: true }), application(synced(NEW), { manual: true })]
		expect(await wait(states)).toMatchObject({ revision: NEW })
		const compared = application({ ...done, reconciledAt: '2026-01-01T00:00:02Z' }, { manual: true })
		await expect(wait([compared])).rejects.toMatchObject({
			code: 'SYNC_FAILED',
			message: expect.stringContaining('no longer in the artifact'),
			hint: expect.stringContaining('lading sync app --prune'),
		})
	})

	it('notices that the Application is deleted, or was never there', async () => {
		await expect(wait([application(synced(OLD)), undefined])).rejects.toMatchObject({ code: 'NOT_FOUND' })
		await expect(wait([undefined])).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})

	it('ends with the reason of its signal', async () => {
		const reason = new Error('enough')
		await expect(wait([application(synced(OLD))], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
	})
})
