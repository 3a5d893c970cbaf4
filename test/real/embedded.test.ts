import { copyFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { createRoad, type Road, trustRegistries } from './road.ts'
import { onRealStack } from './stack/index.ts'

const USER = 'ann'
const PASSWORD = 'a secret: of ann'

onRealStack("lading's own registry", (stack) => {
	const data = stack.directory('embedded')
	const htpasswd = join(data, 'htpasswd')
	let registry: RunningRegistry
	let road: Road
	const open = (port: number): Promise<RunningRegistry> =>
		serveRegistry({ dataDirectory: data, port, auth: { htpasswd } })

	beforeAll(async () => {
		await trustRegistries(stack)
		const { caPath } = stack.registries.tls
		if (caPath === undefined) throw new Error('the registry of the stack has no CA')
		// Of the authority that Argo CD knows for this host already.
		for (const name of ['ca.crt', 'ca.key']) copyFileSync(join(dirname(caPath), name), join(data, name))
		writeFileSync(htpasswd, `${USER}:${await hash(PASSWORD, 4)}\n`)
		registry = await open(0)
		const env = { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD }
		const host = `127.0.0.1:${registry.port}`
		const reached = { host, name: 'embedded', caPath, flags: ['--ca', caPath], env }
		road = createRoad(stack, 'embedded', { registry: reached })
	})
	afterAll(() => registry.close())

	it('gives Argo CD a tag, the tag moved while it was restarted, and the digest that the tag had before', async () => {
		road.write('1.0.0')
		const first = await road.push('latest')
		await road.ok('deploy', road.name, road.at('latest'))
		expect(await road.seen()).toMatchObject({
			sync: 'Synced',
			health: 'Healthy',
			revision: first.digest,
		})

		road.write('2.0.0')
		const second = await road.push('latest')
		await registry.close()
		registry = await open(registry.port)
		await road.ok('sync', road.name)
		expect(await road.seen()).toMatchObject({ sync: 'Synced', revision: second.digest })
		expect(await road.deployed()).toContain('2.0.0')

		await road.ok('sync', road.name, first.digest)
		expect(await road.seen()).toMatchObject({ sync: 'Synced', revision: first.digest })
		expect(await road.deployed()).toContain('1.0.0')
		await road.ok('undeploy', road.name)
	})
})
