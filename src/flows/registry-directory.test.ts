import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { errorCodes } from '../errors/index.ts'
import { createStorage, lockDirectory, serveRegistry } from '../registry/server/index.ts'
import { silentProgress } from './progress.ts'
import { registryDirectoryStatus, withRegistryDirectory } from './registry-directory.ts'

let directory: string
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	await createStorage(directory).close()
	await appendFile(join(directory, 'journal'), 'a line that is damaged\n.\n')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const prune = (): Promise<unknown> =>
	withRegistryDirectory(
		{ signal: undefined },
		{ dataDirectory: directory },
		async (registry) => await registry.prune({}),
	)

describe('pruning a registry whose journal has damaged lines', () => {
	it('is said in a dry run, which names the step that keeps the lines, and no journal to move away', async () => {
		const before = await readdir(directory, { recursive: true })
		const warnings: string[] = []
		const report = await withRegistryDirectory(
			{ signal: undefined },
			{ dataDirectory: directory, readOnly: true, onWarning: (message) => warnings.push(message) },
			async (registry) => await registry.prune({ dryRun: true }),
		)
		expect(report).toMatchObject({ dryRun: true })
		expect(warnings).toEqual([
			expect.stringMatching(/^1 line of the journal is damaged, .*start the registry once/),
		])
		expect(warnings[0]).not.toContain(join(directory, 'journal'))
		expect(await readdir(directory, { recursive: true })).toEqual(before)
	})

	it('is refused with what to do, by its server and without one', async () => {
		const refused = { code: 'JOURNAL_DAMAGED', hint: expect.stringContaining('journal.damaged-') }
		expect(errorCodes.JOURNAL_DAMAGED).toBe('no')
		await expect(prune()).rejects.toMatchObject(refused)
		const server = await serveRegistry({ dataDirectory: directory, port: 0, plainHttp: true })
		try {
			await expect(prune()).rejects.toMatchObject(refused)
		} finally {
			await server.close()
		}
	})
})

it('a registry that is only looked at keeps what another start would sweep away', async () => {
	const dataDirectory = await mkdtemp(join(tmpdir(), 'lading-'))
	try {
		await createStorage(dataDirectory).close()
		await writeFile(join(dataDirectory, 'blobs/sha256', 'a'.repeat(64)), 'stray')
		const before = await readdir(dataDirectory, { recursive: true })
		const report = await withRegistryDirectory(
			{ signal: undefined },
			{ dataDirectory, readOnly: true },
			async (registry) => await registry.prune({ dryRun: true }),
		)
		expect(report).toMatchObject({ dryRun: true, repositories: [] })
		expect(await readdir(dataDirectory, { recursive: true })).toEqual(before)
	} finally {
		await rm(dataDirectory, { recursive: true, force: true })
	}
})

describe('a directory that is only looked at', () => {
	let data: string
	beforeEach(async () => {
		data = await mkdtemp(join(tmpdir(), 'lading-'))
	})
	afterEach(() => rm(data, { recursive: true, force: true }))

	const status = (): Promise<unknown> =>
		registryDirectoryStatus({ signal: undefined, progress: silentProgress }, data)

	/** Root may read everything. */
	async function asNobody<T>(look: () => Promise<T>): Promise<T> {
		const own = process.geteuid?.()
		if (own === 0) process.seteuid?.(65_534)
		try {
			return await look()
		} finally {
			if (own === 0) process.seteuid?.(own)
		}
	}

	it.each([
		['the directory', '.', 0o000],
		['the names in it', '.', 0o111],
		['the journal', 'journal', 0o000],
		['the uploads', 'uploads', 0o000],
		['the door of its server', 'control', 0o000],
	])('is said to be another user’s where %s cannot be read', async (_, name, mode) => {
		const server = await serveRegistry({ dataDirectory: data, port: 0, plainHttp: true })
		if (name !== 'control') await server.close()
		try {
			for (const each of ['.', 'uploads', 'blobs', 'blobs/sha256', 'blobs/sha512', 'journal'])
				await chmod(join(data, each), 0o755)
			await chmod(join(data, name), mode)
			await expect(asNobody(status)).rejects.toMatchObject({
				code: 'FILE_UNREADABLE',
				hint: expect.stringContaining('the user that serves it'),
			})
		} finally {
			await chmod(data, 0o755)
			await server.close()
		}
	})

	it.each(['hello\n', 'hello'])('is no registry where its journal is another’s file: %j', async (text) => {
		await writeFile(join(data, 'journal'), text)
		const none = { code: 'NOT_FOUND', message: expect.stringContaining('is not one of a registry') }
		await expect(status()).rejects.toMatchObject(none)
		await expect(
			withRegistryDirectory(
				{ signal: undefined },
				{ dataDirectory: data },
				async (each) => await each.scrub(),
			),
		).rejects.toMatchObject(none)
		await expect(serveRegistry({ dataDirectory: data, port: 0, plainHttp: true })).rejects.toMatchObject(none)
		expect(await readFile(join(data, 'journal'), 'utf8')).toBe(text)
		expect(await readdir(data)).not.toContain('blobs')
	})

	it('is no registry where its journal is a directory', async () => {
		await mkdir(join(data, 'journal'))
		await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})

	it('is no registry where its journal is a pipe, which is not opened', async () => {
		const path = join(data, 'journal')
		execFileSync('mkfifo', [path])
		// Whoever opened it would wait for ever but for this.
		const writer = spawn('sh', ['-c', 'echo > "$0"', path])
		try {
			await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' })
		} finally {
			writer.kill('SIGKILL')
		}
	})
})

it('the door of a server that was killed is not gone through, whoever has the directory now', async () => {
	const dataDirectory = await mkdtemp(join(tmpdir(), 'lading-'))
	const path = join(dataDirectory, 'control')
	const asked = vi.fn<() => void>()
	const other = createServer((_, response) => {
		asked()
		response.end()
	}).listen(0, '127.0.0.1')
	try {
		await once(other, 'listening')
		const server = await serveRegistry({ dataDirectory, port: 0, plainHttp: true })
		const door = JSON.parse(await readFile(path, 'utf8')) as { url: string }
		await server.close()
		const { port } = other.address() as AddressInfo
		await writeFile(path, JSON.stringify({ ...door, url: `http://127.0.0.1:${port}` }))
		const lock = lockDirectory(dataDirectory)
		try {
			const session = { signal: undefined, progress: silentProgress }
			const status = await registryDirectoryStatus(session, dataDirectory)
			expect(status).toMatchObject({ content: { artifacts: 0 } })
			expect(status.url).toBeUndefined()
			await expect(
				withRegistryDirectory(session, { dataDirectory }, async (registry) => await registry.scrub()),
			).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
		} finally {
			lock.release()
		}
		expect(asked).not.toHaveBeenCalled()
	} finally {
		other.close()
		await rm(dataDirectory, { recursive: true, force: true })
	}
})
