import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { type Ended, environmentOf, lading, MAIN, type Project } from '../e2e/program.ts'
import { startFaultyRegistry } from './failures/registry.ts'
import { one } from './failures/case.ts'
import { onRealStackOfItsOwn, type Registry, type Stack, writeSample } from './stack/index.ts'

const APP = 'steady'

onRealStackOfItsOwn('while something is down', (own) => {
	let stack: Stack
	let cluster: readonly string[]
	let registry: Registry
	let project: Project
	let flags: readonly string[]
	/** By tag. */
	const digests = new Map<string, string>()

	beforeAll(async () => {
		stack = own()
		cluster = ['--cluster', stack.cluster]
		project = stack.project()
		registry = await stack.startRegistry({ name: 'registry-outages', pki: stack.directory('outages-pki') })
		flags = [...registry.flags, ...cluster]
		await project.ok('trust', registry.host, ...flags)
		await push('v1')
		await project.ok('deploy', APP, `${registry.host}/${APP}:v1`, ...flags)
	})

	afterEach(() => stack.mend())

	async function push(tag: string): Promise<void> {
		const directory = join(project.directory, tag)
		writeSample(directory, { name: APP, version: tag })
		const line = await project.ok('push', directory, `${registry.host}/${APP}:${tag}`, ...registry.flags)
		digests.set(tag, line.slice(line.indexOf('@') + 1))
	}

	/** Runs `sync` until `when` is on stderr; then `act` happens, and the run goes on. */
	async function syncWhile(args: readonly string[], act: () => Promise<unknown>): Promise<Ended> {
		const child = spawn(process.execPath, [MAIN, 'sync', APP, ...args, ...flags], {
			cwd: project.directory,
			env: environmentOf({ cwd: project.directory, env: { KUBECONFIG: stack.kubernetes.kubeconfig } }),
		})
		let stdout = ''
		let stderr = ''
		child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
		child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
		const ended = new Promise<Ended>((resolve) => {
			child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
		})
		try {
			await expect.poll(() => stderr, { timeout: 30_000, interval: 20 }).toMatch(/application/)
			await act()
			return await ended
		} finally {
			child.kill()
		}
	}

	/** Synced and Healthy at the digest of a tag, as Argo CD itself says. */
	async function isAt(tag: string): Promise<void> {
		const path = '{.status.sync.status} {.status.sync.revision} {.status.health.status}'
		const get = ['get', 'application', APP, '-n', 'argocd', '-o', `jsonpath=${path}`]
		expect(await stack.kubectl(...get)).toBe(`Synced ${digests.get(tag)} Healthy`)
	}

	function isClean({ stdout, stderr }: Ended): void {
		expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+|lading has a bug/m)
	}

	it('the API server is started again during sync: it ends with the truth', async () => {
		await push('v2')
		const controller = stack.process('application-controller')
		const server = stack.process('kube-apiserver')
		await controller.pause()
		const ended = await syncWhile(['v2'], async () => {
			await server.stop('SIGKILL')
			await server.restart()
			await controller.resume()
		})
		isClean(ended)
		expect(ended.code, ended.stderr).toBe(0)
		expect(ended.stdout).toContain(`${APP} is Synced and Healthy at v2 (${digests.get('v2')})`)
		await isAt('v2')
	})

	it('the API server is gone for longer than sync waits: what became of it is not known', async () => {
		await push('v3')
		const server = stack.process('kube-apiserver')
		const controller = stack.process('application-controller')
		await controller.pause()
		const ended = await syncWhile(['v3', '--timeout', '4s'], () => server.stop('SIGKILL'))
		const refused = await project.run('status', APP, ...cluster)
		await server.restart()
		await controller.resume()
		isClean(ended)
		expect(ended.code, ended.stderr).toBe(8)
		expect(ended.stderr).toContain('is not known after 4 s: the cluster')
		expect(ended.stderr).toContain(`lading status ${APP}`)
		isClean(refused)
		expect(refused.code, refused.stderr).toBe(6)
		expect(refused.stderr).toContain('cannot be reached: nothing listens there')
		// What was asked for stands: waiting again is enough.
		await project.ok('sync', APP, 'v3', ...flags)
		await isAt('v3')
	})

	it('etcd answers nobody: sync ends in time, and says so', async () => {
		const etcd = stack.process('etcd')
		const controller = stack.process('application-controller')
		await push('v4')
		await controller.pause()
		const ended = await syncWhile(['v4', '--timeout', '3s'], () => etcd.pause())
		await etcd.resume()
		await controller.resume()
		isClean(ended)
		expect(ended.code, ended.stderr).toBe(8)
		expect(ended.stdout).not.toContain('Synced')
		await project.ok('sync', APP, 'v4', ...flags)
		await isAt('v4')
	})

	it('the application-controller is down: nobody says Synced, and it is named', async () => {
		await push('v5')
		const controller = stack.process('application-controller')
		await controller.stop()
		const ended = await project.run('sync', APP, 'v5', '--timeout', '4s', ...flags)
		const status = await project.run('status', APP, '--exit-code', ...cluster)
		const doctor = await project.run('doctor', APP, ...flags)
		await controller.restart()
		for (const each of [ended, status, doctor]) isClean(each)
		expect(ended.code, ended.stderr).toBe(8)
		expect(ended.stderr).toContain('Argo CD has not compared it yet')
		expect(ended.stderr).toContain('argocd-application-controller')
		expect(status.code, status.stdout).toBe(1)
		expect(status.stdout).toContain('argocd-application-controller')
		expect(doctor.stdout).toContain('argocd-application-controller')
		await project.ok('sync', APP, 'v5', ...flags)
		await isAt('v5')
	})

	it('the repo-server is down: it is named', async () => {
		await push('v6')
		const server = stack.process('repo-server')
		await server.stop()
		// It may take a fifth of that to start.
		const ended = await project.run('sync', APP, 'v6', '--timeout', '20s', ...flags)
		await server.restart()
		isClean(ended)
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain('repo-server does not answer')
		expect(ended.stderr).toContain('app.kubernetes.io/name=argocd-repo-server')
		await project.ok('sync', APP, 'v6', ...flags)
		await isAt('v6')
	})

	it.each(['application-controller', 'repo-server', 'redis'])(
		'%s is killed during sync, and comes back: it ends with the truth',
		async (name) => {
			const tag = `during-${name}`
			await push(tag)
			const controller = stack.process('application-controller')
			await controller.pause()
			const ended = await syncWhile([tag, '--timeout', '90s'], async () => {
				await stack.process(name).stop('SIGKILL')
				await controller.resume()
				// Long enough for Argo CD to miss it.
				await new Promise((resolve) => setTimeout(resolve, 2000))
				await stack.process(name).restart()
			})
			isClean(ended)
			expect(ended.code, ended.stderr).toBe(0)
			expect(ended.stdout).toContain(`${APP} is Synced and Healthy at ${tag} (${digests.get(tag)})`)
			await isAt(tag)
		},
	)

	it('the registry stops during sync: nobody says Synced, and it is named', async () => {
		await push('during')
		const controller = stack.process('application-controller')
		await controller.pause()
		const ended = await syncWhile(['during', '--timeout', '40s'], async () => {
			await stack.process(registry.name).stop('SIGKILL')
			await controller.resume()
		})
		isClean(ended)
		expect([1, 8], ended.stderr).toContain(ended.code)
		expect(ended.stdout).not.toContain('Synced')
		expect(ended.stderr).toContain(`Nothing answers at ${registry.host}`)
		await stack.process(registry.name).restart()
		await project.ok('sync', APP, 'during', ...flags)
		await isAt('during')
	})

	it('Redis is down: the truth all the same', async () => {
		await push('v7')
		const redis = stack.process('redis')
		await redis.stop()
		const ended = await project.run('sync', APP, 'v7', '--timeout', '60s', ...flags)
		await redis.restart()
		isClean(ended)
		expect(ended.code, ended.stderr).toBe(0)
		await isAt('v7')
	})

	it('the registry has stopped: it is named, and what runs goes on', async () => {
		const server = stack.process(registry.name)
		await server.stop()
		const ended = await project.run('sync', APP, ...flags)
		const pods = await stack.kubectl('get', 'pods', '-n', APP, '-o', 'name')
		const doctor = await project.run('doctor', APP, ...flags)
		await server.restart()
		for (const each of [ended, doctor]) isClean(each)
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stderr).toContain(`Nothing answers at ${registry.host}`)
		expect(doctor.stdout).toContain(`Nothing answers at ${registry.host}`)
		expect(doctor.code).toBe(1)
		expect(pods).not.toBe('')
		await project.ok('sync', APP, ...flags)
		await isAt('v7')
	})

	it('the registry is slower than Argo CD waits', async () => {
		const slow = await startFaultyRegistry({ pki: stack.directory('slow-pki') })
		const controller = stack.process('application-controller')
		const limit = 'ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_TIMEOUT_SECONDS'
		await controller.restart({ [limit]: '2' })
		try {
			await project.ok('trust', slow.host, '--ca', slow.caPath, ...cluster)
			// From the start: what Argo CD has fetched once it keeps.
			slow.put('slow', { v1: one('slow') }, ({ headers }) =>
				String(headers['user-agent']).startsWith('lading')
					? undefined
					: new Promise((resolve) => {
							setTimeout(() => resolve({ status: 503 }), 10_000)
						}),
			)
			const reference = `${slow.host}/slow:v1`
			await project.ok('deploy', 'slow', reference, '--ca', slow.caPath, ...cluster, '--no-wait')
			const ended = await project.run('sync', 'slow', '--ca', slow.caPath, ...cluster, '--timeout', '60s')
			isClean(ended)
			// No, or not within the time: Argo CD goes on trying, and may say nothing new meanwhile.
			expect([1, 8], ended.stderr).toContain(ended.code)
			expect(ended.stderr).toContain('took longer than')
			expect(ended.stderr).toContain('controller.repo.server.timeout.seconds')
		} finally {
			await controller.restart({ [limit]: '60' })
			slow.put('slow', { v1: one('slow') })
			await project.ok('undeploy', 'slow', ...cluster, '--timeout', '60s')
			await slow.close()
		}
	})

	it.each(['SIGINT', 'SIGTERM'] as const)(
		'%s during the wait: what it left, and how to go on',
		async (signal) => {
			const tag = signal === 'SIGINT' ? 'v8' : 'v9'
			await push(tag)
			const controller = stack.process('application-controller')
			await controller.pause()
			const ended = await lading(['sync', APP, tag, ...flags], {
				cwd: project.directory,
				env: { KUBECONFIG: stack.kubernetes.kubeconfig },
				kill: { when: /application/, signal },
			})
			await controller.resume()
			isClean(ended)
			expect(ended.code, ended.stderr).toBe(signal === 'SIGINT' ? 130 : 143)
			expect(ended.stdout).toBe('')
			expect(ended.stderr).toContain(`lading status ${APP}`)
			// It was moved, and Argo CD needs nobody to wait for it.
			await project.ok('sync', APP, ...flags)
			await isAt(tag)
		},
	)
})
