import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveRegistry, type RunningRegistry, type ServeRegistryOptions } from './index.ts'

let directory: string
const running: RunningRegistry[] = []
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(async () => {
	await Promise.all(running.splice(0).map((registry) => registry.close()))
	await rm(directory, { recursive: true, force: true })
})

async function serve(options: Partial<ServeRegistryOptions> = {}): Promise<RunningRegistry> {
	const registry = await serveRegistry({ dataDirectory: directory, port: 0, ...options })
	running.push(registry)
	return registry
}

function status(url: string, ca: string | undefined): Promise<number | undefined> {
	return new Promise((resolve, reject) => {
		get(url, { ca, agent: false }, (response) => {
			response.resume()
			resolve(response.statusCode)
		}).on('error', reject)
	})
}

describe('serveRegistry', () => {
	it('serves over TLS with a CA that stays', async () => {
		const first = await serve({ instance: 'one' })
		expect(first.caPem).toBe(await readFile(join(directory, 'ca.crt'), 'utf8'))
		expect(await status(`${first.url}/v2/`, first.caPem)).toBe(200)
		await first.close()
		const second = await serve()
		expect(second.caPem).toBe(first.caPem)
		expect(await status(`https://localhost:${second.port}/v2/`, first.caPem)).toBe(200)
	})

	it('serves HTTP where asked to, and makes no certificate', async () => {
		const { url, caPem } = await serve({ plainHttp: true })
		expect((await fetch(`${url}/v2/`)).status).toBe(200)
		expect(caPem).toBeUndefined()
		expect(existsSync(join(directory, 'ca.crt'))).toBe(false)
	})

	it('is the only one on its directory', async () => {
		const first = await serve({ plainHttp: true })
		await expect(serve({ plainHttp: true })).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		expect((await fetch(`${first.url}/v2/`)).status).toBe(200)
		await first.close()
		expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toEqual([])
		expect((await fetch(`${(await serve({ plainHttp: true })).url}/v2/`)).status).toBe(200)
	})

	it('takes the directory over from a process that is gone', async () => {
		const child = spawn(process.execPath, ['-e', ''])
		await once(child, 'exit')
		const id = '00000000-0000-4000-8000-000000000000'
		writeFileSync(join(directory, `lock.${child.pid}.1.${id}`), '')
		// The same number, another process: told by the start time, or by the age of the file.
		if (process.platform === 'linux') writeFileSync(join(directory, `lock.${process.pid}.1.${id}`), '')
		await serve({ plainHttp: true })
		expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toHaveLength(1)
	})

	it('gives the directory back when it cannot start', async () => {
		const first = await serve({ dataDirectory: join(directory, 'a'), plainHttp: true })
		const other = join(directory, 'b')
		await expect(serve({ dataDirectory: other, port: first.port, plainHttp: true })).rejects.toMatchObject({
			code: 'PORT_TAKEN',
		})
		await first.close()
		const second = await serve({ dataDirectory: other, port: first.port, plainHttp: true })
		expect(second.port).toBe(first.port)
	})

	it('opens no door to the network without a password', async () => {
		await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'USAGE' })
		expect((await serve({ host: '0.0.0.0', auth: { anonymous: 'write' }, plainHttp: true })).url).toContain(
			'localhost',
		)
	})

	it('closes by its signal', async () => {
		const aborter = new AbortController()
		const { url } = await serve({ plainHttp: true, signal: aborter.signal })
		aborter.abort()
		await expect(fetch(`${url}/v2/`)).rejects.toThrow('fetch failed')
	})
})
