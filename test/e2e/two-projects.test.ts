import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, lading, type Project } from './program.ts'

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

it('doctor gives the password in a Secret to no registry that only the cluster names', async () => {
	const home = createProject()
	const guest = createProject({ empty: true })
	try {
		await home.ok('up', '--cluster', 'sandbox')
		const deploy = ['deploy', 'oci-demo-app', 'oci-demo-app:v1.0.0', '--no-wait', '--username', 'ann']
		await lading([...deploy, '--password-stdin'], { cwd: home.directory, input: 's3cret' })
		const kubeconfig = join(home.directory, '.lading/kubeconfig')
		const cluster = ['--cluster', 'context:lading-sandbox', '--kubeconfig', kubeconfig]
		const { stdout } = await guest.run('doctor', 'oci-demo-app', ...cluster, '--json')
		const { findings } = JSON.parse(stdout) as { findings: { check: string }[] }
		expect(findings.filter(({ check }) => check === 'repository-secret')).toEqual([
			expect.objectContaining({
				status: 'skipped',
				why: expect.stringContaining('only the ConfigMap local-registry-hosting'),
			}),
		])
	} finally {
		await guest.remove()
		await home.remove()
	}
}, 60_000)
