import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, lading } from '../e2e/program.ts'
import { type Registry, startDistribution, startDockerRegistry, startLadingRegistry } from './registries.ts'

let directory: string
let ours: Registry
let debian: Registry
let distribution: Registry

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	writeFileSync(join(directory, 'a.yaml'), 'kind: Namespace\n')
	writeFileSync(join(directory, 'sbom.json'), '{"sbom": true}')
	ours = await startLadingRegistry(directory, { tls: false })
	debian = await startDockerRegistry(directory)
	distribution = await startDistribution(directory)
	// An artifact, what points at it, and what points at that.
	await oras('push', `${ours.host}/app:v1.0.0`, 'a.yaml', '--artifact-type', 'test/app')
	await oras('tag', `${ours.host}/app:v1.0.0`, 'latest')
	await oras('attach', `${ours.host}/app:v1.0.0`, 'sbom.json', '--artifact-type', 'test/sbom')
	const [sbom] = await referrers(ours, 'app:v1.0.0')
	await oras('attach', `${ours.host}/app@${sbom}`, 'a.yaml', '--artifact-type', 'test/signature')
}, 180_000)
afterAll(async () => {
	await Promise.all([ours, debian, distribution].map(async (each) => await each?.stop()))
	rmSync(directory, { recursive: true, force: true })
})

async function run(tool: string, ...args: readonly string[]): Promise<string> {
	const env = { ...process.env, HOME: directory, DOCKER_CONFIG: directory }
	return (await promisify(execFile)(tool, args, { cwd: directory, env })).stdout
}

/** oras with a registry. */
const oras = async (...args: readonly string[]): Promise<string> => await run('oras', ...args, '--plain-http')

async function ok(...args: readonly string[]): Promise<string> {
	const ended = await tried(...args)
	if (ended.code !== 0) throw new Error(`lading ${args.join(' ')}: ${ended.stderr}`)
	return ended.stdout.trim()
}

async function tried(...args: readonly string[]): Promise<Ended> {
	return await lading([...args, '--plain-http'], { cwd: directory })
}

interface Discovered {
	readonly referrers?: readonly { readonly digest: string }[]
}

/** Digests of what oras says points at an artifact. */
async function referrers({ host }: Registry, artifact: string): Promise<readonly string[]> {
	const found = await oras('discover', `${host}/${artifact}`, '--format', 'json', '--depth', '1')
	return ((JSON.parse(found) as Discovered).referrers ?? []).map(({ digest }) => digest)
}

const digestIn = (text: string): string => /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? ''

describe.each<[name: string, other: () => Registry, deletesTags: boolean]>([
	['Debian’s docker-registry, which has no referrers API', () => debian, false],
	['distribution 3', () => distribution, true],
])('%s', (_, other, deletesTags) => {
	it('gets an artifact with all that points at it, as oras sees it, and gives it back', async () => {
		const { host } = other()
		const there = digestIn(await ok('copy', `${ours.host}/app:v1.0.0`, `${host}/team/app`))
		expect((await oras('resolve', `${host}/team/app:v1.0.0`)).trim()).toBe(there)
		const [sbom, ...others] = await referrers(other(), 'team/app:v1.0.0')
		expect(others).toEqual([])
		expect(await referrers(ours, 'app:v1.0.0')).toEqual([sbom])
		expect(await referrers(other(), `team/app@${sbom}`)).toEqual(await referrers(ours, `app@${sbom}`))

		await ok('copy', `${host}/team/app:v1.0.0`, `${ours.host}/back-${host.replace(/\D/g, '')}`)
		const back = await referrers(ours, `back-${host.replace(/\D/g, '')}:v1.0.0`)
		expect(back).toEqual([sbom])

		const again = JSON.parse(
			await ok('copy', `${ours.host}/app:v1.0.0`, `${host}/team/app`, '--json'),
		) as object
		expect(again).toMatchObject({ copy: { outcome: 'unchanged', copied: { count: 0 } } })
	})

	it('mounts between its repositories', async () => {
		const { host } = other()
		const first = JSON.parse(
			await ok('copy', `${host}/team/app:v1.0.0`, `${host}/mounted/app`, '--json'),
		) as object
		expect(first).toMatchObject({ copy: { copied: { count: 3 }, outcome: 'copied' } })
		await oras('pull', `${host}/mounted/app:v1.0.0`, '--output', 'pulled')
	})

	it('has whole repositories copied, without the tags that stand in for its referrers API', async () => {
		const { host } = other()
		await ok('copy', `${ours.host}/app`, `${host}/all/app`, '--all-tags')
		await ok('copy', `${host}/all/app`, `${host}/all/again`, '--all-tags')
		expect(await ok('tags', `${host}/all/again`)).toBe('v1.0.0\nlatest')
		expect(await referrers(other(), 'all/again:latest')).toHaveLength(1)
	})

	it('is filled by load with what save has taken from another', async () => {
		const { host } = other()
		await ok('save', `${ours.host}/app:v1.0.0`, 'carried.tar', '--force')
		await ok('load', 'carried.tar', `${host}/carried`)
		expect(await referrers(other(), 'carried/app:v1.0.0')).toEqual(await referrers(ours, 'app:v1.0.0'))
		await ok('save', `${host}/carried/app:v1.0.0`, 'back.tar', '--force')
		expect(await ok('load', 'back.tar', '--map', `${host}/carried=${ours.host}/home`)).toContain(
			'/home/app:v1.0.0@',
		)
	})

	it('loses a tag, or says that it cannot and what to do, and loses an artifact', async () => {
		const { host } = other()
		await ok('copy', `${ours.host}/app:v1.0.0`, `${host}/untag/app:old`)
		await ok('tag', `${host}/untag/app:old`, 'new')
		const { code, stderr } = await tried('untag', `${host}/untag/app:old`, '--yes')
		const left = await ok('tags', `${host}/untag/app`)
		expect({ code, left, isTold: stderr.includes('next:  Delete the artifact with all its tags') }).toEqual(
			deletesTags ? { code: 0, left: 'new', isTold: false } : { code: 1, left: 'new\nold', isTold: true },
		)
		await ok('delete', `${host}/untag/app:new`, '--yes')
		await expect(oras('resolve', `${host}/untag/app:new`)).rejects.toThrow('not found')
	})
})

