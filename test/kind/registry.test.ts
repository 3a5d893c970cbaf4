import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject } from '../e2e/program.ts'
import { machine, restartEngine } from './stack/index.ts'
import { docker, namesOf, timed } from './tools.ts'

const { registryImage } = machine()
const project = createProject()
const REGISTRY = 'kind-registry'
const IMAGE = 'registry:of-the-user'
const OTHERS_VOLUME = 'of-somebody-else'
const ARTIFACT = 'oci-demo-app:v1.0.0'

beforeAll(async () => {
	await docker('tag', registryImage, IMAGE)
	await docker('volume', 'create', OTHERS_VOLUME)
	// kind leaves its network, and another file may have had a cluster before.
	if ((await namesOf('network')).includes('kind')) await docker('network', 'rm', 'kind')
})
afterAll(async () => {
	await project.remove()
	await docker('volume', 'rm', OTHERS_VOLUME)
	await docker('rmi', IMAGE)
})

const inspect = async (format: string): Promise<string> =>
	await docker('inspect', '--format', format, REGISTRY)
const isRunning = async (): Promise<string> => await inspect('{{.State.Running}}')
const ownVolumes = async (): Promise<readonly string[]> =>
	(await namesOf('volume')).filter((name) => name !== OTHERS_VOLUME)
/** Of what the registry itself answers; all of the artifact is read. */
const digest = async (): Promise<string> =>
	/sha256:[0-9a-f]{64}/.exec(await project.ok('inspect', ARTIFACT))?.[0] ?? ''

describe.sequential('a registry in a container, without a cluster', () => {
	let pushed: string

	it('starts before kind has a network, of the image that is named', async () => {
		expect(await namesOf('network')).not.toContain('kind')
		const { registry } = await project.json('registry', 'up', '--registry', 'docker', '--image', IMAGE)
		expect(registry).toMatchObject({ kind: 'docker', container: REGISTRY, image: IMAGE, started: true })
		expect(await inspect('{{.Config.Image}}')).toBe(IMAGE)
		expect(await inspect('{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}')).toBe('bridge')
		expect(await namesOf('network')).not.toContain('kind')
		expect(await ownVolumes()).toEqual([expect.stringMatching(/^lading-registry-[0-9a-f]{8}$/)])
	})

	it('stays of that image, and as it is, when it is asked for again', async () => {
		const before = await inspect('{{.Id}}')
		const { registry } = await project.json('registry', 'up')
		expect(registry).toMatchObject({ kind: 'docker', image: IMAGE, started: false })
		expect(await inspect('{{.Id}}')).toBe(before)
	})

	it('holds what is pushed', async () => {
		pushed = (await project.ok('push', 'sample-manifests', ARTIFACT)).split('@')[1] ?? ''
		expect(pushed).toMatch(/^sha256:[0-9a-f]{64}$/)
		expect(await digest()).toBe(pushed)
		const status = await project.ok('registry', 'status')
		expect(status).toContain(`Container     ${REGISTRY}, of ${IMAGE}`)
		expect(status).toContain('1 artifact in 1 repository')
	})

	it('comes back with Docker, with its content', async () => {
		const started = await inspect('{{.State.StartedAt}}')
		await timed('restarting the engine', restartEngine)
		await expect.poll(isRunning).toBe('true')
		expect(await inspect('{{.State.StartedAt}}')).not.toBe(started)
		await expect.poll(digest).toBe(pushed)
	})

	it('does not come back with Docker when it was stopped, and has its content when it is started', async () => {
		await project.ok('registry', 'down', '--keep-data')
		expect(await ownVolumes()).toHaveLength(1)
		await restartEngine()
		expect(await isRunning()).toBe('false')
		await project.ok('registry', 'up')
		expect(await digest()).toBe(pushed)
	})

	it('stays at down --keep-registry', async () => {
		const before = await inspect('{{.Id}} {{.State.StartedAt}}')
		expect(await project.run('down', '--keep-registry')).toMatchObject({
			code: 0,
			stderr: expect.stringContaining('kept, with 1 artifact'),
		})
		expect(await inspect('{{.Id}} {{.State.StartedAt}}')).toBe(before)
		expect(await digest()).toBe(pushed)
	})

	it('goes at registry down, with its volume, and begins empty when it is started again', async () => {
		await project.ok('registry', 'down')
		expect(await namesOf('container')).toEqual([])
		expect(await namesOf('volume')).toEqual([OTHERS_VOLUME])
		await project.ok('registry', 'up', '--registry', 'docker', '--image', IMAGE)
		expect((await project.run('inspect', ARTIFACT)).code).toBe(7)
	})

	it('goes at down, with its volume and all that was kept of it', async () => {
		await project.ok('push', 'sample-manifests', ARTIFACT)
		await project.ok('down')
		expect(await namesOf('container')).toEqual([])
		expect(await namesOf('volume')).toEqual([OTHERS_VOLUME])
		expect(existsSync(join(project.directory, '.lading'))).toBe(false)
		expect(await project.ok('down')).toContain('Nothing to remove')
	})
})
