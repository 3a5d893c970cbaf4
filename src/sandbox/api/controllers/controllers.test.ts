import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PatchType, type Cluster, type KubeObject } from '../../../cluster/index.ts'
import { at, listAt, numberAt, textAt } from '../fields.ts'
import { openSandbox, type Sandbox } from '../index.ts'

let directory: string
let sandbox: Sandbox
let cluster: Cluster
let time: number
let faults: unknown[]

beforeEach(async () => {
	faults = []
	time = Date.parse('2026-01-01T00:00:30Z')
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	sandbox = await openSandbox({
		directory: join(directory, 'sandbox'),
		token: 'token',
		now: () => new Date(time),
		delays: { startMs: 0, readyMs: 0, stopMs: 0 },
		onFault: (error) => void faults.push(error),
	})
	cluster = sandbox.cluster
})

afterEach(async () => {
	await sandbox.close()
	await rm(directory, { recursive: true, force: true })
	// oxlint-disable-next-line vitest/no-standalone-expect -- a control loop that fails fails its test
	expect(faults).toEqual([])
})

/** Looks again after each turn of the event loop, until the test's own time-out. */
async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
	while (true) {
		const found = await look()
		if (found !== undefined && found !== false) return found
		await turn()
	}
}

const ref = (apiVersion: string, kind: string, name: string) => ({
	apiVersion,
	kind,
	name,
	namespace: 'default',
})
const list = async (apiVersion: string, kind: string): Promise<readonly KubeObject[]> =>
	(await cluster.list({ apiVersion, kind }, { namespace: 'default' })).items

const template = (image = 'web:1', labels: Readonly<Record<string, string>> = { app: 'web' }) => ({
	metadata: { labels },
	spec: { containers: [{ name: 'web', image }] },
})

function workload(kind: string, name: string, spec: Readonly<Record<string, unknown>> = {}): KubeObject {
	const selector = { matchLabels: { app: 'web' } }
	return {
		apiVersion: 'apps/v1',
		kind,
		metadata: { name, namespace: 'default' },
		spec: { selector, template: template(), ...spec },
	}
}

describe('CronJobs', () => {
	const cronJob = (spec: Readonly<Record<string, unknown>> = {}): KubeObject => ({
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'tick', namespace: 'default' },
		spec: {
			schedule: '* * * * *',
			jobTemplate: {
				spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:1' }] } } },
			},
			...spec,
		},
	})
	const touch = (note: string): Promise<unknown> =>
		cluster.patch(
			ref('batch/v1', 'CronJob', 'tick'),
			{ metadata: { annotations: { note } } },
			{ type: PatchType.merge },
		)
	/** Lets a minute go by, and whatever hangs on the CronJob look at it. */
	const minute = async (number: number): Promise<void> => {
		time = Date.parse('2026-01-01T00:00:30Z') + number * 60_000
		await touch(String(number))
	}

	it('start a Job that completes, and keep the last three', async () => {
		await cluster.create(cronJob())
		await turn()
		expect(await list('batch/v1', 'Job')).toEqual([])
		const names: string[] = []
		for (let number = 1; number <= 5; number++) {
			await minute(number)
			const name = `tick-${Date.parse('2026-01-01T00:00:00Z') / 60_000 + number}`
			names.push(name)
			await eventually(async () => {
				const job = await cluster.get(ref('batch/v1', 'Job', name))
				return numberAt(job, 'status', 'succeeded') === 1
			})
		}
		const kept = await eventually(async () => {
			const jobs = await list('batch/v1', 'Job')
			return jobs.length <= 3 && jobs.map(({ metadata }) => metadata.name)
		})
		expect(kept).toEqual(names.slice(2))
		const status = at(await cluster.get(ref('batch/v1', 'CronJob', 'tick')), 'status')
		expect(textAt(status, 'lastScheduleTime')).toBe('2026-01-01T00:05:00Z')
		expect(textAt(status, 'lastSuccessfulTime')).toBe('2026-01-01T00:05:30Z')
		expect(at(status, 'active')).toBeUndefined()
	})

	it('start one Job for all the times that were missed, and none when suspended', async () => {
		await cluster.create(cronJob({ suspend: true }))
		await minute(10)
		await turn()
		expect(await list('batch/v1', 'Job')).toEqual([])
		await cluster.patch(
			ref('batch/v1', 'CronJob', 'tick'),
			{ spec: { suspend: false } },
			{ type: PatchType.merge },
		)
		const jobs = await eventually(async () => {
			const found = await list('batch/v1', 'Job')
			return found.length > 0 && found
		})
		expect(jobs).toHaveLength(1)
		expect(jobs[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'tick' }])
	})

	it('need a schedule', async () => {
		await expect(cluster.create(cronJob({ schedule: 'often' }))).rejects.toThrow('is no cron schedule')
	})
})

