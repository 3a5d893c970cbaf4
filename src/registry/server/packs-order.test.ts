import type * as NodeFs from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Digest, digestOf } from '../../oci/index.ts'
import { type CreateStorageOptions, createStorage, type RegistryStorage } from './index.ts'
import { Journal } from './journal.ts'
import { Packs } from './packs.ts'
import { Reserve } from './reserve.ts'
import { packsOf } from './stored-content.fixture.ts'

/** What is asked of the disk, in order, and what of it fails once, or as long as it is told to. */
const disk = vi.hoisted(() => {
	const paths = new Map<number, string>()
	const calls: string[] = []
	const faults = new Map<string, { readonly code: string; readonly times: number }>()
	const ask = (call: string, path: string): void => {
		const name = `${call} ${path.split('/').slice(-2).join('/')}`
		calls.push(name)
		const [key, fault] = [...faults].find(([each]) => name.includes(each)) ?? []
		if (key === undefined || fault === undefined) return
		if (fault.times > 1) faults.set(key, { ...fault, times: fault.times - 1 })
		else faults.delete(key)
		throw Object.assign(new Error(`${fault.code}, ${name}`), { code: fault.code, syscall: call, errno: -1 })
	}
	return { paths, calls, faults, ask }
})
vi.mock('node:fs', async (original) => {
	const fs: typeof NodeFs = await original()
	const { paths, ask } = disk
	return {
		...fs,
		openSync: (path: string, flags: string, mode?: number) => {
			const descriptor = fs.openSync(path, flags, mode)
			paths.set(descriptor, path)
			return descriptor
		},
		fsyncSync: (descriptor: number) => {
			ask('fsync', paths.get(descriptor) ?? '')
			fs.fsyncSync(descriptor)
		},
		linkSync: (path: string, second: string) => {
			ask('link', second)
			fs.linkSync(path, second)
		},
		copyFileSync: (path: string, copy: string) => {
			ask('copy', copy)
			fs.copyFileSync(path, copy)
		},
		renameSync: (path: string, name: string) => {
			ask('rename', name)
			fs.renameSync(path, name)
		},
		writeSync: (descriptor: number, bytes: Uint8Array, from?: number) => {
			ask('write', paths.get(descriptor) ?? '')
			return fs.writeSync(descriptor, bytes, from)
		},
		rmSync: (path: string, options: { force: true }) => {
			if (fs.existsSync(path)) ask('rm', path)
			fs.rmSync(path, options)
		},
	}
})

let directory: string
let storage: RegistryStorage
let warnings: string[]
const open = (options: CreateStorageOptions = {}): void => {
	storage = createStorage(directory, { onWarning: (message) => warnings.push(message), ...options })
}
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	warnings = []
	disk.faults.clear()
	open({ compactLines: 5 })
	disk.calls.length = 0
})
afterEach(async () => {
	disk.faults.clear()
	await storage.close()
	rmSync(directory, { recursive: true, force: true })
})

const contentOf = (index: number): string => `content ${index} `.repeat(60)

async function put(count: number, from = 0): Promise<void> {
	for (let index = from; index < from + count; index++) {
		const digest = digestOf(contentOf(index))
		const { id } = storage.startUpload('app') ?? { id: '' }
		const body = (async function* () {
			yield Buffer.from(contentOf(index))
		})()
		await storage.finishUpload('app', { id, digest, body })
	}
}

/** Of content that is there. */
function missing(count: number): readonly Digest[] {
	const digests = Array.from({ length: count }, (_, index) => digestOf(contentOf(index)))
	return digests.filter((digest) => {
		try {
			return digestOf(storage.openBlob('app', digest)?.read() as Uint8Array) !== digest
		} catch {
			return true
		}
	})
}

const within = (path: string): string => join(basename(directory), path)
const after = (...expected: readonly string[]): number[] => {
	let from = 0
	return expected.map((call) => (from = disk.calls.indexOf(call, from)))
}

it('a new registry has the directories of its content on the disk before its journal', async () => {
	await storage.close()
	rmSync(directory, { recursive: true })
	disk.calls.length = 0
	open()
	const order = after(`fsync ${within('blobs')}`, `fsync ${directory.split('/').slice(-2).join('/')}`)
	expect(order).not.toContain(-1)
})

