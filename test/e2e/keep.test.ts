import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Digest } from '../../src/oci/index.ts'
import { inlineContent, rot } from '../../src/registry/server/stored-content.fixture.ts'
import { createProject, MAIN, processesWith, type Project } from './program.ts'

interface Item {
	readonly kind: string
	readonly tag?: string
	readonly digest: string
	readonly reason: { readonly code: string; readonly by?: string }
}

interface Report {
	readonly freedBytes: number
	readonly repositories: readonly {
		readonly repository: string
		readonly removed: readonly Item[]
		readonly kept: readonly Item[]
	}[]
}

const editor =
	(project: Project) =>
	(replicas: number): void => {
		const path = join(project.directory, 'sample-manifests/deployment.yaml')
		writeFileSync(path, readFileSync(path, 'utf8').replace(/replicas: \d+/, `replicas: ${replicas}`))
	}

const digestIn = (line: string): string => /sha256:[0-9a-f]{64}/.exec(line)?.[0] ?? line

/** Turns one bit of everything that is large enough to be a layer. @returns their digests */
function rotLayers(registry: string): Digest[] {
	const layers = [...inlineContent(registry)].filter(([, { place }]) => (place?.length ?? 0) > 2700)
	for (const [digest] of layers) rot(registry, digest, 600)
	return layers.map(([digest]) => digest)
}