describe('layouts', () => {
	it('of ours are read by skopeo and by oras, as a tar and as a directory', async () => {
		const [digest, sbom] = [
			digestIn(await ok('save', `${ours.host}/app:v1.0.0`, 'ours.tar', '--force')),
			...(await referrers(ours, 'app:v1.0.0')),
		]
		await ok('save', `${ours.host}/app:v1.0.0`, 'ours', '--force')
		for (const place of ['oci-archive:ours.tar:v1.0.0', 'oci:ours:v1.0.0'])
			expect(digestIn(await run('skopeo', 'inspect', '--raw', place))).not.toBe('')
		expect(digestIn(await run('oras', 'resolve', '--oci-layout', 'ours:v1.0.0'))).toBe(digest)
		expect(digestIn(await run('oras', 'resolve', '--oci-layout', 'ours.tar:v1.0.0'))).toBe(digest)
		const found = await run(
			'oras',
			'discover',
			'--oci-layout',
			'ours:v1.0.0',
			'--format',
			'json',
			'--depth',
			'1',
		)
		expect((JSON.parse(found) as Discovered).referrers?.map((each) => each.digest)).toEqual([sbom])
		await run(
			'oras',
			'cp',
			'--from-oci-layout',
			'ours:v1.0.0',
			`${ours.host}/by-oras:v1`,
			'-r',
			'--to-plain-http',
		)
		expect(await referrers(ours, 'by-oras:v1')).toEqual([sbom])
	})

	it('of ours are copied by skopeo to a registry, by their digest', async () => {
		const digest = digestIn(await ok('save', `${ours.host}/app:v1.0.0`, 'ours.tar', '--force'))
		// skopeo copies images; this is one in all but its configuration.
		await run(
			'skopeo',
			'copy',
			'--dest-tls-verify=false',
			'--preserve-digests',
			'oci-archive:ours.tar:v1.0.0',
			`docker://${ours.host}/by-skopeo:v1`,
		)
		expect((await oras('resolve', `${ours.host}/by-skopeo:v1`)).trim()).toBe(digest)
	})

	it('that oras wrote are loaded, and copied from, with what points at them', async () => {
		await run(
			'oras',
			'cp',
			`${ours.host}/app:v1.0.0`,
			'--to-oci-layout',
			'theirs:v1.0.0',
			'-r',
			'--from-plain-http',
		)
		const loaded = await ok('load', 'theirs', `${ours.host}/from-oras`)
		expect(loaded).toMatch(/\/from-oras:v1\.0\.0@sha256:[0-9a-f]{64}$/)
		expect(await referrers(ours, 'from-oras:v1.0.0')).toEqual(await referrers(ours, 'app:v1.0.0'))
		await ok('copy', 'oci:theirs:v1.0.0', `${ours.host}/copied-oras`)
		expect(await referrers(ours, 'copied-oras:v1.0.0')).toHaveLength(1)
		// And what ours adds to theirs, theirs reads.
		await ok('copy', `${ours.host}/app:v1.0.0`, 'oci:theirs:added')
		expect(digestIn(await run('oras', 'resolve', '--oci-layout', 'theirs:added'))).toBe(digestIn(loaded))
	})

	it('that skopeo wrote are loaded, as a tar and as a directory', async () => {
		const from = `docker://${ours.host}/app:v1.0.0`
		for (const to of ['oci-archive:skopeo.tar:v9', 'oci:skopeo:v9'])
			await run('skopeo', 'copy', '--src-tls-verify=false', '--preserve-digests', from, to)
		const digest = (await oras('resolve', `${ours.host}/app:v1.0.0`)).trim()
		for (const source of ['skopeo.tar', 'skopeo'])
			expect(await ok('load', source, `${ours.host}/from-${source}`)).toBe(
				`${ours.host}/from-${source}:v9@${digest}`,
			)
	})
})