describe('PodDisruptionBudgets', () => {
	it('count the pods that they protect', async () => {
		const metadata = { name: 'web', namespace: 'default' }
		await cluster.create({
			apiVersion: 'policy/v1',
			kind: 'PodDisruptionBudget',
			metadata,
			spec: { minAvailable: '50%', selector: { matchLabels: { app: 'web' } } },
		})
		await cluster.create(workload('Deployment', 'web', { replicas: 3 }))
		const status = await eventually(async () => {
			const budget = await cluster.get(ref('policy/v1', 'PodDisruptionBudget', 'web'))
			return numberAt(budget, 'status', 'currentHealthy') === 3 && at(budget, 'status')
		})
		expect(status).toMatchObject({ expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 })
	})
})

describe('APIServices', () => {
	it('are available once a pod stands behind their Service', async () => {
		await cluster.create({
			apiVersion: 'apiregistration.k8s.io/v1',
			kind: 'APIService',
			metadata: { name: 'v1.example.com' },
			spec: { group: 'example.com', version: 'v1', service: { name: 'web', namespace: 'default' } },
		})
		const reasons: (string | undefined)[] = []
		const reason = async (): Promise<string | undefined> => {
			const found = await cluster.get(ref('apiregistration.k8s.io/v1', 'APIService', 'v1.example.com'))
			const current = textAt(listAt(found, 'status', 'conditions')[0], 'reason')
			if (current !== undefined && reasons.at(-1) !== current) reasons.push(current)
			return current
		}
		await eventually(async () => (await reason()) === 'ServiceNotFound')
		await cluster.create({
			apiVersion: 'v1',
			kind: 'Service',
			metadata: { name: 'web', namespace: 'default' },
			spec: { selector: { app: 'web' }, ports: [{ port: 443 }] },
		})
		await eventually(async () => (await reason()) === 'MissingEndpoints')
		await cluster.create(workload('Deployment', 'web'))
		await eventually(async () => (await reason()) === 'Passed')
		expect(reasons).toEqual(['ServiceNotFound', 'MissingEndpoints', 'Passed'])
	})
})

describe('ControllerRevisions', () => {
	it.each(['StatefulSet', 'DaemonSet'])('keep what a %s was, the one in use last', async (kind) => {
		await cluster.create(workload(kind, 'web', kind === 'StatefulSet' ? { serviceName: 'web' } : {}))
		const revisions = async (): Promise<readonly (readonly [unknown, unknown])[]> =>
			(await list('apps/v1', 'ControllerRevision'))
				.map((each) => {
					const [container] = listAt(each, 'data', 'spec', 'template', 'spec', 'containers')
					return [numberAt(each, 'revision') ?? 0, textAt(container, 'image')] as const
				})
				.toSorted(([a], [b]) => a - b)
		const use = (image: string): Promise<unknown> =>
			cluster.patch(
				ref('apps/v1', kind, 'web'),
				{ spec: { template: template(image) } },
				{ type: PatchType.merge },
			)
		await eventually(async () => (await revisions()).length === 1)
		await use('web:2')
		await eventually(async () => (await revisions()).length === 2)
		expect(await revisions()).toEqual([
			[1, 'web:1'],
			[2, 'web:2'],
		])
		await use('web:1')
		await eventually(async () => (await revisions()).at(-1)?.[0] === 3)
		expect(await revisions()).toEqual([
			[2, 'web:2'],
			[3, 'web:1'],
		])
	})
})

describe('pods', () => {
	it('have the quality of service that their resources say', async () => {
		const of = async (name: string, resources: unknown): Promise<string | undefined> => {
			const spec = { containers: [{ name: 'a', image: 'a:1', resources }] }
			const metadata = { name, namespace: 'default' }
			const pod = await cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
			return textAt(pod, 'status', 'qosClass')
		}
		const all = { cpu: '1', memory: '1Gi' }
		expect(await of('a', {})).toBe('BestEffort')
		expect(await of('b', { requests: { cpu: '1' } })).toBe('Burstable')
		expect(await of('c', { limits: all })).toBe('Guaranteed')
		expect(await of('d', { limits: all, requests: { cpu: '500m' } })).toBe('Burstable')
	})
})

describe('events', () => {
	it('have names in the order in which things happened', async () => {
		await cluster.create(workload('Deployment', 'web', { replicas: 1 }))
		const reasons = await eventually(async () => {
			const events = await list('v1', 'Event')
			const pods = events.filter((event) => textAt(event, 'involvedObject', 'kind') === 'Pod')
			return pods.length >= 2 && pods.map((event) => textAt(event, 'reason'))
		})
		expect(reasons).toEqual(['Scheduled', 'Started'])
	})
})
