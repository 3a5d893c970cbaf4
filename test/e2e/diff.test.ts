import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Ended, type Project } from './program.ts'

describe.sequential('diff, with what runs and what has run', () => {
	let project: Project
	const path = (name: string): string => join(project.directory, 'sample-manifests', name)
	const edit = (name: string, from: string | RegExp, to: string): void =>
		writeFileSync(path(name), readFileSync(path(name), 'utf8').replace(from, to))
	const diff = (...args: readonly string[]): Promise<Ended> => project.run('diff', ...args)

	beforeAll(async () => {
		project = createProject()
		writeFileSync(
			path('secret.yaml'),
			'apiVersion: v1\nkind: Secret\nmetadata: {name: access}\nstringData: {password: FIRSTSECRET}\n',
		)
		await project.ok('up')
	})
	afterAll(async () => {
		await project.remove()
	})

	it('finds nothing between what runs and what it was made of: what the server fills in is no difference', async () => {
		for (const args of [
			['live:oci-demo-app', 'sample-manifests'],
			['sample-manifests', 'live:oci-demo-app'],
			['live:oci-demo-app', 'oci-demo-app:v1.0.0'],
			['live:oci-demo-app', 'live:oci-demo-app'],
			['oci-demo-app@0', 'sample-manifests'],
		]) {
			const ended = await diff(...args)
			expect(ended.stdout + ended.stderr).toBe('no difference\n')
			expect(ended.code).toBe(0)
		}
	})

	it('says what a sync would change, images and replicas first', async () => {
		edit('deployment.yaml', /replicas: \d+/, 'replicas: 5')
		edit('secret.yaml', 'FIRSTSECRET', 'SECONDSECRET')
		renameSync(path('service.yaml'), path('renamed.yaml'))
		const ended = await diff('live:oci-demo-app', 'sample-manifests')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stdout.split('\n')).toEqual([
			'~ Deployment.apps oci-demo-app/oci-demo-app',
			'    ~ spec.replicas: 2 → 5',
			'~ Secret oci-demo-app/access',
			'    ~ data.password: "***" → "***"',
			'',
		])
	})

	it.each([['terminal'], ['unified'], ['markdown'], ['json']])(
		'shows no value of a Secret as %s',
		async (format) => {
			for (const [before, after] of [
				['live:oci-demo-app', 'sample-manifests'],
				['sample-manifests', 'oci-demo-app@0'],
				['oci-demo-app@0', 'sample-manifests'],
			] as const) {
				const ended = await diff(before, after, '--format', format)
				expect(ended.code, ended.stderr).toBe(1)
				expect(ended.stdout).toMatch(/password|stringData|data/)
				for (const value of ['FIRSTSECRET', 'SECONDSECRET']) {
					expect(ended.stdout + ended.stderr).not.toContain(value)
					expect(ended.stdout + ended.stderr).not.toContain(Buffer.from(value).toString('base64'))
				}
			}
		},
	)

	it('is one document as json, with either flag', async () => {
		const ended = await diff('live:oci-demo-app', 'sample-manifests', '--format', 'json')
		const document = JSON.parse(ended.stdout) as Record<string, unknown>
		expect(document).toMatchObject({ version: 1, before: 'live:oci-demo-app', after: 'sample-manifests' })
		expect((await diff('live:oci-demo-app', 'sample-manifests', '--json')).stdout).toBe(ended.stdout)
	})

	it('says what comes and goes', async () => {
		rmSync(path('renamed.yaml'))
		writeFileSync(path('new.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n')
		const ended = await diff('live:oci-demo-app', 'sample-manifests')
		expect(ended.stdout).toContain('+ ConfigMap new')
		expect(ended.stdout).toContain('- Service oci-demo-app/oci-demo-app')
	})

	it('compares with the history', async () => {
		await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.1.0')
		await project.ok('sync', 'oci-demo-app', 'v1.1.0')
		expect((await diff('oci-demo-app@1', 'live:oci-demo-app')).stdout).toBe('no difference\n')
		const ended = await diff('oci-demo-app@0', 'oci-demo-app@1', '--format', 'markdown')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stdout).toContain('1 added, 2 changed, 1 removed')
		expect(ended.stdout).toMatch(/\| replicas \| <code>2<\/code> \| <code>5<\/code> \|/)
		const absent = await diff('oci-demo-app@7', 'sample-manifests')
		expect(absent.code).toBe(7)
		expect(absent.stderr).toContain('has no deployment 7')
	})

	it('answers what is wrong with what was asked', async () => {
		expect((await diff('live:nobody', 'sample-manifests')).code).toBe(7)
		expect((await diff('sample-manifests', 'sample-manifests', '--format', 'pdf')).code).toBe(2)
		expect((await diff('sample-manifests', 'sample-manifests', '--format', 'unified', '--json')).code).toBe(2)
		// A directory of that name comes first.
		mkdirSync(join(project.directory, 'live:x'))
		writeFileSync(
			join(project.directory, 'live:x/a.yaml'),
			'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
		)
		expect((await diff('live:x', 'live:x')).code).toBe(0)
	})
})
