import { appendFileSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ServerResponse } from '../../http/server/index.ts'
import { at, fieldsOf, listAt, textAt, type Fields } from './fields.ts'
import { openSandbox, sandboxKubeconfig, type Sandbox } from './index.ts'

const TOKEN = 'token'

let directory: string
let sandbox: Sandbox
let faults: unknown[]

async function open(): Promise<Sandbox> {
	return openSandbox({
		directory,
		token: TOKEN,
		instance: 'me',
		delays: { startMs: 0, readyMs: 0, stopMs: 0 },
		onFault: (error) => void faults.push(error),
	})
}

beforeEach(async () => {
	faults = []
	directory = join(await mkdtemp(join(tmpdir(), 'lading-')), 'sandbox')
	sandbox = await open()
})

afterEach(async () => {
	await sandbox.close()
	await rm(join(directory, '..'), { recursive: true, force: true })
	// oxlint-disable-next-line vitest/no-standalone-expect -- a control loop that fails fails its test
	expect(faults).toEqual([])
})

interface CallOptions {
	readonly body?: unknown
	readonly headers?: Readonly<Record<string, string>>
	readonly signal?: AbortSignal
}

async function send(method: string, url: string, options: CallOptions = {}): Promise<ServerResponse> {
	const { pathname, searchParams } = new URL(url, 'https://sandbox')
	const bytes =
		options.body === undefined
			? undefined
			: Buffer.from(typeof options.body === 'string' ? options.body : JSON.stringify(options.body))
	return sandbox.handler({
		method,
		path: pathname,
		query: searchParams,
		headers: { authorization: `Bearer ${TOKEN}`, ...options.headers },
		body: (async function* () {
			if (bytes) yield bytes
		})(),
		signal: options.signal ?? new AbortController().signal,
		remoteAddress: '127.0.0.1',
		scheme: 'https',
	})
}

async function call(
	method: string,
	url: string,
	options?: CallOptions,
): Promise<Fields & { readonly http: number }> {
	const answer = await send(method, url, options)
	return { ...fieldsOf(JSON.parse(answer.body as string)), http: answer.status }
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

function configMap(name: string, data: Fields = { a: '1' }): Fields {
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}

function deployment(name: string, image = 'nginx:1.29'): Fields {
	const labels = { app: name }
	const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } }
	return {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name },
		spec: { replicas: 2, selector: { matchLabels: labels }, template },
	}
}

const patchAs = (type: string): { readonly headers: Readonly<Record<string, string>> } => ({
	headers: { 'content-type': type },
})

/** Looks again after each turn of the event loop, until the test's own time-out. */
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
	while (true) {
		const found = await look()
		if (found !== undefined) return found
		await turn()
	}
}

async function available(name: string, replicas = 2): Promise<Fields> {
	return eventually(async () => {
		const found = await call('GET', `${DEPLOYMENTS}/${name}`)
		const settled = at(found, 'status', 'observedGeneration') === at(found, 'metadata', 'generation')
		const counts = ['replicas', 'updatedReplicas', 'availableReplicas'].map((field) =>
			at(found, 'status', field),
		)
		return settled && counts.every((count) => count === replicas) ? found : undefined
	})
}

describe('the door', () => {
	it('tells who it is to anybody, and nothing else without the token', async () => {
		const live = await send('GET', '/livez', { headers: { authorization: '' } })
		expect(live).toMatchObject({ status: 200, body: 'ok', headers: { 'x-lading-instance': 'me' } })
		for (const authorization of ['', 'Bearer wrong', 'Bearer ', `Basic ${TOKEN}`]) {
			const answer = await call('GET', '/api/v1/pods', { headers: { authorization } })
			expect(answer).toMatchObject({ http: 401, kind: 'Status', reason: 'Unauthorized' })
		}
	})

	it('writes a kubeconfig with one context', () => {
		const text = sandboxKubeconfig({ server: 'https://127.0.0.1:1', caPem: 'PEM', token: 'secret: "x"' })
		expect(text).toContain('current-context: lading-sandbox')
		expect(text).toContain(String.raw`token: "secret: \"x\""`)
	})

	it('refuses bodies that are too large, broken or of another type', async () => {
		expect(
			await call('POST', CONFIG_MAPS, { body: configMap('big', { a: 'x'.repeat(3 * 1024 * 1024) }) }),
		).toMatchObject({ http: 413 })
		expect(await call('POST', CONFIG_MAPS, { body: '{' })).toMatchObject({ http: 400, reason: 'BadRequest' })
		expect(await call('POST', CONFIG_MAPS, { body: 'x', ...patchAs('application/cbor') })).toMatchObject({
			http: 415,
		})
		const malformed = await call('POST', CONFIG_MAPS, {
			body: 'k8s\u0000\u000a\u00ff',
			...patchAs('application/vnd.kubernetes.protobuf'),
		})
		expect(malformed).toMatchObject({ http: 400 })
	})
})

