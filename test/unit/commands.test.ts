import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmdirSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/app.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'

const SAMPLE = join(import.meta.dirname, '../../sample-manifests')

let directory = ''
let registry: RunningRegistry
let host = ''

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	cpSync(SAMPLE, join(directory, 'manifests'), { recursive: true })
	registry = await serveRegistry({ dataDirectory: join(directory, 'registry'), port: 0 })
	host = `localhost:${registry.port}`
})

afterAll(async () => {
	await registry?.close()
	rmSync(directory, { recursive: true, force: true })
})

interface Outcome {
	readonly code: number
	readonly stdout: string
	readonly stderr: string
}

/** A whole command in this process, without a terminal and without the user's environment. */
async function lading(...args: readonly string[]): Promise<Outcome> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): { write(text: string): void } => ({
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args,
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Readable.from(['s3cret\n']),
		cwd: directory,
		env: { HOME: directory },
		version: '9.9.9',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, ...written }
}

describe.sequential('whole commands in process', () => {
	const ca = (): readonly string[] => ['--ca', join(directory, 'registry/ca.crt')]
	let digest = ''

	it('registry status says how a registry that is served in the foreground is shown', async () => {
		const { code, stderr } = await lading('registry', 'status')
		expect(code).toBe(6)
		expect(stderr).toContain('lading registry up')
		expect(stderr).toContain('lading registry status --data DIR')
	})

	it('check says yes and lists what would be deployed', async () => {
		const { code, stdout } = await lading('check', 'manifests', '--json')
		expect(code).toBe(0)
		const { accepted, resources } = JSON.parse(stdout) as { accepted: boolean; resources: { kind: string }[] }
		expect(accepted).toBe(true)
		expect(resources.map(({ kind }) => kind).toSorted()).toEqual(['Deployment', 'Namespace', 'Service'])
	})

	it('push answers with exactly one line', async () => {
		const { code, stdout, stderr } = await lading(
			'push',
			'manifests',
			`${host}/app:v1.0.0`,
			'--tag',
			'latest',
			...ca(),
		)
		expect(code, stderr).toBe(0)
		digest = /^localhost:\d+\/app@(sha256:[0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? ''
		expect(digest).not.toBe('')
	})

	it('push of the same says unchanged, and a changed version is refused', async () => {
		const again = await lading('push', 'manifests', `${host}/app:v1.0.0`, ...ca())
		expect(again).toMatchObject({ code: 0, stdout: `${host}/app@${digest}\n` })
		expect(again.stderr).toContain('unchanged')
		const path = join(directory, 'manifests/deployment.yaml')
		const text = readFileSync(path, 'utf8')
		writeFileSync(path, text.replace('replicas: 2', 'replicas: 5'))
		const refused = await lading('push', 'manifests', `${host}/app:v1.0.0`, ...ca(), '--json')
		expect(refused.code).toBe(1)
		expect(JSON.parse(refused.stdout)).toMatchObject({ version: 1, error: { code: 'TAG_EXISTS' } })
		expect((await lading('push', 'manifests', `${host}/app:v1.1.0`, ...ca(), '--pin')).stdout).toMatch(
			/app:v1\.1\.0@sha256:/,
		)
	})

	it('diff gives no credentials to two registries', async () => {
		const elsewhere = `127.0.0.1:${registry.port}/app:v1.0.0`
		const signIn = ['--username', 'a', '--password-stdin']
		const two = await lading('diff', `${host}/app:v1.0.0`, elsewhere, ...ca(), ...signIn)
		expect(two.code).toBe(2)
		expect(two.stderr).toContain(`${host} and 127.0.0.1:${registry.port}`)
		expect((await lading('diff', `${host}/app:v1.0.0`, 'manifests', ...ca(), ...signIn)).code).toBe(1)
	})

	it('diff goes by resource and field', async () => {
		const { code, stdout } = await lading('diff', `${host}/app:v1.0.0`, 'manifests', ...ca())
		expect(code).toBe(1)
		expect(stdout).toContain('spec.replicas: 2 → 5')
		expect((await lading('diff', `${host}/app:v1.1.0`, 'manifests', ...ca())).code).toBe(0)
	})

	it('tags lists versions first, inspect shows the files, pull writes them', async () => {
		expect((await lading('tags', `${host}/app`, ...ca())).stdout).toBe('v1.1.0\nv1.0.0\nlatest\n')
		expect((await lading('inspect', `${host}/app:latest`, ...ca())).stdout).toContain('namespace.yaml')
		const pulled = await lading('pull', `${host}/app@${digest}`, 'pulled', ...ca())
		expect(pulled.code, pulled.stderr).toBe(0)
		for (const file of ['namespace.yaml', 'deployment.yaml', 'service.yaml']) {
			expect(readFileSync(join(directory, 'pulled', file))).toEqual(readFileSync(join(SAMPLE, file)))
		}
	})

	it('pull --force keeps other files and says so, or changes nothing', async () => {
		const pull = ['pull', `${host}/app@${digest}`, 'over', '--force', ...ca()]
		const at = (name: string): string => join(directory, 'over', name)
		mkdirSync(at('service.yaml'), { recursive: true })
		for (const name of ['deployment.yaml', 'old.yaml']) writeFileSync(at(name), 'mine')
		const refused = await lading(...pull)
		expect(refused.code).toBe(3)
		expect(refused.stderr).toMatch(/service\.yaml is a directory there, and a file in the artifact/)
		expect(refused.stderr).toMatch(/^next: {2}Nothing was changed\. /m)
		expect(readFileSync(at('deployment.yaml'), 'utf8')).toBe('mine')
		rmdirSync(at('service.yaml'))
		const pulled = await lading(...pull, '--json')
		expect(pulled.code, pulled.stderr).toBe(0)
		expect(JSON.parse(pulled.stdout)).toMatchObject({ otherFiles: 1 })
		expect(pulled.stderr).toContain(
			`warning: 1 file in ${join(directory, 'over')} is not of this artifact and stays\nnext: `,
		)
		expect(readFileSync(at('old.yaml'), 'utf8')).toBe('mine')
		expect(readFileSync(at('deployment.yaml'))).toEqual(readFileSync(join(SAMPLE, 'deployment.yaml')))
	})

	it('pull tells of what an interrupted one has left', async () => {
		const left = join(directory, '.beside.lading-0123456789ab')
		mkdirSync(left)
		utimesSync(left, 1000, 1000)
		const { stderr } = await lading('pull', `${host}/app@${digest}`, 'beside', ...ca())
		expect(stderr).toContain(`warning: an interrupted run has left ${left}\nnext: `)
		expect(existsSync(left)).toBe(true)
	})

	it('a CA that is not trusted is exit code 5 and names the flag', async () => {
		const { code, stderr } = await lading('tags', `${host}/app`)
		expect(code).toBe(5)
		expect(stderr).toContain('--ca')
	})

	it('deploy --print makes both objects and touches no cluster', async () => {
		const { code, stdout } = await lading(
			'deploy',
			'app',
			`${host}/app:v1.0.0`,
			'--print',
			'--cluster-registry',
			'registry.lan',
		)
		expect(code).toBe(0)
		expect(stdout).toContain('type: oci')
		expect(stdout).toContain('repoURL: oci://registry.lan/app')
		expect(stdout).toContain('targetRevision: v1.0.0')
	})

	it('up --print makes the same objects without a registry or a cluster', async () => {
		const { code, stdout } = await lading(
			'up',
			'manifests',
			'--name',
			'shop',
			'--tag',
			'v3.0.0',
			'--print',
			'--json',
		)
		expect(code).toBe(0)
		const { objects } = JSON.parse(stdout) as { objects: { kind: string }[] }
		expect(objects.map(({ kind }) => kind)).toEqual(['Secret', 'Application'])
		expect(objects[1]).toMatchObject({
			metadata: { name: 'shop' },
			spec: { source: { repoURL: 'oci://kind-registry:5000/shop', targetRevision: 'v3.0.0' } },
		})
	})

	it('completion proposes commands and flags', async () => {
		expect((await lading('__complete', 'pu')).stdout).toMatch(/^push\t/m)
		expect((await lading('__complete', 'push', '--plain')).stdout).toContain('--plain-http')
		expect((await lading('completion', 'bash')).stdout).toContain('complete')
	})

	it('an unknown flag is wrong usage, as text and as a document', async () => {
		expect(await lading('push', 'a', 'b', '--foo')).toMatchObject({ code: 2, stdout: '' })
		const { stdout } = await lading('push', 'a', 'b', '--foo', '--json')
		expect(JSON.parse(stdout)).toMatchObject({ version: 1, error: { code: 'USAGE' } })
	})
})