describe.sequential('a registry that is kept in order', () => {
	let project: Project
	let edit: (replicas: number) => void
	const versions: string[] = []

	const push = async (version: number): Promise<void> => {
		edit(version + 1)
		const line = await project.ok('push', 'sample-manifests', `oci-demo-app:v1.${version}.0`)
		versions[version] = digestIn(line)
	}
	const prune = async (...args: readonly string[]): Promise<Report> =>
		(await project.json('registry', 'prune', '--grace', '0s', ...args)).prune as Report
	const removed = (report: Report): string[] =>
		report.repositories.flatMap((plan) => plan.removed.map(({ tag, digest }) => tag ?? digest)).toSorted()

	beforeAll(async () => {
		project = createProject()
		edit = editor(project)
		await project.ok('up')
		versions[0] = digestIn(await project.ok('sync', 'oci-demo-app', 'v1.0.0'))
		for (const version of [1, 2, 3, 4]) await push(version)
		await project.ok('sync', 'oci-demo-app', 'v1.1.0')
		await project.ok('sync', 'oci-demo-app', 'v1.3.0')
	})
	afterAll(async () => {
		await project.remove()
	})

	it('keeps what is new, whatever the rules say', async () => {
		const report = (await project.json('registry', 'prune', '--keep', '1')).prune as Report
		expect(removed(report)).toEqual([])
		expect(report.repositories[0]?.kept.map(({ reason }) => reason.code)).toContain('fresh')
	})

	it('says what would go and what stays and why, and changes nothing', async () => {
		const report = await prune('--keep', '1', '--dry-run')
		expect(removed(report)).toContain('v1.2.0')
		const why = new Map(report.repositories[0]?.kept.map(({ tag, reason }) => [tag, reason]))
		expect(why.get('v1.4.0')).toMatchObject({ code: 'newest' })
		expect(why.get('v1.3.0')).toEqual({ code: 'in-use', by: 'Application argocd/oci-demo-app' })
		expect(why.get('v1.1.0')).toMatchObject({ code: 'in-use' })
		expect(why.get('v1.0.0')).toMatchObject({ code: 'in-use' })
		expect(await project.ok('tags', 'oci-demo-app')).toContain('v1.2.0')
		const text = await project.ok('registry', 'prune', '--grace', '0s', '--keep', '1', '--dry-run')
		expect(text).toMatch(/Would remove 1 tag, 1 artifact, 1 blob: [\d.]+ kB/)
		expect(text).toMatch(/oci-demo-app:v1\.1\.0 +tag .*in use by Application argocd\/oci-demo-app/)
	})

	it('refuses while the cluster does not answer', async () => {
		for (const line of processesWith(join(project.directory, '.lading/sandbox')))
			process.kill(Number(line.split(' ')[0]), 'SIGKILL')
		const ended = await project.run('registry', 'prune', '--keep', '1', '--grace', '0s', '--json')
		expect(ended.code).toBe(6)
		const { error } = JSON.parse(ended.stdout) as { error: { code: string; hint: string } }
		expect(error).toMatchObject({
			code: 'CLUSTER_UNREACHABLE',
			hint: expect.stringContaining('--ignore-cluster'),
		})
		expect(await project.ok('tags', 'oci-demo-app')).toContain('v1.2.0')
		const ignoring = await prune('--keep', '1', '--dry-run', '--ignore-cluster')
		expect(removed(ignoring)).toContain('v1.1.0')
		await project.ok('cluster', 'up')
	})

	it('does it beside the server, and a rollback to an old digest still works', async () => {
		const dry = await prune('--keep', '1', '--dry-run')
		const done = await prune('--keep', '1')
		expect(removed(done)).toEqual(removed(dry))
		expect(done.freedBytes).toBe(dry.freedBytes)
		expect((await project.ok('tags', 'oci-demo-app')).split('\n')).toEqual([
			'v1.4.0',
			'v1.3.0',
			'v1.1.0',
			'v1.0.0',
		])
		expect((await project.run('inspect', `oci-demo-app@${versions[2]}`)).code).toBe(7)
		const back = await project.json('rollback', 'oci-demo-app', '--to', versions[1] ?? '')
		expect(back.rollback).toMatchObject({ outcome: 'moved', digest: versions[1] })
		expect(removed(await prune('--keep', '1'))).toEqual([])
	})

	it('keeps the digest of an Application when its tag has moved on', async () => {
		await project.ok('deploy', 'second', 'oci-demo-app:v1.4.0', '--namespace', 'second')
		edit(9)
		await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.4.0', '--force')
		await push(5)
		const report = await prune('--keep', '1', '--untagged')
		expect(removed(report)).not.toContain(versions[4])
		await project.ok('pull', `oci-demo-app@${versions[4]}`, 'pulled')
		await project.ok('undeploy', 'second')
	})

	it('does it in the directory where no server runs', async () => {
		await project.ok('registry', 'down', '--keep-data')
		const ended = await project.run('registry', 'prune', '--tag', 'v1.5.0', '--grace', '0s')
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stderr).toContain('no server runs')
		await project.ok('registry', 'up')
		expect(await project.ok('tags', 'oci-demo-app')).not.toContain('v1.5.0')
	})

	it('wants to be told what is to go', async () => {
		const ended = await project.run('registry', 'prune', '--repository', 'oci-*')
		expect(ended.code).toBe(2)
		expect(ended.stderr).toContain('--keep N')
		expect((await project.run('registry', 'prune', '--tag', 'v[0-9]')).code).toBe(2)
		expect((await project.run('registry', 'prune', '--keep', '0')).code).toBe(2)
		expect((await project.run('registry', 'scrub', '--data', 'nowhere')).code).toBe(7)
	})

	it('finds flipped bits, names what misses them, and heals them with a push', async () => {
		expect(await project.ok('registry', 'scrub')).toContain('Nothing is damaged.')
		// A server that has not read them yet has no copy to mend them from.
		await project.ok('registry', 'down', '--keep-data')
		const rotten = rotLayers(join(project.directory, '.lading/registry'))
		expect(rotten.length).toBeGreaterThan(1)
		const offline = await project.run('registry', 'scrub', '--json')
		expect(offline.code).toBe(1)
		await project.ok('registry', 'up')
		const ended = await project.run('registry', 'scrub', '--json')
		expect(ended.code).toBe(1)
		const { scrub } = JSON.parse(ended.stdout) as {
			scrub: { damaged: { digest: string; repositories: { repository: string; tags: string[] }[] }[] }
		}
		expect(scrub.damaged.map(({ digest }) => digest).toSorted()).toEqual(rotten.toSorted())
		expect(JSON.parse(offline.stdout)).toMatchObject({ scrub })
		expect(scrub.damaged.flatMap(({ repositories }) => repositories.flatMap(({ tags }) => tags))).toContain(
			'v1.3.0',
		)
		expect((await project.run('registry', 'scrub')).stdout).toContain('Push the same content again')
		edit(4)
		// Said to be gone, so that the same push sends it again.
		expect((await project.run('pull', 'oci-demo-app:v1.3.0', 'broken')).code).toBe(7)
		await project.ok('push', 'sample-manifests', 'oci-demo-app:v1.3.0')
		expect((await project.run('pull', 'oci-demo-app:v1.3.0', 'whole')).code).toBe(0)
	})
})