describe('objects', () => {
	it('are created, read, replaced with optimistic concurrency, and deleted', async () => {
		const created = await call('POST', CONFIG_MAPS, { body: configMap('one') })
		expect(created).toMatchObject({ http: 201, metadata: { name: 'one', namespace: 'default' } })
		expect(await call('POST', CONFIG_MAPS, { body: configMap('one') })).toMatchObject({
			http: 409,
			reason: 'AlreadyExists',
		})
		const { http: _, ...body } = created
		const replaced = await call('PUT', `${CONFIG_MAPS}/one`, { body: { ...body, data: { a: '2' } } })
		expect(replaced).toMatchObject({ http: 200, data: { a: '2' } })
		expect(await call('PUT', `${CONFIG_MAPS}/one`, { body })).toMatchObject({ http: 409, reason: 'Conflict' })
		expect(await call('DELETE', `${CONFIG_MAPS}/one`)).toMatchObject({ http: 200, status: 'Success' })
		expect(await call('GET', `${CONFIG_MAPS}/one`)).toMatchObject({
			http: 404,
			reason: 'NotFound',
			message: 'configmaps "one" not found',
		})
	})

	it('need a namespace that exists, a name that is one, and known fields', async () => {
		expect(
			await call('POST', '/api/v1/namespaces/none/configmaps', { body: configMap('one') }),
		).toMatchObject({ http: 404, message: 'namespaces "none" not found' })
		expect(await call('POST', CONFIG_MAPS, { body: configMap('Not_A_Name') })).toMatchObject({
			http: 422,
			reason: 'Invalid',
		})
		const odd = { ...configMap('odd'), dataa: {} }
		expect(await call('POST', `${CONFIG_MAPS}?fieldValidation=Strict`, { body: odd })).toMatchObject({
			http: 400,
			message: 'strict decoding error: unknown field "dataa"',
		})
		const warned = await send('POST', `${CONFIG_MAPS}?fieldValidation=Warn`, { body: odd })
		expect(warned.headers?.['warning']).toEqual([String.raw`299 - "unknown field \"dataa\""`])
	})

	it('are not touched by a dry run', async () => {
		expect(await call('POST', `${CONFIG_MAPS}?dryRun=All`, { body: configMap('dry') })).toMatchObject({
			http: 201,
		})
		expect(await call('GET', `${CONFIG_MAPS}/dry`)).toMatchObject({ http: 404 })
	})

	it('wait for their finalizers', async () => {
		await call('POST', CONFIG_MAPS, {
			body: { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } },
		})
		expect(textAt(await call('DELETE', `${CONFIG_MAPS}/held`), 'metadata', 'deletionTimestamp')).toBeDefined()
		await call('PATCH', `${CONFIG_MAPS}/held`, {
			body: { metadata: { finalizers: null } },
			...patchAs('application/merge-patch+json'),
		})
		expect(await call('GET', `${CONFIG_MAPS}/held`)).toMatchObject({ http: 404 })
	})

	it('are patched in three ways', async () => {
		await call('POST', CONFIG_MAPS, { body: configMap('one') })
		const url = `${CONFIG_MAPS}/one`
		await call('PATCH', url, {
			body: [{ op: 'add', path: '/data/b', value: '2' }],
			...patchAs('application/json-patch+json'),
		})
		await call('PATCH', url, { body: { data: { a: null } }, ...patchAs('application/merge-patch+json') })
		const last = await call('PATCH', url, {
			body: { data: { c: '3' } },
			...patchAs('application/strategic-merge-patch+json'),
		})
		expect(last['data']).toEqual({ b: '2', c: '3' })
	})

	it('are applied, and conflicts named', async () => {
		const apply = (
			manager: string,
			value: string,
			force = false,
		): Promise<Fields & { readonly http: number }> =>
			call('PATCH', `${CONFIG_MAPS}/applied?fieldManager=${manager}&force=${force}`, {
				body: configMap('applied', { a: value }),
				...patchAs('application/apply-patch+yaml'),
			})
		expect(await apply('one', '1')).toMatchObject({ http: 201 })
		expect(await apply('two', '2')).toMatchObject({
			http: 409,
			reason: 'Conflict',
			message: expect.stringContaining('.data.a'),
		})
		expect(await apply('two', '2', true)).toMatchObject({ http: 200, data: { a: '2' } })
	})

	it('are listed by selector and in pages', async () => {
		for (const name of ['a', 'b', 'c']) {
			await call('POST', CONFIG_MAPS, {
				body: { ...configMap(name), metadata: { name, labels: { tier: name } } },
			})
		}
		const named = async (query: string): Promise<unknown[]> =>
			listAt(await call('GET', `${CONFIG_MAPS}?${query}`), 'items').map((item) =>
				textAt(item, 'metadata', 'name'),
			)
		expect(await named(`labelSelector=${encodeURIComponent('tier in (a,c)')}`)).toEqual(['a', 'c'])
		expect(await named(`labelSelector=${encodeURIComponent('tier,tier!=a')}`)).toEqual(['b', 'c'])
		expect(await named('fieldSelector=metadata.name%3Db')).toEqual(['b'])
		expect(await call('GET', `${CONFIG_MAPS}?fieldSelector=data.a%3D1`)).toMatchObject({ http: 400 })
		const page = await call('GET', `${CONFIG_MAPS}?limit=2`)
		expect(listAt(page, 'items')).toHaveLength(2)
		expect(await named(`limit=2&continue=${textAt(page, 'metadata', 'continue') ?? ''}`)).toEqual(['c'])
	})
})

