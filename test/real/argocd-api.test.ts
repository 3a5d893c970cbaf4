import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createArgocdClient, parseArgocdAddress } from '../../src/argocd-api/index.ts'
import { connectCluster, PatchType } from '../../src/cluster/index.ts'
import { type Argocd, createClusterArgocd, createServerArgocd } from '../../src/sync/index.ts'
import { argocdContract, type ContractSubject } from '../contract/argocd.ts'
import type { Project } from '../e2e/program.ts'
import { until } from './road.ts'
import { onRealStackAlone, writeSample } from './stack/index.ts'

onRealStackAlone('Argo CD by its own API', (stack) => {
	const { tls, auth } = stack.registries
	const address = `argocd:${stack.argocd.url.replace('https://', '')}`
	const cluster = ['--cluster', address, '--argocd-ca', stack.argocd.caPath]
	const ca = readFileSync(tls.caPath ?? '', 'utf8')

	const clientOf = (token: string): ReturnType<typeof createArgocdClient> =>
		createArgocdClient({
			server: parseArgocdAddress(stack.argocd.url),
			token,
			ca: readFileSync(stack.argocd.caPath, 'utf8'),
		})
	const projectOf = (token: string): Project =>
		stack.project({ ARGOCD_AUTH_TOKEN: token, SSL_CERT_FILE: tls.caPath ?? '' })
	/** Pushes `name` at each of the tags, each with content of its own. */
	const push = async (project: Project, name: string, ...tags: readonly string[]): Promise<void> => {
		for (const tag of tags) {
			writeSample(join(project.directory, 'manifests'), { name, version: tag })
			await project.ok('push', 'manifests', `${tls.host}/${name}:${tag}`, ...tls.flags)
		}
	}

	beforeAll(async () => {
		// Other files have made it trust other CAs under this address, to which its API adds none.
		const name = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'argocd', name: 'argocd-tls-certs-cm' }
		const nothing = { data: { '127.0.0.1': null } }
		await (await stack.api()).patch(name, nothing, { type: PatchType.merge })
		await until(
			() => clientOf(stack.argocd.token).json({ path: 'v1/certificates' }),
			(list) => !JSON.stringify(list).includes('"127.0.0.1"'),
		)
		await projectOf(stack.argocd.token).ok('trust', tls.host, ...tls.flags, ...cluster)
	})

	/** A subject of the contract with two versions in its repository. */
	const subjectOf = async (name: string, argocd: Argocd): Promise<ContractSubject> => {
		await push(projectOf(stack.argocd.token), name, 'v1', 'v2')
		const { namespace } = stack.argocd
		const repoURL = `oci://${tls.host}/${name}`
		return { argocd, namespace, repoURL, host: `${name}.example.com`, ca, close: () => Promise.resolve() }
	}
	argocdContract('the real Argo CD by its objects', async () => {
		const { kubeconfig, context } = stack.kubernetes
		return await subjectOf(
			'contract-objects',
			createClusterArgocd(await connectCluster({ kubeconfig, context })),
		)
	})
	argocdContract('the real Argo CD by its API', async () => {
		return await subjectOf('contract-api', createServerArgocd(clientOf(stack.argocd.token)))
	})

	describe.sequential('the commands', () => {
		const app = 'by-api'
		let project: Project
		const revisionOf = async (): Promise<unknown> => {
			const { applications } = await project.json('status', app, ...cluster)
			return (applications as { targetRevision: string }[])[0]?.targetRevision
		}

		beforeAll(async () => {
			project = projectOf(stack.argocd.token)
			await push(project, app, 'v1', 'v2')
		})

		it('deploy, sync, history and rollback', async () => {
			const deployed = await project.json('deploy', app, `${tls.host}/${app}:v1`, ...tls.flags, ...cluster)
			expect(deployed.deploy).toMatchObject({ changed: true, sync: { sync: 'Synced', health: 'Healthy' } })
			await project.ok('sync', app, 'v2', ...tls.flags, ...cluster)
			const { history } = await project.json('history', app, ...tls.flags, ...cluster)
			expect(history).toMatchObject([
				{ tags: ['v2'], current: true },
				{ tags: ['v1'], current: false },
			])
			const back = await project.json('rollback', app, ...tls.flags, ...cluster)
			const { digest } = back.rollback as { digest: string }
			expect(back.rollback).toMatchObject({
				outcome: 'moved',
				// A push moves `v1`, which is no full version.
				targetRevision: `v1@${digest}`,
				sync: { sync: 'Synced' },
			})
			expect(await revisionOf()).toBe(`v1@${digest}`)
		})

		it('rolls back a moving tag under auto-sync, which Argo CD itself refuses', async () => {
			await push(project, app, 'latest')
			await project.ok('sync', app, 'latest', ...tls.flags, ...cluster)
			const refused = clientOf(stack.argocd.token).json({
				method: 'POST',
				path: `v1/applications/${app}/rollback`,
				body: { name: app, id: 0 },
			})
			await expect(refused).rejects.toThrow(/auto-sync is enabled/)
			writeSample(join(project.directory, 'manifests'), { name: app, version: 'newer' })
			await project.ok('push', 'manifests', `${tls.host}/${app}:latest`, ...tls.flags, ...cluster)
			await project.ok('sync', app, ...tls.flags, ...cluster)
			const back = await project.json('rollback', app, ...tls.flags, ...cluster)
			const { targetRevision, digest } = back.rollback as { targetRevision: string; digest: string }
			expect(targetRevision).toBe(`latest@${digest}`)
		})

		it('a revision that is not there is refused, and the running one stays', async () => {
			const before = await revisionOf()
			const argocd = createServerArgocd(clientOf(stack.argocd.token))
			const ref = { name: app, namespace: stack.argocd.namespace }
			await expect(argocd.applications.setRevision(ref, 'v9')).rejects.toMatchObject({
				code: 'SYNC_FAILED',
				message: expect.stringContaining('stays as it is'),
			})
			expect(await revisionOf()).toBe(before)
		})

		it('doctor tells the version and the account', async () => {
			const ended = await project.run('doctor', app, ...tls.flags, ...cluster)
			expect(ended.stdout, ended.stderr).toMatch(/Argo CD v3\.6\.1\S*, as robot/)
		})

		it('an argocd-server that restarts during a sync is waited for', async () => {
			const controller = stack.process('application-controller')
			await controller.pause()
			const syncing = project.run('sync', app, 'v2', ...tls.flags, ...cluster)
			try {
				const argocd = createServerArgocd(clientOf(stack.argocd.token))
				const ref = { name: app, namespace: stack.argocd.namespace }
				for await (const state of argocd.applications.watch(ref)) {
					if (state?.spec.source?.targetRevision === 'v2') break
				}
				await stack.process('server').restart()
			} finally {
				await controller.resume()
			}
			const ended = await syncing
			expect(ended.code, ended.stderr).toBe(0)
			const path = '{.status.sync.status} {.status.health.status} {.status.sync.revision}'
			const get = ['get', 'application', app, '-n', stack.argocd.namespace, '-o', `jsonpath=${path}`]
			const seen = await stack.kubectl(...get)
			expect(seen).toMatch(/^Synced Healthy sha256:/)
			expect(ended.stdout).toContain(`at v2 (${seen.split(' ')[2]})`)
		})

		it('undeploy removes the Application, what it deployed and its repository', async () => {
			await project.ok('undeploy', app, ...cluster)
			expect(await stack.kubectl('get', 'deployments', '-n', app, '-o', 'name')).toBe('')
			const argocd = createServerArgocd(clientOf(stack.argocd.token))
			expect(await argocd.repositories.find(`oci://${tls.host}/${app}`)).toBeUndefined()
		})
	})

	it('up pushes and deploys, and the second time does nothing', async () => {
		const project = projectOf(stack.argocd.token)
		writeSample(join(project.directory, 'manifests'), { name: 'up-by-api' })
		const args = ['up', 'manifests', '--name', 'up-by-api', '--registry', tls.host, ...tls.flags, ...cluster]
		const first = await project.json(...args)
		expect(first.up).toMatchObject({ changed: true, targetRevision: 'latest' })
		expect((await project.json(...args)).up).toMatchObject({ changed: false })
		expect(await project.ok(...args)).not.toContain('kubectl')
		expect(await stack.kubectl('get', 'deployments', '-n', 'up-by-api', '-o', 'name')).not.toBe('')
		await project.ok('undeploy', 'up-by-api', ...cluster)
		expect(await stack.kubectl('get', 'deployments', '-n', 'up-by-api', '-o', 'name')).toBe('')
	})

	describe.sequential('a role of a project', () => {
		const app = 'team-app'
		let project: Project

		beforeAll(async () => {
			const policies = [
				'applications, *, team/*',
				'repositories, get, team/*',
				'repositories, create, team/*',
				'repositories, update, team/*',
				'repositories, delete, team/*',
			].map((each) => `p, proj:team:ci, ${each}, allow`)
			await stack.apply({
				apiVersion: 'argoproj.io/v1alpha1',
				kind: 'AppProject',
				metadata: { name: 'team', namespace: stack.argocd.namespace },
				spec: {
					sourceRepos: ['*'],
					destinations: [{ server: '*', namespace: '*' }],
					clusterResourceWhitelist: [{ group: '*', kind: '*' }],
					roles: [
						{ name: 'ci', policies },
						{ name: 'guest', policies: ['p, proj:team:guest, applications, get, team/*, allow'] },
					],
				},
			})
			project = projectOf(await tokenOf('ci'))
			await push(project, app, 'v1', 'v2')
		})
		const tokenOf = async (role: string): Promise<string> => {
			const path = `v1/projects/team/roles/${role}/token`
			const body = { project: 'team', role, expiresIn: 3600 }
			const answer = await clientOf(stack.argocd.token).json({ method: 'POST', path, body })
			return (answer as { token: string }).token
		}

		it('deploys into its project, with a repository of the project, and takes it away again', async () => {
			const { username = '', password = '' } = auth
			const reference = `${auth.host}/${app}:v1`
			writeSample(join(project.directory, 'manifests'), { name: app })
			const withCredentials = stack.project({
				ARGOCD_AUTH_TOKEN: await tokenOf('ci'),
				LADING_USERNAME: username,
				LADING_PASSWORD: password,
			})
			writeSample(join(withCredentials.directory, 'manifests'), { name: app })
			await withCredentials.ok('push', 'manifests', reference, ...auth.flags)
			await withCredentials.ok('deploy', app, reference, '--project', 'team', ...auth.flags, ...cluster)
			await withCredentials.ok('undeploy', app, ...cluster)
			const argocd = createServerArgocd(clientOf(stack.argocd.token))
			expect(await argocd.repositories.find(`oci://${auth.host}/${app}`)).toBeUndefined()
		})

		it('may not deploy into another project, and not move what it only sees', async () => {
			const other = await project.run(
				'deploy',
				'elsewhere',
				`${tls.host}/${app}:v1`,
				...tls.flags,
				...cluster,
			)
			expect(other.code).toBe(4)
			expect(other.stderr).toContain('applications, create, default/elsewhere, allow')
			await project.ok('deploy', app, `${tls.host}/${app}:v1`, '--project', 'team', ...tls.flags, ...cluster)
			const guest = projectOf(await tokenOf('guest'))
			await guest.ok('status', app, ...cluster)
			const moved = await guest.run('sync', app, 'v2', ...tls.flags, ...cluster)
			expect(moved.code).toBe(4)
			expect(moved.stderr).toContain('applications, update, team/team-app, allow')
			await project.ok('undeploy', app, ...cluster)
		})

		it('a token that Argo CD does not know ends with 4', async () => {
			const ended = await projectOf(`${stack.argocd.token.slice(0, -4)}AAAA`).run('status', app, ...cluster)
			expect(ended.code).toBe(4)
			expect(ended.stderr).toContain('ARGOCD_AUTH_TOKEN')
		})
	})
})
