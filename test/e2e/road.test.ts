import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, processesWith, type Project } from './program.ts'

const DIGEST = /^localhost:\d+\/oci-demo-app@(sha256:[a-f0-9]{64})$/

function edit(project: Project, from: string, to: string): void {
	const path = join(project.directory, 'sample-manifests/deployment.yaml')
	const text = readFileSync(path, 'utf8')
	expect(text).toContain(from)
	writeFileSync(path, text.replace(from, to))
}

describe.sequential('the road', () => {
	let project: Project

	beforeAll(() => {
		project = createProject()
	})
	afterAll(async () => {
		await project.remove()
	})

	const digestOf = (line: string): string => DIGEST.exec(line)?.[1] ?? `no digest in ${line}`
	const application = async (): Promise<Record<string, unknown>> => {
		const { applications } = await project.json('status', 'oci-demo-app')
		expect(applications).toHaveLength(1)
		return (applications as Record<string, unknown>[])[0] ?? {}
	}

	it('up brings the sample to Synced and Healthy at the pushed digest', async () => {
		const ended = await project.run('up')
		expect(ended.stderr).toContain('✓')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stdout).toContain('lading push')
		const app = await application()
		expect(app).toMatchObject({ sync: 'Synced', health: 'Healthy', targetRevision: 'v1.0.0' })
		expect(app.revision).toMatch(/^sha256:/)
		expect(ended.stdout).toContain(String(app.revision))
	})

	it('up again changes nothing and says so', async () => {
		const before = await application()
		const ended = await project.run('up')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stdout).toContain('Nothing to do')
		expect(await application()).toEqual(before)
	})

	it('an unchanged push says so and moves nothing', async () => {
		const ended = await project.run('push', 'sample-manifests', 'oci-demo-app:v1.0.0')
		expect(ended.code).toBe(0)
		expect(ended.stdout.trim().split('\n')).toHaveLength(1)
		expect(digestOf(ended.stdout.trim())).toBe((await application()).revision)
		expect(ended.stderr).toContain('unchanged')
	})

	it('a version that exists is not overwritten', async () => {
		edit(project, 'replicas: 2', 'replicas: 3')
		const ended = await project.run('push', 'sample-manifests', 'oci-demo-app:v1.0.0')
		expect(ended.code).toBe(1)
		expect(ended.stdout).toBe('')
		expect(ended.stderr).toContain('--force')
		const up = await project.run('up')
		expect(up.code).toBe(1)
	})

	it('a new version is pushed, compared and synchronised', async () => {
		const digest = digestOf(await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.1.0'))
		const diff = await project.run('diff', 'oci-demo-app:v1.0.0', 'oci-demo-app:v1.1.0')
		expect(diff.code).toBe(1)
		expect(diff.stdout).toMatch(/Deployment.*oci-demo-app/)
		expect(diff.stdout).toContain('spec.replicas')
		expect((await project.run('diff', 'oci-demo-app:v1.1.0', 'sample-manifests')).code).toBe(0)
		await project.ok('sync', 'oci-demo-app', 'v1.1.0')
		expect(await application()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			targetRevision: 'v1.1.0',
			revision: digest,
		})
	})

	it('up does not move it back from what sync has set', async () => {
		const ended = await project.run('up', '--tag', 'v1.1.0')
		expect(ended.code, ended.stderr).toBe(0)
		expect(await application()).toMatchObject({ targetRevision: 'v1.1.0' })
		edit(project, 'replicas: 3', 'replicas: 2')
		await project.ok('up')
		expect(await application()).toMatchObject({ targetRevision: 'v1.1.0' })
		edit(project, 'replicas: 2', 'replicas: 3')
	})

	it('a moving tag is deployed by the push, without a change of the spec', async () => {
		await project.ok('push', 'sample-manifests', 'oci-demo-app:latest')
		await project.ok('deploy', 'oci-demo-app', 'oci-demo-app:latest')
		edit(project, 'replicas: 3', 'replicas: 4')
		const digest = digestOf(await project.ok('push', 'sample-manifests', 'oci-demo-app:latest'))
		// No sync: the push itself has it looked at.
		await expect
			.poll(async () => (await application()).revision, { timeout: 20_000, interval: 200 })
			.toBe(digest)
		expect(await application()).toMatchObject({ targetRevision: 'latest', revision: digest, sync: 'Synced' })
	})

	it('a digest, and a tag with a digest', async () => {
		const digest = digestOf(await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.2.0'))
		await project.ok('deploy', 'oci-demo-app', `oci-demo-app@${digest}`)
		expect(await application()).toMatchObject({ targetRevision: digest, revision: digest })
		await project.ok('deploy', 'oci-demo-app', 'oci-demo-app:v1.2.0', '--pin')
		expect(await application()).toMatchObject({ targetRevision: `v1.2.0@${digest}`, revision: digest })
		// The digest decides; a reader of the tag is told.
		const before = await project.run('deploy', 'oci-demo-app', `oci-demo-app:v1.1.0@${digest}`)
		expect(before.code, before.stderr).toBe(0)
		expect(before.stderr).toMatch(/v1\.1\.0 names sha256:\w+ in the registry; what is deployed is sha256:/)
		await project.ok('deploy', 'oci-demo-app', 'oci-demo-app:v1.2.0', '--pin')
	})

	it('a revision that does not exist is answered with the reason', async () => {
		const ended = await project.run('sync', 'oci-demo-app', 'v9.9.9')
		expect(ended.code).toBe(7)
		expect(ended.stderr).toContain('v9.9.9')
		expect(ended.stderr).toContain('lading tags')
		expect(await application()).toMatchObject({ sync: 'Synced' })
	})

	it('a push that Argo CD would refuse is refused', async () => {
		const path = join(project.directory, 'sample-manifests/broken.yaml')
		writeFileSync(path, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n')
		const ended = await project.run('push', 'sample-manifests', 'oci-demo-app:v2.0.0')
		expect(ended.code).toBe(1)
		expect(ended.stderr).toContain('broken.yaml:')
		expect(await project.ok('tags', 'oci-demo-app')).not.toContain('v2.0.0')
		rmSync(path)
	})

	it('tells the history, and finds nothing wrong', async () => {
		const { history } = await project.json('history', 'oci-demo-app')
		expect((history as unknown[]).length).toBe(3)
		const doctor = await project.run('doctor')
		expect(doctor.code, doctor.stdout + doctor.stderr).toBe(0)
	})

	it('survives kill -9 of everything', async () => {
		const before = await application()
		for (const line of processesWith(join(project.directory, '.lading')))
			process.kill(Number(line.split(' ')[0]), 'SIGKILL')
		const broken = await project.run('tags', 'oci-demo-app')
		expect(broken.code).toBe(6)
		expect(broken.stderr).toContain('lading')
		await project.ok('up')
		expect(await project.ok('tags', 'oci-demo-app')).toContain('v1.2.0')
		expect(await application()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			revision: before.revision,
		})
	})

	it('undeploy removes the Application and what it deployed', async () => {
		await project.ok('undeploy', 'oci-demo-app')
		expect((await project.run('status', 'oci-demo-app')).code).toBe(7)
		edit(project, 'replicas: 4', 'replicas: 2')
		await project.ok('up')
		expect(await application()).toMatchObject({ targetRevision: 'v1.0.0', sync: 'Synced' })
	})

	it('down removes everything it made', async () => {
		const ended = await project.run('down')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stdout + ended.stderr).toMatch(/\d+ artifacts?/)
		expect(processesWith(join(project.directory, '.lading'))).toEqual([])
		expect(existsSync(join(project.directory, '.lading'))).toBe(false)
		const again = await project.run('down')
		expect(again.code).toBe(0)
	})
})
