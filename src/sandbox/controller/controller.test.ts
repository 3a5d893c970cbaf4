import { afterEach, describe, expect, it } from 'vitest'
import type { Application } from '../../argocd/index.ts'
import type { Cluster, KubeObject, ObjectRef, ResourceType, WatchEvent } from '../../cluster/index.ts'
import { RemoteError } from '../../errors/index.ts'
import { control } from './controller.ts'
import { isFields, listAt, sameJson, textAt, valueAt } from './object-fields.ts'
import type { SourceAnswer } from './source.ts'

const DIGEST_A = `sha256:${'a'.repeat(64)}`
const DIGEST_B = `sha256:${'b'.repeat(64)}`

type Json = Record<string, unknown>

/** RFC 7386, deleting with null. */
function merge(target: unknown, patch: unknown): unknown {
	if (!isFields(patch)) return patch
	const result: Json = isFields(target) ? { ...target } : {}
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) delete result[key]
		else result[key] = merge(result[key], value)
	}
	return result
}

/** What `before` had and `after` has no more, as a merge patch. */
function removals(before: unknown, after: unknown): Json {
	const patch: Json = {}
	if (!isFields(before) || !isFields(after)) return patch
	for (const key of Object.keys(before)) {
		if (!(key in after)) patch[key] = null
		else if (isFields(before[key])) {
			const inner = removals(before[key], after[key])
			if (Object.keys(inner).length > 0) patch[key] = inner
		}
	}
	return patch
}

const failure = (reason: string, message: string): RemoteError =>
	new RemoteError('CLUSTER_FAILED', message, {
		wire: { method: 'PATCH', url: 'https://memory/', status: 400, errors: [{ code: reason, message }] },
	})

/** A cluster in memory, with one field manager, and a Deployment controller on request. */
class MemoryCluster implements Cluster {
	readonly server = 'https://memory'
	readonly objects = new Map<string, KubeObject>()
	readonly refused = new Set<string>()
	readonly #applied = new Map<string, KubeObject>()
	readonly #watchers = new Set<(event: WatchEvent) => void>()
	#version = 1
	#uid = 0

