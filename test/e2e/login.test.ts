import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { createProject, type Ended, lading, type Project } from './program.ts'

const USER = 'ann'
const PASSWORD = 's3cret: of ann'

let project: Project
let registry: RunningRegistry
let open: RunningRegistry
let host: string
let config: string

beforeAll(async () => {
	project = createProject()
	const { directory } = project
	const htpasswd = join(directory, 'htpasswd')
	writeFileSync(htpasswd, `${USER}:${hashSync(PASSWORD, 4)}\n`)
	registry = await serveRegistry({ dataDirectory: join(directory, 'private'), port: 0, auth: { htpasswd } })
	open = await serveRegistry({ dataDirectory: join(directory, 'open'), port: 0, plainHttp: true })
	host = `localhost:${registry.port}`
	config = join(directory, '.docker/config.json')
})
afterAll(async () => {
	await project.remove()
	await registry.close()
	await open.close()
})
beforeEach(() => rmSync(join(project.directory, '.docker'), { recursive: true, force: true }))

function run(
	args: readonly string[],
	input = '',
	env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
	return lading(args, { cwd: project.directory, input, env })
}

const ca = (): readonly string[] => ['--ca', join(project.directory, 'private/ca.crt')]
const signIn = (...more: readonly string[]): readonly string[] => [
	'login',
	host,
	'-u',
	USER,
	'--password-stdin',
	...ca(),
	...more,
]

describe('login', () => {
	it('keeps what the registry accepts, so that a push needs no more, until logout', async () => {
		const before = await run(['push', 'sample-manifests', `${host}/app:v1`, ...ca()])
		expect(before.code).toBe(4)
		expect(before.stderr).toContain(`lading login ${host}`)
		const ended = await run(signIn(), `${PASSWORD}\n`)
		expect(ended).toMatchObject({ code: 0, stdout: `Signed in at ${host} as ${USER}.\n` })
		expect(ended.stderr).toContain('plain text')
		expect(statSync(config).mode & 0o777).toBe(0o600)
		expect((await run(['push', 'sample-manifests', `${host}/app:v1`, ...ca()])).code).toBe(0)
		expect((await run(['logout', host])).stdout).toContain(config)
		expect((await run(['tags', `${host}/app`, ...ca()])).code).toBe(4)
		expect((await run(['logout', host])).stdout).toContain('No credential')
	})

	it('says at logout where another credential may still come from', async () => {
		const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
		const file = join(project.directory, 'podman.json')
		writeFileSync(file, JSON.stringify({ auths: { [host]: { auth } } }))
		await run(signIn(), PASSWORD)
		const [alone, podman, environment] = [
			await run(['logout', host]),
			await run(['logout', host], '', { REGISTRY_AUTH_FILE: file }),
			await run(['logout', host], '', { LADING_USERNAME: USER, LADING_PASSWORD: PASSWORD }),
		]
		expect(alone).toMatchObject({ code: 0, stderr: '' })
		for (const ended of [podman, environment]) {
			expect(ended.code).toBe(0)
			expect(ended.stderr).toContain(`another credential for ${host} is still found`)
			expect(ended.stderr).toContain(`podman logout ${host}`)
			expect(ended.stdout + ended.stderr).not.toContain(PASSWORD)
		}
		expect(readFileSync(file, 'utf8')).toContain(auth)
	})

	it('keeps nothing that the registry refuses', async () => {
		const ended = await run(signIn(), 'wrong')
		expect(ended.code).toBe(4)
		expect(existsSync(config)).toBe(false)
	})

	it('keeps nothing where nobody is asked who they are', async () => {
		const args = ['login', `127.0.0.1:${open.port}`, '--plain-http', '-u', USER, '--password-stdin']
		const ended = await run(args, PASSWORD)
		expect(ended.code).toBe(2)
		expect(ended.stderr).toContain('asks nobody who they are')
		expect(existsSync(config)).toBe(false)
	})

	it.each([['--password', 'hunter2'], ['-p', 'hunter2'], ['--password=hunter2']])(
		'refuses a password on the command line (%s)',
		async (...flags) => {
			const ended = await run(['login', host, '-u', USER, ...flags])
			expect(ended.code).toBe(2)
			expect(ended.stderr).toContain('--password-stdin')
			expect(ended.stdout + ended.stderr).not.toContain('hunter2')
		},
	)

	it('says what to give where there is no terminal to ask at', async () => {
		const ended = await run(['login', host])
		expect(ended.code).toBe(2)
		expect(ended.stderr).toContain('--password-stdin')
	})

	it('hands the credential to the helper that is configured', async () => {
		const bin = join(project.directory, 'bin')
		mkdirSync(bin, { recursive: true })
		mkdirSync(join(project.directory, '.docker'))
		writeFileSync(config, '{"credsStore":"vault"}')
		writeFileSync(
			join(bin, 'docker-credential-vault'),
			`#!/bin/sh\nif [ $1 = get ]; then cat ${bin}/store.json; else cat > ${bin}/$1.json; fi\n`,
		)
		chmodSync(join(bin, 'docker-credential-vault'), 0o755)
		const ended = await run(signIn('--json'), PASSWORD, { PATH: `${bin}${delimiter}${process.env.PATH}` })
		expect(JSON.parse(ended.stdout)).toMatchObject({
			login: { registry: host, stored: { kind: 'helper', place: 'docker-credential-vault' } },
		})
		expect(ended.stdout + ended.stderr).not.toContain(PASSWORD)
		expect(JSON.parse(readFileSync(join(bin, 'store.json'), 'utf8'))).toEqual({
			ServerURL: host,
			Username: USER,
			Secret: PASSWORD,
		})
		expect(readFileSync(config, 'utf8')).toBe('{"credsStore":"vault"}')
	})

	it('gives the credential to Argo CD, which then reads every repository of the registry', async () => {
		await project.ok('cluster', 'up')
		await run(signIn(), PASSWORD)
		expect((await run(['push', 'sample-manifests', `${host}/shop:v1`, ...ca()])).code).toBe(0)
		await project.ok('trust', host, ...ca())
		const deploy = ['deploy', 'shop', `${host}/shop:v1`, ...ca(), '--timeout', '60s']
		const ended = await run(signIn('--argocd', '--json'), PASSWORD)
		expect(JSON.parse(ended.stdout)).toMatchObject({
			login: { argocd: { outcome: 'applied', url: `oci://${host}/` } },
		})
		const deployed = await run(deploy)
		expect(deployed.stderr).toContain('Synced')
		expect(deployed.code).toBe(0)
		await project.ok('undeploy', 'shop')
	})
})