it('a journal is written anew when its pack has its name on the disk', async () => {
	await put(40)
	const order = after(
		'link packs/1',
		`fsync ${within('packs')}`,
		`fsync ${within('journal.tmp')}`,
		`rename ${within('journal')}`,
	)
	expect(order).not.toContain(-1)
})

it('a pack that is a copy, where a file has one name only, is on the disk before', async () => {
	disk.faults.set('link', { code: 'EPERM', times: 100 })
	await put(40)
	const order = after(
		'copy packs/1',
		'fsync packs/1',
		`fsync ${within('packs')}`,
		`rename ${within('journal')}`,
	)
	expect(order).not.toContain(-1)
	await storage.close()
	open()
	expect(missing(40)).toEqual([])
})

it('a start flushes what it has read before it removes a pack', async () => {
	await put(40)
	await storage.close()
	// Nothing of it counts, by a journal that a process may have left unflushed when it was killed.
	writeFileSync(join(directory, 'packs/99'), 'of nobody')
	disk.calls.length = 0
	open()
	const order = after(
		`fsync ${within('journal')}`,
		`fsync ${directory.split('/').slice(-2).join('/')}`,
		'rm packs/99',
	)
	expect(order).not.toContain(-1)
})

it.each([
	[`fsync packs`, 'EMFILE'],
	['fsync', 'EIO'],
	['link packs', 'EIO'],
	['rename', 'EIO'],
])(
	'one failure of %s leaves a journal that is written anew the next time, and loses nothing',
	async (call, code) => {
		await put(3)
		disk.faults.set(call === 'fsync packs' ? `fsync ${within('packs')}` : call, { code, times: 1 })
		await put(60, 3)
		expect(warnings.length).toBeLessThan(2)
		expect(packsOf(directory)).not.toEqual([])
		await storage.close()
		open()
		expect(missing(63)).toEqual([])
	},
)

it('a pack that cannot be removed keeps nobody from pushing, and goes the next time', async () => {
	await put(40)
	const packs = packsOf(directory)
	disk.faults.set('rm packs', { code: 'EACCES', times: 100 })
	for (let index = 0; index < 40; index++) await storage.deleteBlob('app', digestOf(contentOf(index)))
	await put(5, 40)
	expect(packsOf(directory)).toEqual(expect.arrayContaining([...packs]))
	disk.faults.clear()
	await storage.prune({ graceMs: 1000 })
	await expect.poll(() => packsOf(directory).filter((pack) => packs.includes(pack))).toEqual([])
})

it('a file of before that cannot be removed keeps nobody from pushing its content again', async () => {
	await storage.close()
	open({ inlineBytes: 0 })
	await put(3)
	await storage.close()
	open()
	disk.faults.set('rm sha256', { code: 'EACCES', times: 100 })
	await put(3)
	expect(missing(3)).toEqual([])
})

describe('on a full disk', () => {
	const options = { lines: 0, length: 0, live: () => [], compactLines: 10 }
	const journalOf = (reserve?: Reserve): Journal => {
		const journalPath = join(directory, 'other')
		const packs = new Packs(join(directory, 'other-packs'), { journalPath })
		return new Journal(journalPath, { ...options, packs, reserve })
	}
	const pushed = { type: 'blob', repository: 'app', digest: digestOf('{}'), size: 2 } as const

	it('what is only written again keeps no push from the room that is left', async () => {
		const journal = journalOf()
		disk.faults.set('write', { code: 'ENOSPC', times: 1 })
		const ended = await Promise.allSettled([
			journal.appendContent({ type: 'content', digest: pushed.digest }, Buffer.from('{}'), () => undefined),
			journal.append(pushed, () => undefined),
		])
		await journal.close()
		expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
	})

	it('a reserve that cannot be given up is one that is not there', async () => {
		const journal = journalOf(new Reserve(join(directory, 'kept')))
		disk.faults.set('write', { code: 'ENOSPC', times: 100 })
		disk.faults.set('rm', { code: 'EIO', times: 1 })
		const deleted = { type: 'blob-deleted', repository: 'app', digest: pushed.digest } as const
		await expect(journal.append(deleted, () => undefined)).rejects.toMatchObject({ code: 'ENOSPC' })
		disk.faults.clear()
		await journal.close()
	})
})