	#key({ apiVersion, kind, namespace, name }: ObjectRef): string {
		return `${apiVersion}/${kind}/${namespace ?? ''}/${name}`
	}
	async version(): Promise<string> {
		return 'v1.37.2'
	}
	async get(ref: ObjectRef): Promise<KubeObject | undefined> {
		return this.objects.get(this.#key(ref))
	}
	async list(type: ResourceType): Promise<{ items: KubeObject[]; resourceVersion: string }> {
		const items = [...this.objects.values()].filter(
			(each) => each.kind === type.kind && each.apiVersion === type.apiVersion,
		)
		return { items, resourceVersion: String(this.#version) }
	}
	#store(object: KubeObject, dryRun = false): KubeObject {
		const key = this.#key({ ...object, ...object.metadata })
		const present = this.objects.get(key)
		const { resourceVersion: _, ...metadata } = object.metadata
		const same =
			present !== undefined &&
			sameJson(
				{ ...object, metadata },
				{ ...present, metadata: { ...present.metadata, resourceVersion: undefined } },
			)
		if (same) return present
		const specChanged = !sameJson(present?.['spec'], object['spec'])
		const stored: KubeObject = {
			...object,
			...(object.kind === 'Deployment' && { spec: { replicas: 1, ...(object['spec'] as Json) } }),
			metadata: {
				...metadata,
				uid: present?.metadata.uid ?? `uid-${(this.#uid += 1)}`,
				creationTimestamp: '2026-01-01T00:00:00Z',
				generation: (present?.metadata.generation ?? 0) + (specChanged ? 1 : 0),
				resourceVersion: String((this.#version += 1)),
			},
		}
		if (dryRun) return stored
		this.objects.set(key, stored)
		this.#tell({ type: present === undefined ? 'ADDED' : 'MODIFIED', object: stored })
		if (stored.metadata.deletionTimestamp !== undefined && (stored.metadata.finalizers ?? []).length === 0) {
			this.objects.delete(key)
			this.#tell({ type: 'DELETED', object: stored })
		}
		return stored
	}
	#tell(event: WatchEvent): void {
		for (const watcher of this.#watchers) watcher(event)
	}
	async create(object: KubeObject): Promise<KubeObject> {
		return this.#store(object)
	}
	async apply(object: KubeObject, options: { dryRun?: boolean | undefined }): Promise<KubeObject> {
		const key = this.#key({ ...object, ...object.metadata })
		if (this.refused.has(object.kind)) throw failure('Invalid', `${object.kind} is invalid`)
		const before = this.#applied.get(key)
		const pruned = merge(this.objects.get(key) ?? {}, removals(before, object))
		const merged = merge(pruned, JSON.parse(JSON.stringify(object))) as KubeObject
		if (options.dryRun !== true) this.#applied.set(key, object)
		return this.#store(merged, options.dryRun)
	}
	async patch(ref: ObjectRef, patch: unknown): Promise<KubeObject | undefined> {
		const present = this.objects.get(this.#key(ref))
		if (present === undefined) return undefined
		const wanted = valueAt(patch, 'metadata', 'resourceVersion')
		if (wanted !== undefined && wanted !== present.metadata.resourceVersion)
			throw failure('Conflict', 'the object has been modified')
		return this.#store(merge(present, patch) as KubeObject)
	}
	async delete(ref: ObjectRef): Promise<boolean> {
		const present = this.objects.get(this.#key(ref))
		if (present === undefined) return false
		this.#store({
			...present,
			metadata: { ...present.metadata, deletionTimestamp: '2026-01-01T00:00:01Z' },
		})
		return true
	}
	async *watch(
		type: ResourceType,
		options: { signal?: AbortSignal | undefined } = {},
	): AsyncGenerator<WatchEvent, void, undefined> {
		const pending: WatchEvent[] = [{ type: 'RESYNCED', items: (await this.list(type)).items }]
		let wake = (): void => {}
		const watcher = (event: WatchEvent): void => {
			if (event.type !== 'RESYNCED' && event.object.kind === type.kind) pending.push(event)
			wake()
		}
		this.#watchers.add(watcher)
		options.signal?.addEventListener('abort', () => wake())
		while (options.signal?.aborted !== true) {
			const event = pending.shift()
			if (event !== undefined) yield event
			else
				await new Promise<void>((resolve) => {
					wake = resolve
				})
		}
		this.#watchers.delete(watcher)
	}
}

const project: KubeObject = {
	apiVersion: 'argoproj.io/v1alpha1',
	kind: 'AppProject',
	metadata: { name: 'default', namespace: 'argocd' },
	spec: {
		sourceRepos: ['*'],
		destinations: [{ server: '*', namespace: '*' }],
		clusterResourceWhitelist: [{ group: '*', kind: '*' }],
	},
}

function application(changes: Json = {}, metadata: Json = {}): KubeObject {
	return {
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: { name: 'demo', namespace: 'argocd', ...metadata },
		spec: {
			project: 'default',
			source: { repoURL: 'oci://registry.test/demo', path: '.', targetRevision: 'v1' },
			destination: { server: 'https://kubernetes.default.svc', namespace: 'demo' },
			syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
			...changes,
		},
	}
}

const configMap = (name: string, data: Json = { key: 'value' }, metadata: Json = {}): KubeObject => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name, ...metadata },
	data,
})

const loaded = (manifests: readonly KubeObject[], revision = DIGEST_A): SourceAnswer => ({
	ok: true,
	revision,
	sourceType: 'Directory',
	manifests,
})

const stops: (() => Promise<void>)[] = []

afterEach(async () => {
	for (const stop of stops.splice(0)) await stop()
})

/** A running controller, whose registry answers what `answer` is. */
async function start(
	app: KubeObject,
	answer: SourceAnswer,
): Promise<{
	readonly cluster: MemoryCluster
	answer: SourceAnswer
	/** How far the controller's clock goes ahead, in milliseconds. */
	aheadMs: number
	app(): Application
	until(what: (app: Application) => boolean): Promise<Application>
	refresh(kind?: string): Promise<void>
}> {
	const cluster = new MemoryCluster()
	await cluster.create(project)
	await cluster.create(app)
	const stop = new AbortController()
	const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', name: 'demo', namespace: 'argocd' }
	const logged: string[] = []
	const test = {
		cluster,
		answer,
		aheadMs: 0,
		app: () => cluster.objects.get('argoproj.io/v1alpha1/Application/argocd/demo') as unknown as Application,
		async until(what: (app: Application) => boolean): Promise<Application> {
			for (let turn = 0; turn < 400; turn += 1) {
				const present = test.app()
				if (present !== undefined && what(present)) return present
				await new Promise((resolve) => {
					setTimeout(resolve, 5)
				})
			}
			throw new Error(`never happened: ${JSON.stringify(test.app()?.status)} ${logged.join('\n')}`)
		},
		async refresh(kind = 'normal') {
			await cluster.patch(ref, { metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } } })
		},
	}
	const done = control({
		cluster,
		namespace: 'argocd',
		createLoader: () => async () => test.answer,
		signal: stop.signal,
		now: () => Date.now() + test.aheadMs,
		random: () => 0,
		sleep: (ms) =>
			new Promise((resolve) => {
				const timer = setTimeout(resolve, Math.min(ms, 20))
				stop.signal.addEventListener('abort', () => {
					clearTimeout(timer)
					resolve()
				})
			}),
		syncWaveDelayMs: 0,
		reconciliationMs: 3_600_000,
		log: (line) => logged.push(line),
	})
	stops.push(async () => {
		stop.abort()
		await done
		expect(logged).toEqual([])
	})
	return test
}

