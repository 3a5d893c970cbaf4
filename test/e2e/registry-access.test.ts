import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { createHash, randomBytes } from 'node:crypto'
import { hashSync } from 'bcryptjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../src/http/server/index.ts'
import { createProject, type Ended, environmentOf, lading, MAIN, type Project } from './program.ts'

interface Served {
	readonly process: ChildProcess
	readonly port: number
	readonly host: string
	readonly ca: string
	readonly metrics: string | undefined
	/** What it wrote to standard error so far. */
	readonly talk: () => string
	/** By SIGTERM. @returns its exit code */
	readonly stop: () => Promise<number | null>
}

let project: Project
let data: string
const running: Served[] = []

beforeEach(() => {
	project = createProject()
	data = join(project.directory, 'registry')
})
afterEach(async () => {
	await Promise.all(running.splice(0).map((served) => served.stop()))
	await project.remove()
})

async function serve(...flags: readonly string[]): Promise<Served> {
	const args = [MAIN, 'registry', 'serve', '--json', '--port', '0', '--data', data, ...flags]
	const env = environmentOf({ cwd: project.directory })
	const child = spawn(process.execPath, args, {
		cwd: project.directory,
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let out = ''
	let talk = ''
	child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text))
	const ended = once(child, 'exit')
	const answered = new Promise<void>((resolve, reject) => {
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			out += text
			if (out.trimEnd().endsWith('\n}')) resolve()
		})
		child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${talk}`)))
	})
	await answered
	const { registry } = JSON.parse(out) as { registry: { url: string; metrics?: string } }
	const port = Number(new URL(registry.url).port)
	const served: Served = {
		process: child,
		port,
		host: `127.0.0.1:${port}`,
		ca: join(data, 'ca.crt'),
		metrics: registry.metrics,
		talk: () => talk,
		async stop() {
			// A second signal would end it at once.
			if (!child.killed) child.kill('SIGTERM')
			await ended
			return child.exitCode
		},
	}
	running.push(served)
	return served
}

function push(served: Served, tag: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
	const args = ['push', 'sample-manifests', `${served.host}/app:${tag}`, '--ca', served.ca]
	return lading(args, { cwd: project.directory, env })
}

function tags(served: Served, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
	return lading(['tags', `${served.host}/app`, '--ca', served.ca], { cwd: project.directory, env })
}

const as = (user: string, password: string): Record<string, string> => ({
	LADING_USERNAME: user,
	LADING_PASSWORD: password,
})

function users(path: string, passwords: Readonly<Record<string, string>>): void {
	const text = Object.entries(passwords).map(([user, password]) => `${user}:${hashSync(password, 4)}\n`)
	writeFileSync(`${path}.new`, text.join(''))
	renameSync(`${path}.new`, path)
}

describe('a registry for a network', () => {
	it('is not opened without anybody to let in', async () => {
		const args = ['registry', 'serve', '--data', data, '--host', '0.0.0.0', '--port', '0']
		const refused = await lading(args, { cwd: project.directory })
		expect(refused.code).toBe(2)
		expect(refused.stderr).toContain('registry token create')
	})

	it('takes tokens for what they are for, until they are revoked', async () => {
		const writer = await project.ok(
			'registry',
			'token',
			'create',
			'ci',
			'--write',
			'--expires',
			'90d',
			'--data',
			data,
		)
		const { token } = (await project.json(
			'registry',
			'token',
			'create',
			'argocd',
			'--read',
			'--data',
			data,
		)) as {
			token: { token: string; id: string }
		}
		const served = await serve('--access-log')
		expect((await push(served, 'v1.0.0')).code).toBe(4)
		expect((await push(served, 'v1.0.0', as('x', token.token))).code).toBe(4)
		const pushed = await push(served, 'v1.0.0', as('x', writer))
		expect(pushed.code, pushed.stderr).toBe(0)
		// As docker login leaves it behind.
		const docker = join(project.directory, 'docker')
		mkdirSync(docker)
		const auth = Buffer.from(`argocd:${token.token}`).toString('base64')
		writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [served.host]: { auth } } }))
		expect(await tags(served, { DOCKER_CONFIG: docker })).toMatchObject({ code: 0, stdout: 'v1.0.0\n' })

		const { tokens } = (await project.json('registry', 'token', 'list', '--data', data)) as {
			tokens: object[]
		}
		expect(tokens).toMatchObject([
			{ name: 'ci', right: 'write' },
			{ name: 'argocd', right: 'read', id: token.id },
		])
		expect(JSON.stringify(tokens)).not.toContain('sha256')
		await project.ok('registry', 'token', 'revoke', token.id, '--data', data)
		await expect
			.poll(async () => (await tags(served, { DOCKER_CONFIG: docker })).code, { timeout: 10_000 })
			.toBe(4)

		const lines = served
			.talk()
			.trim()
			.split('\n')
			.filter((line) => line.startsWith('{'))
		const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
		expect(entries).toContainEqual(
			expect.objectContaining({ user: 'ci', method: 'PUT', route: 'manifest', status: 201 }),
		)
		expect(served.talk()).not.toContain(writer.slice(20))
		expect(served.talk()).not.toContain(token.token.slice(20))
	})

	it('takes a changed password file, lets everybody read where asked to, and makes who guesses wait', async () => {
		const htpasswd = join(project.directory, 'users')
		users(htpasswd, { ada: 'old' })
		const config = join(project.directory, 'registry.yaml')
		writeFileSync(
			config,
			'auth: { htpasswd: users, anonymous: read, failures: 2 }\nlisten: { metrics: "127.0.0.1:0" }\n',
		)
		const served = await serve('--config', config)
		expect((await push(served, 'v1.0.0', as('ada', 'old'))).code).toBe(0)
		expect(await tags(served)).toMatchObject({ code: 0, stdout: 'v1.0.0\n' })
		expect((await push(served, 'v2.0.0')).code).toBe(4)
		users(htpasswd, { ada: 'new' })
		await expect
			.poll(async () => (await push(served, 'v2.0.0', as('ada', 'new'))).code, { timeout: 20_000 })
			.toBe(0)

		const guess = async (): Promise<{ status: number | undefined; retryAfter: string | undefined }> => {
			const [status, headers] = await head(served, '/v2/', basic('bob', 'guess'))
			return { status, retryAfter: headers['retry-after'] }
		}
		expect([(await guess()).status, (await guess()).status]).toEqual([401, 401])
		const third = await guess()
		expect(third.status).toBe(429)
		expect(Number(third.retryAfter)).toBeGreaterThan(0)
		const metrics = await (await fetch(`${served.metrics}/metrics`)).text()
		expect(metrics).toMatch(/login_failures_total\{kind="limited"\} [1-9]/)
		expect((await fetch(`${served.metrics}/readyz`)).status).toBe(200)
	})

	it('takes a changed certificate', async () => {
		const cert = join(project.directory, 'tls.crt')
		const key = join(project.directory, 'tls.key')
		const issue = async (name: string): Promise<void> => {
			const directory = join(project.directory, name)
			await ensureCertificates(directory, { names: [name] })
			copyFileSync(join(directory, 'server.key'), key)
			copyFileSync(join(directory, 'server.crt'), cert)
		}
		await issue('one.example')
		const served = await serve('--tls-cert', cert, '--tls-key', key)
		expect(await nameOf(served)).toBe('one.example')
		await issue('two.example')
		await expect.poll(async () => await nameOf(served), { timeout: 20_000 }).toBe('two.example')
	})

	it('is shown by its directory, with and without its server', async () => {
		const htpasswd = join(project.directory, 'users')
		users(htpasswd, { ann: 'secret' })
		const served = await serve('--htpasswd', htpasswd)
		expect((await push(served, 'v1.0.0', as('ann', 'secret'))).code).toBe(0)
		const status = async (...flags: readonly string[]): Promise<Ended> =>
			await lading(['registry', 'status', '--data', 'registry', ...flags], { cwd: project.directory })
		const document = async (): Promise<unknown> => JSON.parse((await status('--json')).stdout)
		const content = { repositories: 1, tags: 1, artifacts: 1, bytes: expect.any(Number) }
		const pushed = { repository: 'app', tag: 'v1.0.0' }

		expect(await document()).toMatchObject({
			registry: {
				running: true,
				url: `https://127.0.0.1:${served.port}`,
				ca: served.ca,
				content: { ...content, pushes: [{ ...pushed, user: 'ann' }] },
			},
		})
		expect((await status()).stdout).toMatch(/1 artifact in 1 repository, 1 tag, [^]*app:v1\.0\.0 +ann/)

		// Lock and door of a server that was killed are still there.
		served.process.kill('SIGKILL')
		await once(served.process, 'exit')
		const before = readdirSync(data, { recursive: true })
		expect(await document()).toMatchObject({
			registry: { running: false, dataDirectory: data, content: { ...content, pushes: [pushed] } },
		})
		expect((await status()).stdout).toMatch(
			/^Registry +no server runs\nDirectory +\S+registry\nContent +1 artifact/,
		)
		expect(readdirSync(data, { recursive: true })).toEqual(before)

		const none = await lading(['registry', 'status', '--data', 'sample-manifests'], {
			cwd: project.directory,
		})
		expect(none.code).toBe(7)
		expect(none.stderr).toMatch(/there is no registry in \S+sample-manifests/)
	})

	it('finishes an upload that is under way when it is told to stop', async () => {
		const served = await serve()
		const content = Buffer.alloc(300_000, 'late ')
		const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
		const upload = request({
			host: '127.0.0.1',
			port: served.port,
			method: 'POST',
			path: `/v2/app/blobs/uploads/?digest=${digest}`,
			ca: readFileSync(served.ca),
			headers: { 'content-length': content.byteLength },
			agent: false,
		})
		const answered = once(upload, 'response')
		upload.write(content.subarray(0, 100_000))
		await expect.poll(async () => (await head(served, '/readyz'))[0]).toBe(200)
		served.process.kill('SIGTERM')
		await expect.poll(async () => await head(served, '/livez').catch(() => 'closed')).toBe('closed')
		upload.end(content.subarray(100_000))
		const [response] = (await answered) as [{ statusCode: number; resume(): void }]
		expect(response.statusCode).toBe(201)
		response.resume()
		expect(await served.stop()).toBe(0)
		const again = await serve()
		expect((await head(again, `/v2/app/blobs/${digest}`))[0]).toBe(200)
	})
})

