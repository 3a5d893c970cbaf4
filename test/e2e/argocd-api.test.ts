import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type FakeArgocdServer, startFakeArgocdServer, TOKEN } from '../contract/fake-argocd-server.ts'
import { type Ended, lading } from './program.ts'

const SAMPLE = resolve(import.meta.dirname, '../../sample-manifests')
const REFRESH = 'argocd.argoproj.io/refresh'

/** The built program with a token and no kubeconfig, before a server that speaks Argo CD's shapes. */
describe.sequential('--cluster argocd:HOST', () => {
	let directory = ''
	let registry: RunningRegistry
	let server: FakeArgocdServer
	let controller: NodeJS.Timeout
	let host = ''
	/** What the revisions of the repository are, as the controller would find it. */
	const digests = new Map<string, string>()

	const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> => {
		const cluster = ['--cluster', `argocd:${server.url.origin}`]
		const token = { ARGOCD_AUTH_TOKEN: TOKEN, SSL_CERT_FILE: join(directory, 'registry/ca.crt') }
		return lading([...args, ...cluster], { cwd: directory, env: { ...token, ...env } })
	}
	const ok = async (...args: readonly string[]): Promise<Ended> => {
		const ended = await run(args)
		expect(ended.code, ended.stderr).toBe(0)
		return ended
	}
	const push = async (tag: string, replicas: number): Promise<string> => {
		const path = join(directory, 'manifests/deployment.yaml')
		writeFileSync(path, readFileSync(path, 'utf8').replace(/replicas: \d+/, `replicas: ${replicas}`))
		const { stdout } = await ok('push', 'manifests', `${host}/shop:${tag}`)
		const digest = /sha256:[0-9a-f]{64}/.exec(stdout)?.[0] ?? stdout
		digests.set(tag, digest)
		return digest
	}

	/** Argo CD's controller, as far as it shows: a comparison asked for ends with Synced and an entry of the history. */
	const reconcile = (): void => {
		for (const [name, application] of server.applications) {
			const { metadata, spec, status } = application as {
				metadata: { annotations?: Record<string, string> }
				spec: { source: { targetRevision: string } }
				status?: { history?: { id: number; revision: string }[] }
			}
			if (metadata.annotations?.[REFRESH] === undefined) continue
			const asked = spec.source.targetRevision
			const revision = asked.split('@')[1] ?? digests.get(asked) ?? asked
			const history = status?.history ?? []
			const entry = { id: history.length, revision, deployedAt: '2026-01-01T00:00:00Z', source: spec.source }
			server.change(name, {
				metadata: { annotations: { [REFRESH]: null } },
				status: {
					sync: { status: 'Synced', revision },
					health: { status: 'Healthy' },
					resources: [{ kind: 'Service', version: 'v1', name: 'shop', namespace: 'shop', status: 'Synced' }],
					history: history.at(-1)?.revision === revision ? history : [...history, entry],
				},
			})
		}
	}

	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'lading-'))
		cpSync(SAMPLE, join(directory, 'manifests'), { recursive: true })
		registry = await serveRegistry({ dataDirectory: join(directory, 'registry'), port: 0 })
		host = `localhost:${registry.port}`
		server = await startFakeArgocdServer()
		controller = setInterval(reconcile, 20)
	})
	afterAll(async () => {
		clearInterval(controller)
		await server?.close()
		await registry?.close()
		rmSync(directory, { recursive: true, force: true })
	})

	it('trust, push and deploy', async () => {
		await ok('trust', host, '--ca', join(directory, 'registry/ca.crt'))
		expect(server.certificates.get('localhost')).toContain('BEGIN CERTIFICATE')
		expect((await ok('trust', host, '--ca', join(directory, 'registry/ca.crt'))).stderr).toContain(
			'trusted already',
		)
		const digest = await push('v1.0.0', 2)
		const { stdout } = await ok('deploy', 'shop', `${host}/shop:v1.0.0`)
		expect(stdout).toContain(`shop is Synced and Healthy at v1.0.0 (${digest})`)
		expect(server.repositories.get(`oci://${host}/shop`)).toMatchObject({ type: 'oci' })
	})

	it('sync, history and rollback', async () => {
		const digest = await push('v1.1.0', 3)
		expect((await ok('sync', 'shop', 'v1.1.0')).stdout).toContain(digest)
		const { history } = JSON.parse((await ok('history', 'shop', '--json')).stdout) as { history: unknown[] }
		expect(history).toMatchObject([
			{ id: 1, revision: digest, current: true, tags: ['v1.1.0'] },
			{ id: 0, tags: ['v1.0.0'] },
		])
		const back = await ok('rollback', 'shop')
		expect(back.stdout).toContain(`at v1.0.0 (${digests.get('v1.0.0')})`)
		expect(back.stderr).toContain(`lading sync shop v1.1.0 --cluster argocd:${server.url.origin}`)
	})

	it('a push refreshes what follows the tag', async () => {
		await push('latest', 4)
		await ok('sync', 'shop', 'latest')
		expect((await ok('status', 'shop')).stdout).toContain('latest')
		const before = server.requests.length
		const digest = await push('latest', 5)
		expect(server.requests.slice(before)).toContain('GET /api/v1/applications/shop?refresh=normal')
		expect(digests.get('latest')).toBe(digest)
	})

	it('sync, rollback, deploy and up warn of what only looks well, each thing once', async () => {
		const annotation = 'argocd.argoproj.io/manifest-generate-paths'
		const annotate = (value: string | null): void =>
			server.change('shop', { metadata: { annotations: { [annotation]: value } } })
		const timesTold = ({ stderr }: Ended): readonly number[] =>
			['warning: The annotation manifest-generate-paths is set', 'next:    Remove it: '].map(
				(text) => stderr.split(text).length - 1,
			)
		const once = [1, 1]
		expect(timesTold(await ok('sync', 'shop', 'v1.0.0'))).toEqual([0, 0])
		annotate('.')
		const synced = await ok('sync', 'shop', 'v1.1.0', '--json')
		expect(timesTold(synced)).toEqual(once)
		const { sync } = JSON.parse(synced.stdout) as { sync: { sync: object } }
		expect(sync.sync).toMatchObject({ explanations: [{ cause: 'manifest-generate-paths' }] })
		expect(timesTold(await ok('rollback', 'shop'))).toEqual(once)
		const deployed = await ok('deploy', 'shop', `${host}/shop:latest`, '--json')
		expect(timesTold(deployed)).toEqual(once)
		const { deploy } = JSON.parse(deployed.stdout) as { deploy: { sync: object } }
		expect(deploy.sync).toMatchObject({ explanations: [{ cause: 'manifest-generate-paths' }] })
		const again = await ok('deploy', 'shop', `${host}/shop:latest`, '--json')
		expect(again.stderr).toContain('runs latest already')
		expect(timesTold(again)).toEqual(once)
		expect(JSON.parse(again.stdout)).toMatchObject({
			deploy: { changed: false, sync: { explanations: [{ cause: 'manifest-generate-paths' }] } },
		})
		const up = ['up', 'manifests', '--name', 'shop', '--registry', host] as const
		const brought = await ok(...up, '--json')
		expect(timesTold(brought)).toEqual(once)
		const document = JSON.parse(brought.stdout) as { up: { sync: object } }
		expect(document.up.sync).toMatchObject({ explanations: [{ cause: 'manifest-generate-paths' }] })
		annotate(null)
		expect(timesTold(await ok(...up))).toEqual([0, 0])
		// What it proposes may be typed as it stands.
		cpSync(join(directory, 'manifests'), join(directory, "it's mine; rm"), { recursive: true })
		const quoted = await ok('up', "it's mine; rm", ...up.slice(2))
		expect(quoted.stdout).toContain(`push 'it'\\''s mine; rm' ${host}/shop:`)
	})

	it('doctor tells who we are', async () => {
		const { findings } = JSON.parse((await run(['doctor', 'shop', '--json'])).stdout) as {
			findings: unknown[]
		}
		expect(findings).toContainEqual(
			expect.objectContaining({ check: 'argocd', status: 'ok', seen: 'Argo CD v3.6.1+unknown, as ci' }),
		)
		expect(findings).toContainEqual(expect.objectContaining({ check: 'repository', status: 'ok' }))
	})

	it('a token that is over, none at all, and one that may not', async () => {
		const over = await run(['sync', 'shop'], { ARGOCD_AUTH_TOKEN: 'old' })
		expect(over.code).toBe(4)
		expect(over.stderr).toContain('has expired')
		expect(over.stderr).not.toContain('old')
		expect((await run(['sync', 'shop'], { ARGOCD_AUTH_TOKEN: '' })).code).toBe(4)
		const other = await run(['status'], { ARGOCD_SERVER: 'argocd.example.com' })
		expect(other.code).toBe(2)
		expect(other.stderr).toContain('is for argocd.example.com, not for')
		expect((await run(['status'], { ARGOCD_SERVER: server.url.host })).code).toBe(0)
		const message = 'permission denied: applications, update, default/shop, sub: ci, iat: x'
		server.refuse.push({ match: /^PATCH/, status: 403, code: 7, message })
		const refused = await run(['sync', 'shop', 'v1.0.0'])
		expect(refused.code).toBe(4)
		expect(refused.stderr).toContain('p, ci, applications, update, default/shop, allow')
		expect((await run(['status', 'other'])).code).toBe(7)
	})

	it('undeploy and down remove the Application and its repository', async () => {
		await ok('deploy', 'other', `${host}/shop:v1.0.0`)
		await ok('undeploy', 'shop')
		expect([...server.applications.keys()]).toEqual(['other'])
		expect(server.repositories.size).toBe(1)
		const down = await lading(['down'], { cwd: directory, env: { ARGOCD_AUTH_TOKEN: TOKEN } })
		expect(down.code, down.stderr).toBe(0)
		expect(server.applications.size + server.repositories.size).toBe(0)
	})
})