describe('watch', () => {
	async function events(url: string, count: number): Promise<Fields[]> {
		const stop = new AbortController()
		const answer = await send('GET', url, { signal: stop.signal })
		const found: Fields[] = []
		for await (const line of answer.body as AsyncIterable<string>) {
			found.push(fieldsOf(JSON.parse(line)))
			if (found.length === count) stop.abort()
		}
		return found
	}

	it('resumes after a resource version, and says when it is too old', async () => {
		const start = textAt(await call('GET', CONFIG_MAPS), 'metadata', 'resourceVersion') ?? ''
		await call('POST', CONFIG_MAPS, { body: configMap('one') })
		await call('DELETE', `${CONFIG_MAPS}/one`)
		const seen = await events(`${CONFIG_MAPS}?watch=true&resourceVersion=${start}`, 2)
		expect(seen.map((event) => event['type'])).toEqual(['ADDED', 'DELETED'])
		const [old] = await events(`${CONFIG_MAPS}?watch=true&resourceVersion=999999`, 1)
		expect(old).toMatchObject({ type: 'ERROR', object: { code: 410 } })
	})

	it('sends what is there and then a bookmark when asked to', async () => {
		await call('POST', CONFIG_MAPS, { body: configMap('one') })
		const query =
			'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
		const [first, second] = await events(`${CONFIG_MAPS}?${query}`, 2)
		expect(first).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } })
		expect(second).toMatchObject({
			type: 'BOOKMARK',
			object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
		})
	})
})