describe('events of a registry', () => {
	let endpoint: Server
	let received: { readonly tag: string | undefined; readonly authorization: string | undefined }[]
	let failures: number
	beforeEach(async () => {
		received = []
		failures = 2
		endpoint = createServer((incoming, outgoing) => {
			let text = ''
			incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
			incoming.on('end', () => {
				if (failures-- > 0) return void outgoing.writeHead(503).end()
				const { events } = JSON.parse(text) as { events: { target: { tag?: string; mediaType: string } }[] }
				for (const { target } of events) {
					if (target.mediaType.includes('manifest'))
						received.push({ tag: target.tag, authorization: incoming.headers.authorization })
				}
				outgoing.writeHead(202).end()
			})
		})
		endpoint.listen(0, '127.0.0.1')
		await once(endpoint, 'listening')
	})
	afterEach(() => {
		endpoint.closeAllConnections()
		endpoint.close()
	})

	it('reach an endpoint that failed at first, in their order', async () => {
		const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`
		const config = join(project.directory, 'registry.yaml')
		writeFileSync(
			config,
			`events: [{ name: ci, url: "${url}", headers: { Authorization: Bearer s3cret } }]\n`,
		)
		const served = await serve('--config', config)
		for (const tag of ['v1.0.0', 'v2.0.0', 'v3.0.0']) expect((await push(served, tag)).code).toBe(0)
		await expect.poll(() => received.length, { timeout: 30_000 }).toBe(3)
		expect(received).toEqual(
			['v1.0.0', 'v2.0.0', 'v3.0.0'].map((tag) => ({ tag, authorization: 'Bearer s3cret' })),
		)
		expect(served.talk()).toContain('events to ci are not taken')
		expect(served.talk()).not.toContain('s3cret')
	})
})

describe('a push of another client into the registry of a project', () => {
	let home: Project
	beforeAll(() => {
		home = createProject()
	})
	afterAll(async () => {
		await home.remove()
	})

	it('refreshes the Applications that follow it', async () => {
		await home.ok('up', '--tag', 'latest')
		const manifest = join(home.directory, 'sample-manifests/deployment.yaml')
		writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('replicas: 2', 'replicas: 3'))
		const { registry } = (await home.json('registry', 'status')) as { registry: { push: string } }
		// Another project: it knows nothing of the cluster, and so refreshes nothing itself.
		const reference = `${registry.push}/oci-demo-app:latest`
		const before = await revision()
		const pushed = await lading(
			[
				'push',
				join(home.directory, 'sample-manifests'),
				reference,
				'--force',
				'--ca',
				join(home.directory, '.lading/ca.crt'),
			],
			{ cwd: project.directory },
		)
		expect(pushed.code, pushed.stderr).toBe(0)
		const digest = pushed.stdout.trim().split('@')[1]
		expect(digest).not.toBe(before)
		await expect.poll(revision, { timeout: 30_000 }).toBe(digest)

		const status = await home.ok('registry', 'status')
		expect(status).toMatch(/oci-demo-app:latest +127\.0\.0\.1|oci-demo-app:latest +::1/)
		expect(status).toMatch(/Disk +\S+ \S+ of \S+ \S+ free/)
	})

	async function revision(): Promise<string | undefined> {
		const { applications } = (await home.json('status')) as { applications: { revision?: string }[] }
		return applications[0]?.revision
	}
})

const basic = (user: string, password: string): string =>
	`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

function head(
	served: Served,
	path: string,
	authorization?: string,
): Promise<readonly [number | undefined, Readonly<Record<string, string | undefined>>]> {
	return new Promise((resolve, reject) => {
		const headers = authorization === undefined ? {} : { authorization }
		const sent = request(
			{
				host: '127.0.0.1',
				port: served.port,
				method: 'HEAD',
				path,
				ca: readFileSync(served.ca),
				headers,
				agent: false,
			},
			(response) => {
				response.resume()
				resolve([response.statusCode, response.headers as Record<string, string | undefined>])
			},
		)
		sent.on('error', reject)
		sent.end()
	})
}

/** The name in the certificate that a new connection gets. */
function nameOf({ port }: Served): Promise<string | undefined> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
			const { subject } = socket.getPeerCertificate()
			socket.destroy()
			resolve([subject.CN].flat()[0])
		})
		socket.on('error', reject)
	})
}

