import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Project } from './program.ts'

describe.sequential('a project that deploys to the cluster of another', () => {
	let home: Project
	let guest: Project
	let target: readonly string[] = []

	beforeAll(async () => {
		home = createProject()
		guest = createProject()
		const { up } = (await home.json('up')) as { up: { reference: string } }
		const reference = `${up.reference.split('/')[0]}/guest:v1.0.0`
		mkdirSync(join(guest.directory, 'mine'))
		writeFileSync(
			join(guest.directory, 'mine/a.yaml'),
			'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: guest}\n',
		)
		await guest.ok('push', 'mine', reference, '--ca', join(home.directory, '.lading/ca.crt'), '--no-refresh')
		target = [
			reference,
			'--ca',
			join(home.directory, '.lading/ca.crt'),
			'--cluster-registry',
			'kind-registry:5000',
			'--cluster',
			'context:lading-sandbox',
			'--kubeconfig',
			join(home.directory, '.lading/kubeconfig'),
		]
	})
	afterAll(async () => {
		await guest.remove()
		await home.remove()
	})

	it('down removes what it deployed there, and nothing else', async () => {
		await guest.ok('deploy', 'guest', ...target, '--namespace', 'guest')
		const ended = await guest.run('down')
		expect(ended.code, ended.stderr).toBe(0)
		expect((await home.run('status', 'guest')).code).toBe(7)
		expect((await home.json('status')).applications).toMatchObject([{ name: 'oci-demo-app', sync: 'Synced' }])
	})

	it('down finds it done where somebody was faster', async () => {
		await guest.ok('deploy', 'guest', ...target, '--namespace', 'guest')
		await home.ok('undeploy', 'guest')
		const ended = await guest.run('down')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stderr).toContain('gone')
	})
})
