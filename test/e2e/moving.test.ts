import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type Front, startFront } from './front.ts'
import { createProject, type Ended, lading, MAIN, type Project } from './program.ts'

const SAMPLE = join(import.meta.dirname, '../../sample-manifests')

describe('an interrupted save, load or copy', () => {
	let directory: string
	let registry: RunningRegistry
	let front: Front
	let stalled: () => void = () => {}

	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'lading-e2e-'))
		cpSync(SAMPLE, join(directory, 'manifests'), { recursive: true })
		registry = await serveRegistry({ dataDirectory: join(directory, 'data'), port: 0, plainHttp: true })
		front = await startFront(registry.port)
		await run('push', 'manifests', `${front.host}/app:v1.0.0`)
		await run('save', `${front.host}/app:v1.0.0`, 'saved.tar')
	})
	afterAll(async () => {
		front.close()
		await registry.close()
		rmSync(directory, { recursive: true, force: true })
	})

	const run = async (...args: readonly string[]): Promise<Ended> =>
		await lading([...args, '--plain-http'], { cwd: directory })

	/** Stops the layer on its way, in one direction, and interrupts the command there. */
	async function interrupt(method: 'GET' | 'PUT', ...args: readonly string[]): Promise<number | null> {
		return await endBy(['SIGINT'], method, ...args)
	}

	/** @returns the exit code as a shell reports it */
	async function endBy(
		signals: readonly NodeJS.Signals[],
		method: 'GET' | 'PUT',
		...args: readonly string[]
	): Promise<number | null> {
		front.fault = (request, response) => {
			const isLayer =
				method === 'GET'
					? request.method === 'GET' && request.url?.includes('/blobs/sha256:') === true
					: request.method !== 'GET' &&
						request.method !== 'HEAD' &&
						request.url?.includes('/blobs/uploads/') === true
			if (!isLayer) return false
			if (method === 'GET') {
				response.writeHead(200, { 'content-length': '4608' })
				response.write('half of it')
			}
			stalled()
			return true
		}
		const child = spawn(process.execPath, [MAIN, ...args, '--plain-http'], {
			cwd: directory,
			stdio: 'ignore',
		})
		const ended = new Promise<number | null>((resolve) =>
			child.on('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code)),
		)
		await new Promise<void>((resolve) => (stalled = resolve))
		for (const signal of signals) child.kill(signal)
		const code = await ended
		front.fault = () => false
		return code
	}

	it('leaves nothing of a tar or a directory, and nothing under a tag', async () => {
		const before = readdirSync(directory)
		expect(await interrupt('GET', 'save', `${front.host}/app:v1.0.0`, 'new.tar')).toBe(130)
		expect(await interrupt('GET', 'save', `${front.host}/app:v1.0.0`, 'new')).toBe(130)
		expect(await interrupt('GET', 'copy', `${front.host}/app:v1.0.0`, 'oci-archive:new.tar')).toBe(130)
		expect(await interrupt('PUT', 'load', 'saved.tar', `${front.host}/loaded`)).toBe(130)
		expect(readdirSync(directory)).toEqual(before)
		expect((await run('tags', `${front.host}/loaded/app`)).stdout).toBe('')
	})

	it('leaves nothing when its terminal is closed, which may tell it twice', async () => {
		const before = readdirSync(directory)
		const twice = ['SIGHUP', 'SIGHUP'] as const
		expect(await endBy(twice, 'GET', 'save', `${front.host}/app:v1.0.0`, 'new.tar')).toBe(129)
		expect(await endBy(twice, 'GET', 'save', `${front.host}/app:v1.0.0`, 'new')).toBe(129)
		expect(await endBy(twice, 'GET', 'copy', `${front.host}/app:v1.0.0`, 'oci-archive:new.tar')).toBe(129)
		expect(await endBy(twice, 'GET', 'pull', `${front.host}/app:v1.0.0`, 'pulled')).toBe(129)
		expect(readdirSync(directory)).toEqual(before)
	})

	it('goes on when it is run again', async () => {
		expect(await interrupt('GET', 'copy', `${front.host}/app:v1.0.0`, 'oci:layout')).toBe(130)
		expect((await run('copy', `${front.host}/app:v1.0.0`, 'oci:layout')).code).toBe(0)
		const { manifests } = JSON.parse(readFileSync(join(directory, 'layout/index.json'), 'utf8')) as {
			manifests: unknown[]
		}
		expect(manifests).toHaveLength(1)
		expect((await run('load', 'saved.tar', `${front.host}/loaded`)).code).toBe(0)
	})
})

describe.sequential('what an Application runs', () => {
	let project: Project

	beforeAll(async () => {
		project = createProject()
		await project.ok('up', '--cluster', 'sandbox')
		await project.ok('tag', 'oci-demo-app:v1.0.0', 'stable')
		writeFileSync(
			join(project.directory, 'sample-manifests/namespace.yaml'),
			'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: another\n',
		)
		await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.1.0')
	}, 120_000)
	afterAll(async () => await project.remove())

	it('is named by tags', async () => {
		const { described, cluster } = await project.json('tags', 'oci-demo-app')
		expect(cluster).toBe('sandbox')
		expect(described).toMatchObject([
			{ tag: 'v1.1.0', applications: [] },
			{ tag: 'v1.0.0', applications: ['oci-demo-app'] },
			{ tag: 'stable', applications: ['oci-demo-app'] },
		])
		expect(await project.ok('tags', 'oci-demo-app', '--long')).toMatch(
			/APPLICATION\n.*\nv1\.0\.0.*oci-demo-app/,
		)
	})

	it('is not deleted, nor the tag taken away that it asks for', async () => {
		for (const args of [
			['delete', 'oci-demo-app:stable', '--yes'],
			['untag', 'oci-demo-app:v1.0.0', '--yes'],
		]) {
			const { code, stderr } = await project.run(...args)
			expect(code, stderr).toBe(1)
			expect(stderr).toContain('oci-demo-app')
			expect(stderr).toContain('--force')
		}
		expect(await project.ok('tags', 'oci-demo-app')).toBe('v1.1.0\nv1.0.0\nstable')
		await project.ok('untag', 'oci-demo-app:stable', '--yes')
		await project.ok('delete', 'oci-demo-app:v1.1.0', '--yes')
		expect(await project.ok('tags', 'oci-demo-app')).toBe('v1.0.0')
	})

	it('is refreshed when a tag that it asks for moves by tag or copy', async () => {
		await project.ok('push', 'sample-manifests', 'oci-demo-app:next')
		const tagged = await project.json('tag', 'oci-demo-app:next', 'v1.0.0', '--force')
		expect(tagged).toMatchObject({ outcome: 'tagged', refreshed: ['oci-demo-app'] })
	})

	it('is not known where the cluster does not answer: a note to tags, a refusal to delete', async () => {
		writeFileSync(
			join(project.directory, 'dead.yaml'),
			JSON.stringify({
				apiVersion: 'v1',
				kind: 'Config',
				clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }],
				users: [{ name: 'dead', user: { token: 'x' } }],
				contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'dead' } }],
			}),
		)
		const dead = ['--cluster', 'context:dead', '--kubeconfig', 'dead.yaml']
		const listed = await project.run('tags', 'oci-demo-app', '--long', ...dead)
		expect(listed.code, listed.stderr).toBe(0)
		expect(listed.stderr).toContain('is not known')
		const removal = await project.run('delete', 'oci-demo-app:next', '--yes', ...dead)
		expect(removal.code).toBe(1)
		expect(removal.stderr).toContain('--force')
		await project.ok('delete', 'oci-demo-app:next', '--yes', '--force', ...dead)
	})
})
