import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { createRoad, type Road, trustRegistries } from './road.ts'
import { onRealStack, writeKubeconfig } from './stack/index.ts'

const APPLICATIONS = { apiGroups: ['argoproj.io'], resources: ['applications'] }

onRealStack('who the kubeconfig says one is', (stack) => {
	const directory = stack.directory('users')

	/** A kubeconfig with one user and the context `limited`. @returns its path */
	const writeUser = (name: string, user: object): string => {
		const config = {
			apiVersion: 'v1',
			kind: 'Config',
			clusters: [
				{
					name: 'cluster',
					cluster: { server: stack.kubernetes.url, 'certificate-authority': stack.kubernetes.caPath },
				},
			],
			users: [{ name, user }],
			contexts: [{ name: 'limited', context: { cluster: 'cluster', user: name } }],
		}
		const path = join(directory, `${name}.kubeconfig`)
		writeFileSync(path, JSON.stringify(config))
		return path
	}
	const writeScript = (name: string, lines: readonly string[]): string => {
		const path = join(directory, name)
		writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'))
		chmodSync(path, 0o755)
		return path
	}
	const credential = (status: object): string =>
		JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })
	const execUser = (command: string): object => ({
		exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' },
	})
	/** A ServiceAccount that may do this in the namespace of Argo CD. @returns a token of it */
	const account = async (name: string, rules: readonly object[]): Promise<string> => {
		const metadata = { name, namespace: 'argocd' }
		const rbac = 'rbac.authorization.k8s.io'
		await stack.apply(
			{ apiVersion: 'v1', kind: 'ServiceAccount', metadata },
			{ apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
			{
				apiVersion: `${rbac}/v1`,
				kind: 'RoleBinding',
				metadata,
				roleRef: { apiGroup: rbac, kind: 'Role', name },
				subjects: [
					{ kind: 'ServiceAccount', name, namespace: 'argocd' },
					{ kind: 'User', name },
				],
			},
		)
		return await stack.kubectl('create', 'token', name, '-n', 'argocd')
	}
	const as = (kubeconfig: string, name: string): Road =>
		createRoad(stack, name, { env: { KUBECONFIG: kubeconfig }, cluster: 'context:limited' })

	let deployer: string
	beforeAll(async () => {
		await trustRegistries(stack)
		deployer = await account('road-deployer', [
			{ ...APPLICATIONS, verbs: ['*'] },
			{ apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['*'] },
		])
	})

	/** The whole road as this user. @returns what `status` says at its end, before `undeploy` */
	const roundTrip = async (road: Road): Promise<Record<string, unknown>> => {
		road.write('1.0.0')
		const { digest } = await road.push('latest')
		await road.ok('deploy', road.name, road.at('latest'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy', revision: digest })
		road.write('1.1.0')
		expect(await road.push('latest')).toMatchObject({ refreshed: [road.name] })
		await road.ok('sync', road.name)
		await road.ok('rollback', road.name)
		const { sync, health, revision } = await road.status()
		await road.ok('undeploy', road.name)
		return { sync, health, first: revision === digest }
	}
	const back = { sync: 'Synced', health: 'Healthy', first: true }

	it.concurrent('a client certificate', async () => {
		const path = join(directory, 'certificate.kubeconfig')
		const { url, pki, context } = stack.kubernetes
		await writeKubeconfig(path, { url, pki, commonName: 'road-deployer' })
		const env = { KUBECONFIG: path }
		const road = createRoad(stack, 'access-certificate', { env, cluster: `context:${context}` })
		expect(await roundTrip(road)).toEqual(back)
	})

	it.concurrent('a token, and one in a file', async () => {
		expect(await roundTrip(as(writeUser('token', { token: deployer }), 'access-token'))).toEqual(back)
		const tokenFile = join(directory, 'token')
		writeFileSync(tokenFile, `${deployer}\n`)
		const road = as(writeUser('token-file', { tokenFile }), 'access-token-file')
		expect((await road.run('status')).code).toBe(0)
	})

	it.concurrent('an exec plugin', async () => {
		const plugin = writeScript('plugin', [`echo '${credential({ token: deployer })}'`])
		expect(await roundTrip(as(writeUser('plugin', execUser(plugin)), 'access-plugin'))).toEqual(back)
		const failing = writeScript('failing-plugin', ['echo "no session; run: example login" >&2', 'exit 3'])
		const failed = await as(writeUser('failing', execUser(failing)), 'access-failing').run('status')
		expect(failed.code).toBe(9)
		expect(failed.stderr).toContain('run: example login')
		const absent = await as(writeUser('absent', execUser('no-such-plugin')), 'access-absent').run('status')
		expect(absent.code).toBe(9)
		expect(absent.stderr).toContain('no-such-plugin')
	})

	it.concurrent('a token that the cluster does not know, and a context that is not there', async () => {
		const stranger = as(writeUser('stranger', { token: 'not.a.token' }), 'access-stranger')
		const refused = await stranger.run('status')
		expect(refused.code).toBe(4)
		expect(refused.stderr).toContain('Unauthorized')
		expect(refused.stderr).not.toContain('not.a.token')
		const road = createRoad(stack, 'access-context', { cluster: 'context:elsewhere' })
		const absent = await road.run('status')
		expect(absent.code).toBe(3)
		expect(absent.stderr).toContain(stack.kubernetes.context)
	})

	it.concurrent('who may only look, looks, and changes nothing', async () => {
		const token = await account('road-viewer', [{ ...APPLICATIONS, verbs: ['get', 'list', 'watch'] }])
		const own = createRoad(stack, 'access-viewer')
		own.write('1.0.0')
		const { digest } = await own.push('latest')
		await own.ok('deploy', own.name, own.at('latest'))
		const road = as(writeUser('viewer', { token }), own.name)
		expect(await road.status()).toMatchObject({ sync: 'Synced', revision: digest, explanations: [] })
		expect(await road.json('history', road.name)).toMatchObject({ history: [{ revision: digest }] })
		const found = await road.run('doctor', road.name)
		expect(found.code, found.stdout).toBe(0)
		expect(found.stdout).toContain('secrets is forbidden')

		own.write('1.1.0')
		await own.push('next', '--no-refresh')
		const forbidden: Readonly<Record<string, readonly string[]>> = {
			'patch resource "applications"': ['sync', road.name, 'next'],
			'delete resource "applications"|patch resource "applications"': ['undeploy', road.name],
			'resource "configmaps"': ['trust', stack.registries.tls.host],
		}
		for (const [what, [command = '', ...args]] of Object.entries(forbidden)) {
			const ended = await road.run(command, ...args)
			expect(ended.code, `${command}: ${ended.stderr}`).toBe(4)
			expect(ended.stderr).toMatch(new RegExp(what))
			expect(ended.stderr).toContain('road-viewer')
			expect(ended.stderr).toContain('kubectl auth can-i')
		}
		const created = await road.run('deploy', 'access-viewer-new', road.at('latest'))
		expect(created.code, created.stderr).toBe(4)
		expect(await stack.kubectl('get', 'applications', '-n', 'argocd', '-o', 'name')).not.toContain(
			'access-viewer-new',
		)
		// The push is done; that nobody was told of it is said.
		road.write('1.2.0')
		const pushed = await road.run('push', 'manifests', road.at('latest'))
		expect(pushed.code).toBe(0)
		expect(pushed.stderr).toContain('was not refreshed')
		expect(await own.seen()).toMatchObject({ targetRevision: 'latest', sync: 'Synced' })
		await own.ok('undeploy', own.name)
	})

	it.concurrent('who may set Applications and no Secrets, deploys with what Argo CD knows', async () => {
		const token = await account('road-author', [{ ...APPLICATIONS, verbs: ['*'] }])
		const road = as(writeUser('author', { token }), 'access-author')
		road.write('1.0.0')
		const { digest } = await road.push('v1.0.0')
		const ended = await road.run('deploy', road.name, road.at('v1.0.0'))
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stderr).toContain('you may not register')
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy', revision: digest })
		await road.ok('undeploy', road.name)

		const { auth } = stack.registries
		const secret = createRoad(stack, 'access-secret', {
			registry: auth,
			env: { KUBECONFIG: join(directory, 'author.kubeconfig') },
			cluster: 'context:limited',
		})
		secret.write('1.0.0')
		await secret.push('v1.0.0')
		const refused = await secret.run('deploy', secret.name, secret.at('v1.0.0'))
		expect(refused.code, refused.stderr).toBe(4)
		expect(refused.stderr).toContain('secrets')
		expect(await stack.kubectl('get', 'applications', '-n', 'argocd', '-o', 'name')).not.toContain(
			'access-secret',
		)
	})
})
