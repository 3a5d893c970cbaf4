import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { RemoteError } from '../errors/index.ts'
import { digestOf, emptyContent } from '../oci/index.ts'
import type { PushEvent } from '../registry/server/index.ts'
import { silentProgress } from './progress.ts'
import type { Pushed } from './refresh-in.ts'
import { type PushFollower, refreshOnPush } from './refresh-on-push.ts'
import { UNTOLD_AGENT } from './registries.ts'
import { openWorkspace } from './workspace.ts'

const directory = mkdtempSync(join(tmpdir(), 'lading-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const workspace = openWorkspace(directory)
workspace.update((state) => ({
	...state,
	registry: { kind: 'embedded', endpoint: { push: 'localhost:5000', cluster: 'kind-registry:5000' } },
}))

function push(tag: string | undefined, more: Partial<PushEvent> = {}): PushEvent {
	const digest = digestOf(emptyContent)
	return { repository: 'app', tag, digest, mediaType: 'a/b', size: 2, client: '127.0.0.1', time: 0, ...more }
}

function follow(refresh: (pushed: Pushed) => Promise<readonly string[]>): {
	readonly follower: PushFollower
	readonly log: string[]
} {
	const log: string[] = []
	const follower = refreshOnPush(
		{ workspace, env: {}, progress: silentProgress },
		{
			choice: async () => ({ cluster: 'sandbox' }),
			log: (message) => log.push(message),
			refresh: async (_, pushed) => (await Promise.all(pushed.map(refresh))).flat(),
		},
	)
	return { follower, log }
}

it('tells together what comes together, and only what has a tag and may be told', async () => {
	const told: Pushed[] = []
	const { follower, log } = follow(async (pushed) => {
		told.push(pushed)
		return pushed.reference.repository === 'app' ? ['shop'] : []
	})
	for (const event of [
		push('v1'),
		push('latest'),
		push('v1'),
		push(undefined),
		push('v9', { userAgent: UNTOLD_AGENT }),
	]) {
		follower.onPush(event)
	}
	follower.onPush(push('v1', { repository: 'other' }))
	expect(told).toEqual([])
	await expect.poll(() => told.length).toBe(2)
	expect(told).toMatchObject([
		{ reference: { registry: 'localhost:5000', repository: 'app' }, tags: ['v1', 'latest'] },
		{ reference: { repository: 'other' }, tags: ['v1'] },
	])
	follower.onPush(push('v2'))
	await expect.poll(() => told.length).toBe(3)
	expect(log).toEqual(['after a push to app: refreshed shop', 'after a push to app: refreshed shop'])
	await follower.close()
})

it('only logs what goes wrong, and goes on', async () => {
	let calls = 0
	const { follower, log } = follow(async () => {
		calls++
		throw new RemoteError('CLUSTER_UNREACHABLE', 'the cluster is gone')
	})
	follower.onPush(push('v1'))
	await expect.poll(() => log.length).toBe(1)
	expect(log[0]).toContain('the cluster is gone')
	follower.onPush(push('v1'))
	await expect.poll(() => calls).toBe(2)
	await follower.close()
	follower.onPush(push('v1'))
	await follower.close()
	expect(calls).toBe(2)
})
