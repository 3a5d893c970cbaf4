import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeychain, type Credential, type KeychainOptions } from './index.ts'

let home: string
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), 'lading-'))
	await mkdir(join(home, '.docker'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const encode = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString('base64') })
const password = (username: string, secret: string): Credential => ({
	kind: 'password',
	username,
	password: secret,
})

async function config(content: unknown): Promise<void> {
	const text = typeof content === 'string' ? content : JSON.stringify(content)
	await writeFile(join(home, '.docker', 'config.json'), text)
}

function find(registry: string, repository = 'team/app', options: Partial<KeychainOptions> = {}) {
	return createKeychain({ ...options, env: { HOME: home, ...options.env } }).resolve(registry, repository)
}

describe('auth files', () => {
	it('finds nothing where there is nothing', async () => {
		expect(await find('registry.test')).toBeUndefined()
	})

	it('takes the longest key', async () => {
		await config({
			auths: {
				'registry.test': encode('host:1'),
				'registry.test/team': encode('team:2'),
				'registry.test/team/app': encode('app:with:colons'),
			},
		})
		expect(await find('registry.test', 'team/app')).toEqual(password('app', 'with:colons'))
		expect(await find('registry.test', 'team/other')).toEqual(password('team', '2'))
		expect(await find('registry.test', 'teamwork')).toEqual(password('host', '1'))
		expect(await find('registry.test.evil.example')).toBeUndefined()
		expect(await find('registry.test:5000')).toBeUndefined()
	})

	it.each(['https://registry.test', 'https://registry.test/v1/', 'registry.test/v2/', 'REGISTRY.test'])(
		'reads the key %s',
		async (key) => {
			await config({ auths: { [key]: encode('ann:secret') } })
			expect(await find('registry.test')).toEqual(password('ann', 'secret'))
		},
	)

	it('knows the names of Docker Hub', async () => {
		await config({ auths: { 'https://index.docker.io/v1/': encode('ann:secret') } })
		expect(await find('docker.io')).toEqual(password('ann', 'secret'))
		expect(await find('registry-1.docker.io')).toEqual(password('ann', 'secret'))
	})

	it('reads an identity token', async () => {
		await config({ auths: { 'registry.test': { ...encode('<token>:'), identitytoken: 'refresh' } } })
		expect(await find('registry.test')).toEqual({ kind: 'identity-token', token: 'refresh' })
	})

	it('looks where the environment points', async () => {
		const file = join(home, 'auth.json')
		await writeFile(file, JSON.stringify({ auths: { 'registry.test': encode('pod:man') } }))
		expect(await find('registry.test', 'a', { env: { REGISTRY_AUTH_FILE: file } })).toEqual(
			password('pod', 'man'),
		)
		await mkdir(join(home, 'run', 'containers'), { recursive: true })
		await writeFile(
			join(home, 'run', 'containers', 'auth.json'),
			JSON.stringify({ auths: { 'registry.test': encode('run:time') } }),
		)
		const env = { XDG_RUNTIME_DIR: join(home, 'run'), DOCKER_CONFIG: join(home, 'none') }
		expect(await find('registry.test', 'a', { env })).toEqual(password('run', 'time'))
	})

	it.each([
		['broken JSON', '{"auths": {"registry.test": {"auth": "c2VjcmV0'],
		['another shape', { auths: ['secret'] }],
		['a broken entry', { auths: { 'registry.test': { auth: 'c2VjcmV0' } } }],
	])('names the file, and not its content, for %s', async (_, content) => {
		await config(content)
		const failure = await find('registry.test').catch((error: unknown) => error)
		expect(failure).toMatchObject({ code: 'CREDENTIALS_UNREADABLE' })
		expect(String(failure)).toContain('config.json')
		expect(JSON.stringify(failure) + String(failure)).not.toMatch(/c2VjcmV0|secret/)
	})
})

describe('given credentials', () => {
	it('come first, and stay with their registry', async () => {
		await config({ auths: { 'registry.test': encode('file:1'), 'other.test': encode('file:2') } })
		const overrides = [{ registry: 'registry.test', username: 'given', password: 'x' }]
		expect(await find('registry.test', 'a', { overrides })).toEqual(password('given', 'x'))
		expect(await find('other.test', 'a', { overrides })).toEqual(password('file', '2'))
	})

	it('come from the environment, for one registry when it names one', async () => {
		const env = { LADING_USERNAME: 'env', LADING_PASSWORD: 'x' }
		expect(await find('registry.test', 'a', { env })).toEqual(password('env', 'x'))
		const only = { ...env, LADING_REGISTRY: 'registry.test' }
		expect(await find('registry.test', 'a', { env: only })).toEqual(password('env', 'x'))
		expect(await find('other.test', 'a', { env: only })).toBeUndefined()
	})
})

describe.skipIf(process.platform === 'win32')('credential helpers', () => {
	async function helper(name: string, script: string): Promise<Partial<KeychainOptions>> {
		const bin = join(home, 'bin')
		await mkdir(bin, { recursive: true })
		const file = join(bin, `docker-credential-${name}`)
		await writeFile(file, `#!/bin/sh\n${script}\n`)
		await chmod(file, 0o755)
		return { env: { PATH: `${bin}:/usr/bin:/bin` } }
	}

	it('are asked for the registry on their input', async () => {
		const options = await helper(
			'fake',
			'read server; [ "$1" = get ] && echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"u-$server\\",\\"Secret\\":\\"s\\"}"',
		)
		await config({ credHelpers: { 'registry.test': 'fake' } })
		expect(await find('registry.test', 'a', options)).toEqual(password('u-registry.test', 's'))
		expect(await find('other.test', 'a', options)).toBeUndefined()
	})

	it('may hold identity tokens', async () => {
		const options = await helper('fake', 'cat >/dev/null; echo \'{"Username":"<token>","Secret":"refresh"}\'')
		await config({ credsStore: 'fake' })
		expect(await find('registry.test', 'a', options)).toEqual({ kind: 'identity-token', token: 'refresh' })
	})

	it('may know nothing; then the file counts', async () => {
		const options = await helper('fake', 'echo "credentials not found in native keychain"; exit 1')
		await config({ credsStore: 'fake', auths: { 'registry.test': encode('file:1') } })
		expect(await find('registry.test', 'a', options)).toEqual(password('file', '1'))
		expect(await find('other.test', 'a', options)).toBeUndefined()
	})

	it('may fail, which is said without what they wrote', async () => {
		const options = await helper('fake', 'echo hunter2; exit 3')
		await config({ credsStore: 'fake' })
		const failure = await find('registry.test', 'a', options).catch((error: unknown) => error)
		expect(failure).toMatchObject({ code: 'CREDENTIALS_UNREADABLE', details: ['it ended with status 3'] })
		expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2')
	})

	it('may be missing', async () => {
		await config({ credsStore: 'absent' })
		const failure = find('registry.test', 'a', { env: { PATH: home } })
		await expect(failure).rejects.toMatchObject({ code: 'TOOL_MISSING' })
	})

	it.each(['../evil', 'a/b', 'x;y', ''])('are never run by the name %j', async (name) => {
		await config({ credHelpers: { 'registry.test': name } })
		await expect(find('registry.test')).rejects.toMatchObject({ code: 'CREDENTIALS_UNREADABLE' })
	})
})
