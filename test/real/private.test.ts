import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { beforeAll, expect, it } from 'vitest'
import { ensureCertificates } from '../../src/http/server/index.ts'
import { createRoad, type Road, trustRegistries } from './road.ts'
import { caOf, onRealStackAlone } from './stack/index.ts'
import { REGISTRY_NAMES } from './stack/registries.ts'

onRealStackAlone('a registry that does not let everyone in', (stack) => {
	beforeAll(() => trustRegistries(stack))

	const causes = async (road: Road): Promise<readonly string[]> => {
		const { explanations } = await road.status()
		return (explanations as readonly { readonly cause: string }[]).map(({ cause }) => cause)
	}

	it('a password: given once, kept, changed while it runs', async () => {
		const pki = stack.directory('private-pki')
		const username = 'bob'
		const registry = await stack.startRegistry({
			name: 'registry-private',
			pki,
			username,
			password: 'the first one',
		})
		const own = { ...registry, host: registry.host.replace('127.0.0.1', 'localhost') }
		const road = createRoad(stack, 'private', { registry: own })
		await road.ok('trust', own.host)
		road.write('1.0.0')
		await road.push('latest')
		await road.ok('deploy', road.name, road.at('latest'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		expect(await passwordsOf(road)).toEqual(['the first one'])

		// Signed in as docker does it, without credentials for Argo CD: it keeps those it has.
		const signedIn = createRoad(stack, road.name, { registry: { ...own, env: {} } })
		const auth = Buffer.from(`${username}:the first one`).toString('base64')
		mkdirSync(join(signedIn.project.directory, '.docker'))
		const config = { auths: { [own.host]: { auth } } }
		writeFileSync(join(signedIn.project.directory, '.docker/config.json'), JSON.stringify(config))
		signedIn.write('1.1.0')
		const second = await signedIn.push('latest')
		await signedIn.ok('deploy', road.name, road.at('latest'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', revision: second.digest })
		expect(await passwordsOf(road)).toEqual(['the first one'])

		await changePassword('registry-private', `${username}:${await hash('the second one', 4)}\n`)
		const changed = createRoad(stack, road.name, {
			registry: { ...own, env: { LADING_USERNAME: username, LADING_PASSWORD: 'the second one' } },
		})
		// Argo CD has not looked since: it calls the Application Synced, and its password is that of before.
		await changed.ok('deploy', road.name, road.at('latest'))
		expect(await passwordsOf(road)).toEqual(['the second one'])
		await changed.ok('sync', road.name)

		await changePassword('registry-private', `${username}:${await hash('the third one', 4)}\n`)
		const failed = await changed.run('sync', road.name)
		expect(failed.code).toBe(1)
		expect(failed.stderr).toContain('--password-stdin')
		expect(await causes(road)).toEqual(['credentials-refused'])
		expect(await road.seen()).toMatchObject({ sync: 'Unknown' })
		const mended = createRoad(stack, road.name, {
			registry: { ...own, env: { LADING_USERNAME: username, LADING_PASSWORD: 'the third one' } },
		})
		await mended.ok('deploy', road.name, road.at('latest'))
		expect(await causes(road)).toEqual([])
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await mended.ok('undeploy', road.name)
		expect(await passwordsOf(road)).toEqual([])
		await forgetCa('localhost')
		await stack.process('registry-private').stop()
	})

	it('a Secret that someone else has made is used, and stays', async () => {
		const { auth } = stack.registries
		const road = createRoad(stack, 'private-theirs', { registry: auth })
		road.write('1.0.0')
		await road.push('v1.0.0')
		const secret = {
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: {
				name: 'private-theirs',
				namespace: 'argocd',
				labels: { 'argocd.argoproj.io/secret-type': 'repository' },
			},
			stringData: {
				type: 'oci',
				url: `oci://${auth.host}/${road.name}`,
				username: auth.username,
				password: auth.password,
			},
		}
		await stack.apply(secret)
		await road.ok('deploy', road.name, road.at('v1.0.0'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await road.ok('undeploy', road.name)
		const path = 'jsonpath={.metadata.labels}'
		const labels = await stack.kubectl('get', 'secret', 'private-theirs', '-n', 'argocd', '-o', path)
		expect(JSON.parse(labels)).toEqual({ 'argocd.argoproj.io/secret-type': 'repository' })
		await stack.kubectl('delete', 'secret', 'private-theirs', '-n', 'argocd')
	})

	it('no credentials at all: the error names what is missing', async () => {
		const { auth } = stack.registries
		const road = createRoad(stack, 'private-none', { registry: auth })
		road.write('1.0.0')
		await road.push('v1.0.0')
		const yaml = await createRoad(stack, road.name, { registry: { ...auth, env: {} } }).ok(
			'deploy',
			road.name,
			road.at('v1.0.0'),
			'--print',
		)
		const file = join(road.project.directory, 'application.yaml')
		writeFileSync(file, yaml)
		await stack.kubectl('apply', '-f', file)
		const failed = await road.run('sync', road.name)
		expect(failed.code).toBe(1)
		expect(await causes(road)).toEqual(['credentials-missing'])
		await road.ok('deploy', road.name, road.at('v1.0.0'))
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy' })
		await road.ok('undeploy', road.name)
	})

	it('a CA that is another one now: named, and mended by trust without a restart', async () => {
		const pki = stack.directory('rotated-pki')
		const registry = await stack.startRegistry({ name: 'registry-rotated', pki })
		const own = { ...registry, host: registry.host.replace('127.0.0.1', 'localhost') }
		const road = createRoad(stack, 'rotated', { registry: own })
		await road.ok('trust', own.host)
		road.write('1.0.0')
		await road.push('latest')
		await road.ok('deploy', road.name, road.at('latest'))
		const before = caOf(registry)
		expect(await caInConfigMap('localhost')).toBe(before.trim())

		const repoServer = await stack.process('repo-server').state()
		for (const file of ['ca.crt', 'ca.key', 'server.crt', 'server.key'])
			rmSync(join(pki, file), { force: true })
		await ensureCertificates(pki, { names: REGISTRY_NAMES, caName: 'the next CA' })
		expect(caOf(registry)).not.toBe(before)
		await stack.process(registry.name).restart()
		road.write('1.1.0')
		const { digest } = await road.push('latest')
		const failed = await road.run('sync', road.name)
		expect(failed.code).toBe(1)
		expect(failed.stderr).toContain(`lading trust ${own.host} --ca FILE`)
		expect(await causes(road)).toEqual(['ca-unknown'])

		await road.ok('trust', own.host)
		// The one of before stays beside it: both sides of a rotation work.
		expect(await caInConfigMap('localhost')).toContain(before.trim())
		expect(await caInConfigMap('localhost')).toContain(caOf(registry).trim())
		await road.ok('sync', road.name)
		expect(await road.seen()).toMatchObject({ sync: 'Synced', health: 'Healthy', revision: digest })
		expect(await stack.process('repo-server').state()).toEqual(repoServer)
		await road.ok('undeploy', road.name)
		await forgetCa('localhost')
		await stack.process(registry.name).stop()
	})

	const passwordsOf = async ({ name }: Road): Promise<readonly string[]> => {
		const list = await stack.kubectl('get', 'secrets', '-n', 'argocd', '-o', 'json')
		const { items } = JSON.parse(list) as {
			readonly items: readonly { readonly data?: Readonly<Record<string, string>> }[]
		}
		const text = (encoded = ''): string => Buffer.from(encoded, 'base64').toString('utf8')
		return items
			.filter(({ data }) => text(data?.url).endsWith(`/${name}`))
			.map(({ data }) => text(data?.password))
	}

	/** distribution reads the file again when its time has changed. */
	const changePassword = async (registry: string, line: string): Promise<void> => {
		const file = join(stack.data.directory, `${registry}.htpasswd`)
		const { mtimeMs } = statSync(file)
		writeFileSync(file, line)
		const later = new Date(mtimeMs + 2000)
		utimesSync(file, later, later)
	}

	const caInConfigMap = async (host: string): Promise<string> =>
		(
			await stack.kubectl(
				'get',
				'configmap',
				'argocd-tls-certs-cm',
				'-n',
				'argocd',
				'-o',
				`jsonpath={.data.${host}}`,
			)
		).trim()

	const forgetCa = async (host: string): Promise<void> => {
		const patch = JSON.stringify({ data: { [host]: null } })
		await stack.kubectl(
			'patch',
			'configmap',
			'argocd-tls-certs-cm',
			'-n',
			'argocd',
			'--type=merge',
			'-p',
			patch,
		)
	}
})