describe('a large push', () => {
	/** What was done with blobs since `from`, in the order of the answers. */
	function blobRequests(served: Served, from = 0): readonly string[] {
		return entriesOf(served)
			.slice(from)
			.filter(({ route }) => route === 'blob' || route === 'uploads' || route === 'upload')
			.map(({ method, status }) => `${String(method)} ${String(status)}`)
	}

	function entriesOf(served: Served): readonly Record<string, unknown>[] {
		const lines = served.talk().split('\n')
		return lines
			.filter((line) => line.startsWith('{'))
			.map((line) => JSON.parse(line) as Record<string, unknown>)
	}

	it('sends what it reads while it hashes, once, and not all of what turns out to be there', async () => {
		const size = 64 * 1024 * 1024
		const directory = join(project.directory, 'large')
		mkdirSync(directory)
		writeFileSync(join(directory, 'large.bin'), randomBytes(size))
		const served = await serve('--access-log')
		const pushTo = async (place: string): Promise<void> => {
			const args = ['push', directory, `${served.host}/${place}`, '--ca', served.ca, '--no-check']
			const { code, stderr } = await lading(args, { cwd: project.directory })
			expect(code, stderr).toBe(0)
		}
		const received = (from: number): number =>
			entriesOf(served)
				.slice(from)
				.reduce((sum, entry) => sum + Number(entry['received']), 0)

		// Whether the tag is new may be known too late on a busy machine: it is sent as ever then.
		let app = ''
		let before = 0
		for (let number = 1; number <= 10 && !blobRequests(served, before).includes('PATCH 202'); number++) {
			before = entriesOf(served).length
			app = `app-${number}`
			await pushTo(`${app}:v1`)
		}
		// The layer's; the config is sent in one request.
		const requests = blobRequests(served, before).filter((line) => !line.startsWith('POST'))
		expect(requests.toSorted()).toEqual(['HEAD 404', 'PATCH 202', 'PUT 201'])
		const once = received(before)
		expect(once).toBeGreaterThan(size)
		expect(once).toBeLessThan(size * 1.01)

		// A tag that is there often names the same.
		const afterFirst = entriesOf(served).length
		await pushTo(`${app}:v1`)
		expect(blobRequests(served, afterFirst)).toEqual([])

		const afterSecond = entriesOf(served).length
		await pushTo(`${app}:v2`)
		const second = (): readonly string[] => blobRequests(served, afterSecond)
		expect(second()).not.toContain('PUT 201')
		await expect.poll(() => readdirSync(join(data, 'uploads'))).toEqual([])
		expect(received(afterSecond)).toBeLessThan(size)
		const listed = await lading(['tags', `${served.host}/${app}`, '--ca', served.ca], {
			cwd: project.directory,
		})
		expect(listed.stdout).toBe('v1\nv2\n')
		expect(await served.stop()).toBe(0)
	})
})