const isSynced = (app: Application): boolean =>
	app.status?.sync?.status === 'Synced' && app.status.operationState?.phase === 'Succeeded'

describe('controller', () => {
	it('deploys a new application and reports it in the words of Argo CD', async () => {
		const test = await start(application(), loaded([configMap('one')]))
		const app = await test.until(isSynced)
		expect(app.status?.sync?.revision).toBe(DIGEST_A)
		expect(app.status?.health?.status).toBe('Healthy')
		expect(app.status?.sourceType).toBe('Directory')
		expect(app.status?.operationState).toMatchObject({
			phase: 'Succeeded',
			message: 'successfully synced (all tasks run)',
			syncResult: { revision: DIGEST_A },
		})
		expect(app.operation).toBeUndefined()
		expect(app.status?.history).toMatchObject([
			{ id: 0, revision: DIGEST_A, initiatedBy: { automated: true } },
		])
		expect(app.status?.resources).toEqual([
			{ version: 'v1', kind: 'ConfigMap', namespace: 'demo', name: 'one', status: 'Synced' },
		])
		const live = await test.cluster.get({
			apiVersion: 'v1',
			kind: 'ConfigMap',
			name: 'one',
			namespace: 'demo',
		})
		expect(live?.metadata.annotations).toEqual({
			'argocd.argoproj.io/tracking-id': 'demo:/ConfigMap:demo/one',
		})
		expect(await test.cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: 'demo' })).toBeDefined()
		const events = [...test.cluster.objects.values()].filter((each) => each.kind === 'Event')
		expect(new Set(events.map((each) => textAt(each, 'source', 'component')))).toEqual(
			new Set(['argocd-application-controller (sandbox)']),
		)
		expect(events.map((each) => textAt(each, 'reason'))).toContain('OperationCompleted')
	})

	it('takes the refresh annotation off, deploys what the tag names now, and prunes', async () => {
		const test = await start(application(), loaded([configMap('one'), configMap('two')]))
		await test.until(isSynced)
		test.answer = loaded([configMap('one', { key: 'new' })], DIGEST_B)
		await test.refresh()
		const app = await test.until((each) => isSynced(each) && each.status?.sync?.revision === DIGEST_B)
		expect(app.metadata.annotations?.['argocd.argoproj.io/refresh']).toBeUndefined()
		expect(app.status?.history?.map((each) => each.revision)).toEqual([DIGEST_A, DIGEST_B])
		const { items } = await test.cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' })
		expect(items.map((each) => [each.metadata.name, each['data']])).toEqual([['one', { key: 'new' }]])
		const results = app.status?.operationState?.syncResult?.resources ?? []
		expect(results.map((each) => [each.name, each.status, each.message])).toEqual([
			['two', 'Pruned', 'pruned'],
			['one', 'Synced', 'configmap/one configured'],
		])
	})

	it('undoes a change in the cluster', async () => {
		const test = await start(application(), loaded([configMap('one')]))
		await test.until(isSynced)
		const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'demo' }
		await test.cluster.patch(ref, { data: { key: 'edited', other: 'kept' } })
		for (let turn = 0; turn < 400; turn += 1) {
			if (valueAt(await test.cluster.get(ref), 'data', 'key') === 'value') break
			await new Promise((resolve) => {
				setTimeout(resolve, 5)
			})
		}
		expect((await test.cluster.get(ref))?.['data']).toEqual({ key: 'value', other: 'kept' })
		const app = await test.until(isSynced)
		expect(valueAt(app.status?.operationState?.operation, 'sync', 'autoHealAttemptsCount')).toBe(1)
	})

	it('heals again and again, each time after a longer pause', async () => {
		const test = await start(application(), loaded([configMap('one')]))
		await test.until(isSynced)
		const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'demo' }
		const attempts = (app: Application): unknown =>
			valueAt(app.status?.operationState, 'operation', 'sync', 'autoHealAttemptsCount')
		for (const count of [1, 2, 3]) {
			await test.cluster.delete(ref)
			await test.until((app) => attempts(app) === count || app.status?.sync?.status === 'OutOfSync')
			// all that the deletion set going has come to rest
			await new Promise((resolve) => {
				setTimeout(resolve, 100)
			})
			if (attempts(test.app()) !== count) test.aheadMs += 3_000 * 3 ** count
			const healed = await test.until((app) => attempts(app) === count && isSynced(app))
			expect(healed.status?.sync?.status).toBe('Synced')
			expect(await test.cluster.get(ref)).toBeDefined()
		}
	})

	it('leaves a change alone without selfHeal, and says OutOfSync', async () => {
		const spec = { syncPolicy: { automated: { prune: true } } }
		const test = await start(application(spec), loaded([configMap('one')]))
		await test.until(isSynced)
		const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'demo' }
		await test.cluster.patch(ref, { data: { key: 'edited' } })
		await test.until((app) => app.status?.sync?.status === 'OutOfSync')
		expect((await test.cluster.get(ref))?.['data']).toEqual({ key: 'edited' })
	})

	it('does not call its own findings those of the repo-server', async () => {
		const error = "failed to unmarshal manifests for source 1 of 1: Object 'Kind' is missing in '{…}'"
		const test = await start(application(), { ok: false, error })
		const failed = await test.until((app) => (app.status?.conditions ?? []).length > 0)
		expect(failed.status?.conditions?.[0]?.message).toBe(`Failed to load target state: ${error}`)
	})

	it('reports a failing source as ComparisonError, leaves health alone, and recovers', async () => {
		const error = 'rpc error: code = Unknown desc = expected only a single oci content layer, got 0'
		const test = await start(application(), { ok: false, error })
		const failed = await test.until((app) => (app.status?.conditions ?? []).length > 0)
		expect(failed.status?.sync?.status).toBe('Unknown')
		expect(failed.status?.health?.status).toBe('Healthy')
		expect(failed.status?.operationState).toBeUndefined()
		expect(failed.status?.conditions).toMatchObject([
			{
				type: 'ComparisonError',
				message: `Failed to load target state: failed to generate manifest for source 1 of 1: ${error}`,
			},
		])
		const since = failed.status?.conditions?.[0]?.lastTransitionTime
		await test.refresh('hard')
		const again = await test.until(
			(app) => app.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined,
		)
		expect(again.status?.conditions?.[0]?.lastTransitionTime).toBe(since)
		test.answer = loaded([configMap('one')])
		await test.refresh()
		const app = await test.until(isSynced)
		expect(app.status?.conditions).toEqual([])
	})

	it('refuses what the project does not allow', async () => {
		const test = await start(application({ project: 'none' }), loaded([]))
		const app = await test.until((each) => (each.status?.conditions ?? []).length > 0)
		expect(app.status?.sync?.status).toBe('Unknown')
		expect(app.status?.conditions).toMatchObject([
			{
				type: 'InvalidSpecError',
				message: 'Application referencing project none which does not exist',
			},
		])
	})

	it('is Synced and Healthy with nothing to deploy, without an operation', async () => {
		const test = await start(application(), loaded([]))
		const app = await test.until((each) => each.status?.sync?.status === 'Synced')
		expect(app.status?.health?.status).toBe('Healthy')
		expect(app.status?.operationState).toBeUndefined()
		expect(app.status?.resources).toEqual([])
	})

	it('tries an unknown kind again and again', async () => {
		const nope = { apiVersion: 'nope.example/v1', kind: 'Nope', metadata: { name: 'x' } }
		const test = await start(application(), loaded([nope]))
		const app = await test.until((each) => /attempt #1/.test(each.status?.operationState?.message ?? ''))
		expect(app.status?.operationState?.message).toMatch(
			/^one or more synchronization tasks are not valid: failed to discover server resources for group version nope\.example\/v1: the server could not find the requested resource\. Retrying attempt #1 at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.$/,
		)
		expect(app.status?.operationState?.phase).toBe('Running')
		expect(app.status?.sync?.status).toBe('OutOfSync')
		expect(app.status?.health?.status).toBe('Missing')
	})

	it('waits for a hook, runs waves in order, and deletes the hook as its policy says', async () => {
		const job: KubeObject = {
			apiVersion: 'batch/v1',
			kind: 'Job',
			metadata: {
				name: 'before',
				annotations: {
					'argocd.argoproj.io/hook': 'PreSync',
					'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
				},
			},
			spec: {},
		}
		const later = configMap('later', {}, { annotations: { 'argocd.argoproj.io/sync-wave': '1' } })
		const test = await start(application(), loaded([later, configMap('first'), job]))
		const waiting = await test.until((app) =>
			/completion of hook/.test(app.status?.operationState?.message ?? ''),
		)
		expect(waiting.status?.operationState?.message).toBe('waiting for completion of hook batch/Job/before')
		expect((await test.cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' })).items).toEqual([])
		await test.cluster.patch(
			{ apiVersion: 'batch/v1', kind: 'Job', name: 'before', namespace: 'demo' },
			{ status: { conditions: [{ type: 'Complete', status: 'True' }] } },
		)
		const app = await test.until(isSynced)
		const results = app.status?.operationState?.syncResult?.resources ?? []
		expect(results.map((each) => each.name).filter((name) => name !== 'demo')).toEqual([
			'before',
			'first',
			'later',
		])
		expect((await test.cluster.list({ apiVersion: 'batch/v1', kind: 'Job' })).items).toEqual([])
	})

	it('will not wipe out everything by itself', async () => {
		const test = await start(application(), loaded([configMap('one')]))
		await test.until(isSynced)
		test.answer = loaded([], DIGEST_B)
		await test.refresh()
		const app = await test.until((each) => (each.status?.conditions ?? []).length > 0)
		expect(app.status?.conditions).toMatchObject([
			{
				type: 'SyncError',
				message: `Skipping sync attempt to [${DIGEST_B}]: auto-sync will wipe out all resources`,
			},
		])
		expect(app.status?.resources).toMatchObject([{ name: 'one', status: 'OutOfSync', requiresPruning: true }])
	})

	it('deletes what it deployed along with the application', async () => {
		const finalizers = ['resources-finalizer.argocd.argoproj.io']
		const test = await start(application({}, { finalizers }), loaded([configMap('one')]))
		await test.until(isSynced)
		await test.cluster.delete({
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'Application',
			name: 'demo',
			namespace: 'argocd',
		})
		for (let turn = 0; turn < 400 && test.app() !== undefined; turn += 1)
			await new Promise((resolve) => {
				setTimeout(resolve, 5)
			})
		expect(test.app()).toBeUndefined()
		expect((await test.cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' })).items).toEqual([])
	})

	it('does a manual operation, and keeps a change of the spec made meanwhile', async () => {
		const test = await start(application({ syncPolicy: {} }), loaded([configMap('one')]))
		await test.until((app) => app.status?.sync?.status === 'OutOfSync')
		expect(test.app().status?.health?.status).toBe('Missing')
		const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', name: 'demo', namespace: 'argocd' }
		await test.cluster.patch(ref, {
			operation: {
				sync: { revision: 'v1', syncOptions: ['CreateNamespace=true'] },
				initiatedBy: { username: 'lading' },
			},
		})
		await test.cluster.patch(ref, { spec: { revisionHistoryLimit: 3 } })
		const app = await test.until(isSynced)
		expect(app.spec.revisionHistoryLimit).toBe(3)
		expect(app.status?.history).toMatchObject([{ initiatedBy: { username: 'lading' } }])
	})

	it('ends a failed apply with the reason, and does not try again without a retry', async () => {
		const test = await start(
			application({ syncPolicy: { automated: {}, retry: { limit: 0 } } }),
			loaded([configMap('one')]),
		)
		test.cluster.refused.add('ConfigMap')
		const app = await test.until((each) => each.status?.operationState?.phase === 'Failed' || isSynced(each))
		expect(app.status?.operationState?.message).toBe('one or more objects failed to apply (dry run)')
		expect(listAt(app.status?.operationState, 'syncResult', 'resources')).toMatchObject([
			{ name: 'one', status: 'SyncFailed', message: 'ConfigMap is invalid' },
		])
		const after = await test.until((each) => (each.status?.conditions ?? []).length > 0)
		expect(after.status?.conditions).toMatchObject([
			{
				type: 'SyncError',
				message: `Failed last sync attempt to [${DIGEST_A}]: one or more objects failed to apply (dry run)`,
			},
		])
	})
})
