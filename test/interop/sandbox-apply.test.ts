import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates, listen, type Listener } from '../../src/http/server/index.ts'
import { openSandbox, sandboxKubeconfig, type Sandbox } from '../../src/sandbox/api/index.ts'

/** The sandbox's API as the real kubectl writes to it. Fails where kubectl is missing. */

const run = promisify(execFile)
const TOKEN = 'test-token'
let directory = ''
let sandbox: Sandbox
let listener: Listener

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	sandbox = await openSandbox({ directory: join(directory, 'sandbox'), token: TOKEN })
	const { caPem, certPem, keyPem } = await ensureCertificates(join(directory, 'tls'), {
		names: ['127.0.0.1'],
	})
	const tls = { cert: certPem, key: keyPem }
	listener = await listen(sandbox.handler, { host: '127.0.0.1', port: 0, tls })
	const kubeconfig = sandboxKubeconfig({ server: listener.url, caPem, token: TOKEN })
	await writeFile(join(directory, 'kubeconfig'), kubeconfig, { mode: 0o600 })
})

afterAll(async () => {
	await listener.close()
	await sandbox.close()
	await rm(directory, { recursive: true, force: true })
})

interface Answer {
	readonly code: number
	readonly stdout: string
	readonly stderr: string
}

async function kubectl(...args: readonly string[]): Promise<Answer> {
	const connection = [`--cache-dir=${join(directory, 'cache')}`]
	const env = { ...process.env, KUBECONFIG: join(directory, 'kubeconfig'), NO_PROXY: '*' }
	try {
		const { stdout, stderr } = await run('kubectl', [...connection, ...args], { env })
		return { code: 0, stdout, stderr }
	} catch (error) {
		if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error
		return { code: Number(error.code), stdout: text(error.stdout), stderr: text(error.stderr) }
	}
}

function text(value: unknown): string {
	return typeof value === 'string' ? value : ''
}

async function done(...args: readonly string[]): Promise<string> {
	const { code, stdout, stderr } = await kubectl(...args)
	if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
	return stdout
}

const field = (name: string, path: string): Promise<string> =>
	done('get', 'deployment', name, `--output=jsonpath={${path}}`)

async function manifest(
	name: string,
	spec: { readonly replicas: number; readonly image?: string; readonly label?: string },
) {
	const { replicas, image = 'web:1', label } = spec
	const file = join(directory, `${name}.json`)
	await writeFile(
		file,
		JSON.stringify({
			apiVersion: 'apps/v1',
			kind: 'Deployment',
			metadata: { name, namespace: 'default', ...(label !== undefined && { labels: { label } }) },
			spec: {
				replicas,
				selector: { matchLabels: { app: name } },
				template: {
					metadata: { labels: { app: name } },
					spec: { containers: [{ name: 'web', image, ports: [{ containerPort: 80 }] }] },
				},
			},
		}),
	)
	return `--filename=${file}`
}

describe('kubectl apply', () => {
	it('client-side: creates, changes, takes away, and sees when nothing changed', async () => {
		const first = await manifest('client', { replicas: 1, label: 'x' })
		expect(await done('apply', first)).toContain('created')
		expect(await done('apply', first)).toContain('unchanged')
		const second = await manifest('client', { replicas: 2 })
		expect(await done('apply', second)).toContain('configured')
		expect(await field('client', '.spec.replicas')).toBe('2')
		expect(await field('client', '.metadata.labels')).toBe('')
	})

	it('server-side: applied again moves no resourceVersion, and fields given up go', async () => {
		const first = await manifest('server', { replicas: 1, label: 'x' })
		await done('apply', '--server-side', first)
		const version = await field('server', '.metadata.resourceVersion')
		await done('wait', '--for=jsonpath={.status.readyReplicas}=1', 'deployment/server', '--timeout=20s')
		const settled = await field('server', '.metadata.resourceVersion')
		expect(Number(settled)).toBeGreaterThan(Number(version))
		await done('apply', '--server-side', first)
		expect(await field('server', '.metadata.resourceVersion')).toBe(settled)
		await done('apply', '--server-side', await manifest('server', { replicas: 1 }))
		expect(await field('server', '.metadata.labels')).toBe('')
	})

	it("server-side: another manager's value is a conflict, and taken by force", async () => {
		await done('apply', '--server-side', await manifest('contested', { replicas: 1 }))
		await done('scale', 'deployment/contested', '--replicas=3')
		const wanted = await manifest('contested', { replicas: 2 })
		const refused = await kubectl('apply', '--server-side', '--field-manager=other', wanted)
		expect(refused.code).not.toBe(0)
		expect(refused.stderr).toContain('.spec.replicas')
		expect(refused.stderr).toContain('--force-conflicts')
		expect(await field('contested', '.spec.replicas')).toBe('3')
		await done('apply', '--server-side', '--field-manager=other', '--force-conflicts', wanted)
		expect(await field('contested', '.spec.replicas')).toBe('2')
	})

	it('goes from client-side to server-side without a conflict', async () => {
		await done('apply', await manifest('moved', { replicas: 1, label: 'x' }))
		await done('apply', '--server-side', await manifest('moved', { replicas: 2, image: 'web:2' }))
		expect(await field('moved', '.spec.replicas')).toBe('2')
		const managers = await done(
			'get',
			'deployment',
			'moved',
			'--show-managed-fields',
			'--output=jsonpath={.metadata.managedFields[*].manager}',
		)
		expect(managers).not.toContain('kubectl-client-side-apply')
	})
})

describe('kubectl patch', () => {
	it('of the three kinds', async () => {
		await done('apply', await manifest('patched', { replicas: 1 }))
		const patch = (kind: string, body: unknown) =>
			done('patch', 'deployment', 'patched', `--type=${kind}`, `--patch=${JSON.stringify(body)}`)
		await patch('strategic', {
			spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } },
		})
		const names = await field('patched', '.spec.template.spec.containers[*].name')
		expect(names.split(' ').sort()).toEqual(['side', 'web'])
		await patch('merge', { spec: { replicas: 2 }, metadata: { annotations: { a: 'b' } } })
		expect(await field('patched', '.spec.replicas')).toBe('2')
		await patch('json', [{ op: 'replace', path: '/spec/replicas', value: 4 }])
		expect(await field('patched', '.spec.replicas')).toBe('4')
		const body = JSON.stringify([{ op: 'test', path: '/spec/replicas', value: 1 }])
		const refused = await kubectl('patch', 'deployment', 'patched', '--type=json', `--patch=${body}`)
		expect(refused.code).not.toBe(0)
	})
})
