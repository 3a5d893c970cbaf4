import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { assert, asyncProperty, constantFrom, dictionary, jsonValue, string } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeychain, eraseCredential, storeCredential } from './index.ts'

let home: string
let file: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'lading-'))
	file = join(home, 'config.json')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const env = (): Record<string, string> => ({
	DOCKER_CONFIG: home,
	PATH: `${home}${delimiter}${process.env.PATH}`,
})
const store = (registry: string, password = 's3cret: of ann'): ReturnType<typeof storeCredential> =>
	storeCredential({ registry, username: 'ann', password }, { env: env() })
const text = (): string => readFileSync(file, 'utf8')
const known = (registry: string): Promise<unknown> =>
	createKeychain({ env: env() }).resolve(registry, 'team/app')

describe('in the file', () => {
	it('makes one that only its owner reads, in the form that docker writes', async () => {
		rmSync(home, { recursive: true })
		expect(await store('r.test:5000')).toEqual({ kind: 'file', place: file })
		expect(text()).toBe(
			`{\n\t"auths": {\n\t\t"r.test:5000": {\n\t\t\t"auth": "${Buffer.from('ann:s3cret: of ann').toString('base64')}"\n\t\t}\n\t}\n}\n`,
		)
		expect(statSync(file).mode & 0o777).toBe(0o600)
		expect(statSync(home).mode & 0o777).toBe(0o700)
		expect(readdirSync(home)).toEqual(['config.json'])
	})

	it('leaves every other byte as it was, and is gone without a trace', async () => {
		const others =
			'{ "HttpHeaders" : {"a" : [1,2 , {"}": "\\"{"}]},\r\n  "auths":{ "other.test" : {"auth":"YTpi"} },\n\n "experimental":"on"}'
		writeFileSync(file, others, { mode: 0o644 })
		await store('r.test')
		expect(text()).toContain(
			'{ "HttpHeaders" : {"a" : [1,2 , {"}": "\\"{"}]},\r\n  "auths":{ "other.test" : {"auth":"YTpi"}',
		)
		expect(text().endsWith('} },\n\n "experimental":"on"}')).toBe(true)
		expect(statSync(file).mode & 0o777).toBe(0o600)
		expect(await known('r.test')).toEqual({ kind: 'password', username: 'ann', password: 's3cret: of ann' })
		expect(await eraseCredential('r.test', { env: env() })).toEqual([{ kind: 'file', place: file }])
		expect(text()).toBe(others)
		expect(await eraseCredential('r.test', { env: env() })).toEqual([])
	})

	it('replaces what stands there under another name of the same registry', async () => {
		const auths = { 'https://index.docker.io/v1/': { auth: 'YTpi' }, 'docker.io': {}, 'ghcr.io': {} }
		writeFileSync(file, JSON.stringify({ auths }))
		await store('docker.io')
		const parsed = JSON.parse(text()) as { auths: object }
		expect(Object.keys(parsed.auths)).toEqual(['ghcr.io', 'https://index.docker.io/v1/'])
		expect(await known('index.docker.io')).toMatchObject({ username: 'ann' })
	})

	it('follows a link to where the file is kept', async () => {
		const kept = join(home, 'kept')
		mkdirSync(kept)
		writeFileSync(join(kept, 'docker.json'), '{}')
		symlinkSync(join('kept', 'docker.json'), file)
		await store('r.test')
		expect(readlinkSync(file)).toBe(join('kept', 'docker.json'))
		expect(readFileSync(join(kept, 'docker.json'), 'utf8')).toContain('r.test')
	})

	it('does not touch one that is no configuration', async () => {
		writeFileSync(file, '{"auths": [')
		await expect(store('r.test')).rejects.toMatchObject({ code: 'CREDENTIALS_UNREADABLE' })
		expect(text()).toBe('{"auths": [')
	})

	it('changes nothing but the entry, whatever else is in it', async () => {
		const indents = constantFrom<string | number>('', 2, '\t')
		const auth = constantFrom({}, { auth: 'YTpi' })
		await assert(
			asyncProperty(
				dictionary(string(), jsonValue()),
				dictionary(string(), auth),
				indents,
				async (more, auths, indent) => {
					const { auths: _, credsStore: _store, credHelpers: _helpers, ...others } = more
					const before = { ...others, auths }
					writeFileSync(file, JSON.stringify(before, undefined, indent))
					await store('r.test')
					const after = JSON.parse(text()) as typeof before
					const { 'r.test': added, ...rest } = after.auths as Record<string, unknown>
					expect(added).toBeDefined()
					expect({ ...after, auths: rest }).toEqual(JSON.parse(JSON.stringify(before)))
					await eraseCredential('r.test', { env: env() })
					expect(JSON.parse(text())).toEqual(JSON.parse(JSON.stringify(before)))
				},
			),
			{ numRuns: 100 },
		)
	})
})

describe('with a helper', () => {
	/** Keeps what it is told in a file, and its arguments in another. */
	function helper(name: string, status = 0): void {
		const path = join(home, `docker-credential-${name}`)
		const kept = join(home, 'kept.json')
		writeFileSync(
			path,
			`#!/bin/sh\necho "$@" >> ${home}/calls\ncase $1 in store) cat > ${kept};; erase) rm ${kept};; get) test -f ${kept} || { echo credentials not found in native keychain; exit 1; }; cat ${kept};; esac\nexit ${status}\n`,
		)
		chmodSync(path, 0o755)
	}

	it('hands the credential to it, on its standard input alone', async () => {
		helper('vault')
		writeFileSync(
			file,
			'{"credHelpers":{"r.test":"vault"},"auths":{"r.test":{"auth":"YTpi"},"other.test":{}}}',
		)
		expect(await store('r.test')).toEqual({ kind: 'helper', place: 'docker-credential-vault' })
		expect(readFileSync(join(home, 'calls'), 'utf8')).toBe('store\n')
		expect(text()).toBe('{"credHelpers":{"r.test":"vault"},"auths":{"other.test":{}}}')
		expect(await known('r.test')).toEqual({ kind: 'password', username: 'ann', password: 's3cret: of ann' })
		expect(await eraseCredential('r.test', { env: env() })).toEqual([
			{ kind: 'helper', place: 'docker-credential-vault' },
		])
		expect(await known('r.test')).toBeUndefined()
	})

	it('does not fall back to plain text when it fails', async () => {
		helper('vault', 3)
		writeFileSync(file, '{"credsStore":"vault"}')
		await expect(store('r.test')).rejects.toMatchObject({ code: 'CREDENTIALS_UNREADABLE' })
		expect(text()).toBe('{"credsStore":"vault"}')
		writeFileSync(file, '{"credsStore":"missing"}')
		await expect(store('r.test')).rejects.toMatchObject({ code: 'TOOL_MISSING' })
	})
})
