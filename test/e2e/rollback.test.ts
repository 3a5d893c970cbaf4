import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Project } from './program.ts'

interface Entry {
	readonly id: number
	readonly revision: string
	readonly targetRevision: string
	readonly current: boolean
}

describe.sequential('rollback', () => {
	let project: Project
	let first = ''
	let second = ''

	const push = async (replicas: number, tag: string): Promise<string> => {
		const path = join(project.directory, 'sample-manifests/deployment.yaml')
		writeFileSync(path, readFileSync(path, 'utf8').replace(/replicas: \d+/, `replicas: ${replicas}`))
		const line = await project.ok('push', 'sample-manifests', `oci-demo-app:${tag}`)
		return /sha256:[0-9a-f]{64}/.exec(line)?.[0] ?? line
	}
	const history = async (): Promise<readonly Entry[]> =>
		(await project.json('history', 'oci-demo-app')).history as Entry[]
	const application = async (): Promise<Record<string, unknown> | undefined> =>
		((await project.json('status', 'oci-demo-app')).applications as Record<string, unknown>[])[0]

	beforeAll(async () => {
		project = createProject()
		await project.ok('up', '--tag', 'latest')
		first = String((await application())?.revision)
	})
	afterAll(async () => {
		await project.remove()
	})

	it('has nowhere to go after one deployment', async () => {
		const ended = await project.run('rollback', 'oci-demo-app')
		expect(ended.code).toBe(7)
		expect(ended.stderr).toContain('no earlier deployment')
	})

	it('pins a moving tag to the artifact of before, and says how to go forward again', async () => {
		second = await push(3, 'latest')
		await project.ok('sync', 'oci-demo-app')
		const ended = await project.run('rollback', 'oci-demo-app')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stderr).toContain('Forward again: lading sync oci-demo-app latest')
		expect(await application()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			revision: first,
			targetRevision: `latest@${first}`,
		})
		expect((await history())[0]).toMatchObject({ revision: first, current: true })
	})

	it('is left alone by a push and by up', async () => {
		const third = await push(4, 'latest')
		expect([first, second]).not.toContain(third)
		await project.ok('up', '--tag', 'latest')
		expect(await application()).toMatchObject({ revision: first, targetRevision: `latest@${first}` })
	})

	it('goes to an entry by its id, its digest and its tag, and says when it is there', async () => {
		const entry = (await history()).find(({ revision }) => revision === second)
		const byId = await project.json('rollback', 'oci-demo-app', '--to', String(entry?.id))
		expect(byId.rollback).toMatchObject({
			outcome: 'moved',
			digest: second,
			targetRevision: `latest@${second}`,
			id: entry?.id,
		})
		const again = await project.json('rollback', 'oci-demo-app', '--to', second.slice(0, 19))
		expect(again.rollback).toMatchObject({ outcome: 'unchanged', digest: second })
		await project.ok('sync', 'oci-demo-app', first)
		await push(2, 'v1.0.0')
		const byTag = await project.json('rollback', 'oci-demo-app', '--to', 'v1.0.0')
		expect(byTag.rollback).toMatchObject({ outcome: 'unchanged', digest: first })
	})

	it('prints the change and makes none', async () => {
		await project.ok('sync', 'oci-demo-app', 'v1.0.0')
		const printed = await project.json('rollback', 'oci-demo-app', '--to', second.slice(0, 15), '--print')
		expect(printed.objects).toMatchObject([{ spec: { source: { targetRevision: `latest@${second}` } } }])
		expect(await application()).toMatchObject({ revision: first, targetRevision: 'v1.0.0' })
	})

	it('pins a moving tag that still names the artifact, so that no push undoes it', async () => {
		const stable = await push(5, 'stable')
		await project.ok('sync', 'oci-demo-app', 'stable')
		await push(6, 'v2.0.0')
		await project.ok('sync', 'oci-demo-app', 'v2.0.0')
		await project.ok('rollback', 'oci-demo-app')
		const pinned = { revision: stable, targetRevision: `stable@${stable}` }
		expect(await application()).toMatchObject(pinned)
		const pushed = await project.json('push', 'sample-manifests', 'oci-demo-app:stable')
		expect(pushed).toMatchObject({ refreshed: [] })
		expect(await application()).toMatchObject(pinned)
	})

	it('leaves a version tag that still names the artifact as it is', async () => {
		const back = await project.json('rollback', 'oci-demo-app')
		expect(back.rollback).toMatchObject({ outcome: 'moved', targetRevision: 'v2.0.0' })
	})

	it('lists the history for an id that is not in it', async () => {
		const ended = await project.run('rollback', 'oci-demo-app', '--to', '99')
		expect(ended.code).toBe(7)
		expect(ended.stderr).toContain('no deployment 99')
		expect(ended.stderr).toContain(second.slice(0, 19))
	})
})