describe.sequential('immutable tags', () => {
	let project: Project
	let edit: (replicas: number) => void
	beforeAll(async () => {
		project = createProject()
		edit = editor(project)
		await project.ok('registry', 'up', '--immutable', 'semver')
		await project.ok('push', 'sample-manifests', 'app:v1.0.0')
	})
	afterAll(async () => {
		await project.remove()
	})

	it('take the same content again, and nothing else, not with --force either', async () => {
		await project.ok('push', 'sample-manifests', 'app:v1.0.0')
		edit(7)
		const ended = await project.run('push', 'sample-manifests', 'app:v1.0.0', '--force', '--json')
		expect(ended.code).toBe(1)
		const { error } = JSON.parse(ended.stdout) as { error: { code: string; message: string; hint: string } }
		expect(error.code).toBe('TAG_EXISTS')
		expect(error.message).toMatch(/the tag v1\.0\.0 is immutable and names sha256:[0-9a-f]{64}/)
		expect(error.hint).toContain('push under a new version')
		await project.ok('push', 'sample-manifests', 'app:latest', '--force')
		await project.ok('push', 'sample-manifests', 'app:v1.0.1')
	})

	it('are let go only when that is asked for, with and without the server', async () => {
		const dry = (await project.json('registry', 'prune', '--tag', 'v1.0.0', '--grace', '0s', '--dry-run'))
			.prune
		expect(dry).toMatchObject({ repositories: [{ removed: [], kept: [{ reason: { code: 'immutable' } }] }] })
		await project.ok('registry', 'down', '--keep-data')
		const args = ['registry', 'prune', '--tag', 'v*', '--keep', '1', '--grace', '0s']
		expect(await project.ok(...args)).toContain('Nothing goes.')
		expect(await project.ok(...args, '--include-immutable')).toContain('Removed 1 tag')
	})
})

describe('registry serve with settings', () => {
	let project: Project
	let child: ChildProcess | undefined
	beforeAll(() => {
		project = createProject()
	})
	afterAll(async () => {
		child?.kill('SIGTERM')
		await project.remove()
	})

	it('keeps tags and lets others go by itself', async () => {
		writeFileSync(
			join(project.directory, 'registry.yaml'),
			`
listen: { port: 0 }
data: content
immutable: ['app:v*']
scrub: { interval: 0s }
retention:
  grace: 5s
  interval: 1s
  rules:
    - { tag: 'pr-*' }
`,
		)
		child = spawn(process.execPath, [MAIN, 'registry', 'serve', '--config', 'registry.yaml', '--json'], {
			cwd: project.directory,
			stdio: ['ignore', 'pipe', 'pipe'],
		})
		if (!child.stdout) throw new Error('no output')
		let text = ''
		while (!text.includes('"ca"')) text += String((await once(child.stdout, 'data'))[0])
		const host = /localhost:\d+|127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ''
		const ca = ['--ca', join(project.directory, 'content/ca.crt')]
		await project.ok('push', 'sample-manifests', `${host}/app:v1.0.0`, ...ca, '--tag', 'pr-7')
		editor(project)(8)
		const refused = await project.run('push', 'sample-manifests', `${host}/app:v1.0.0`, ...ca, '--force')
		expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('immutable')])
		await expect
			.poll(async () => await project.ok('tags', `${host}/app`, ...ca), { timeout: 60_000, interval: 200 })
			.toBe('v1.0.0')
		const dry = await project.ok(
			'registry',
			'prune',
			'--data',
			'content',
			'--tag',
			'v1.0.0',
			'--grace',
			'0s',
			'--dry-run',
		)
		expect(dry).toContain('immutable')
	})
})