describe('workloads', () => {
	it('a Deployment owns a ReplicaSet owns pods that become ready', async () => {
		await call('POST', DEPLOYMENTS, { body: deployment('web') })
		const live = await available('web')
		expect(
			listAt(live, 'status', 'conditions').map((each) => [textAt(each, 'type'), textAt(each, 'status')]),
		).toEqual([
			['Available', 'True'],
			['Progressing', 'True'],
		])
		const pods = await call('GET', '/api/v1/namespaces/default/pods', {
			headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
		})
		expect(listAt(pods, 'rows').map((row) => listAt(row, 'cells').slice(1, 4))).toEqual([
			['1/1', 'Running', 0],
			['1/1', 'Running', 0],
		])
	})

	it('a new template rolls to a new ReplicaSet, and is gone with its Deployment', async () => {
		await call('POST', DEPLOYMENTS, { body: deployment('web') })
		await available('web')
		await call('PUT', `${DEPLOYMENTS}/web`, { body: deployment('web', 'nginx:2') })
		await available('web')
		const sets = listAt(await call('GET', '/apis/apps/v1/namespaces/default/replicasets'), 'items')
		expect(sets.map((set) => at(set, 'spec', 'replicas'))).toEqual(expect.arrayContaining([0, 2]))
		await call('DELETE', `${DEPLOYMENTS}/web`)
		await eventually(async () =>
			listAt(await call('GET', '/api/v1/pods'), 'items').length === 0 ? true : undefined,
		)
	})

	it('scales by the subresource, and keeps the selector', async () => {
		await call('POST', DEPLOYMENTS, { body: deployment('web') })
		const scaled = await call('PATCH', `${DEPLOYMENTS}/web/scale`, {
			body: { spec: { replicas: 3 } },
			...patchAs('application/merge-patch+json'),
		})
		expect(scaled).toMatchObject({ http: 200, kind: 'Scale', spec: { replicas: 3 } })
		await available('web', 3)
		const other = deployment('web')
		const moved = {
			...other,
			spec: { ...fieldsOf(other['spec']), selector: { matchLabels: { app: 'web', b: 'c' } } },
		}
		expect(await call('PUT', `${DEPLOYMENTS}/web`, { body: moved })).toMatchObject({ http: 422 })
	})

	it('a malformed image shows as a pod that waits', async () => {
		await call('POST', DEPLOYMENTS, { body: deployment('bad', 'NOT AN IMAGE') })
		const waiting = await eventually(async () => {
			const [pod] = listAt(await call('GET', '/api/v1/namespaces/default/pods'), 'items')
			return textAt(listAt(pod, 'status', 'containerStatuses')[0], 'state', 'waiting', 'reason')
		})
		expect(waiting).toBe('InvalidImageName')
	})

	it('a namespace takes along what is in it', async () => {
		await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'team' } } })
		await call('POST', '/api/v1/namespaces/team/configmaps', { body: configMap('one') })
		await call('DELETE', '/api/v1/namespaces/team')
		await eventually(async () =>
			(await call('GET', '/api/v1/namespaces/team')).http === 404 ? true : undefined,
		)
		expect(await call('GET', '/api/v1/namespaces/team/configmaps/one')).toMatchObject({ http: 404 })
	})

	it('answers logs with what the sandbox is', async () => {
		await call('POST', DEPLOYMENTS, { body: deployment('web') })
		await available('web')
		const [pod] = listAt(await call('GET', '/api/v1/namespaces/default/pods'), 'items')
		const answer = await call(
			'GET',
			`/api/v1/namespaces/default/pods/${textAt(pod, 'metadata', 'name') ?? ''}/log`,
		)
		expect(answer['message']).toContain('this is the lading sandbox: no container runs here')
	})
})

describe('persistence', () => {
	it('has everything again after a restart, with uid and resource version', async () => {
		const { http: _, ...before } = await call('POST', CONFIG_MAPS, { body: configMap('kept') })
		await sandbox.close()
		sandbox = await open()
		expect(await call('GET', `${CONFIG_MAPS}/kept`)).toEqual({ ...before, http: 200 })
		expect((await stat(directory)).mode & 0o777).toBe(0o700)
	})

	it('drops a torn last line and goes on', async () => {
		await call('POST', CONFIG_MAPS, { body: configMap('kept') })
		await sandbox.close()
		appendFileSync(join(directory, 'journal.ndjson'), '{"r":99999,"k":"/configm')
		sandbox = await open()
		expect(await call('GET', `${CONFIG_MAPS}/kept`)).toMatchObject({ http: 200 })
		await call('POST', CONFIG_MAPS, { body: configMap('after') })
		await sandbox.close()
		sandbox = await open()
		expect(await call('GET', `${CONFIG_MAPS}/after`)).toMatchObject({ http: 200 })
		expect(readFileSync(join(directory, 'journal.ndjson'), 'utf8')).not.toContain('99999')
	})
})

describe('the cluster port', () => {
	it('reads and writes the same objects', async () => {
		const { cluster } = sandbox
		const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'default' }
		expect(await cluster.get(ref)).toBeUndefined()
		await cluster.apply(
			{
				apiVersion: 'v1',
				kind: 'ConfigMap',
				metadata: { name: 'one', namespace: 'default' },
				data: { a: '1' },
			},
			{ fieldManager: 'test' },
		)
		expect(await call('GET', `${CONFIG_MAPS}/one`)).toMatchObject({ data: { a: '1' } })
		const stop = new AbortController()
		const seen: string[] = []
		for await (const event of cluster.watch(ref, { signal: stop.signal, namespace: 'default' })) {
			seen.push(event.type)
			if (event.type === 'RESYNCED') await cluster.delete(ref)
			else stop.abort()
		}
		expect(seen).toEqual(['RESYNCED', 'DELETED'])
		expect(await cluster.delete(ref)).toBe(false)
		await expect(
			cluster.create({ apiVersion: 'none/v1', kind: 'None', metadata: { name: 'x' } }),
		).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})
})
