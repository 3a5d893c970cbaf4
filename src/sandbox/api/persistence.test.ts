import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../cluster/index.ts'
import { openPersistence } from './persistence.ts'
import { StatusError } from './status-error.ts'

let directory: string

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const KEY = '/configmaps'
const configMap = (name: string, value = ''): KubeObject => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name, namespace: 'default' },
	data: { value },
})
const names = (): readonly string[] => {
	const { store, close } = openPersistence(directory)
	close()
	return store.list(KEY).map(({ metadata }) => metadata.name)
}

describe('openPersistence', () => {
	it('has after a crash what was put, without what was removed, and counts on', () => {
		const { store } = openPersistence(directory)
		store.put(KEY, configMap('a'))
		store.put(KEY, configMap('b'))
		store.remove(KEY, { namespace: 'default', name: 'a' })
		// no close: the process was killed
		const again = openPersistence(directory)
		expect(again.store.list(KEY).map(({ metadata }) => metadata.name)).toEqual(['b'])
		expect(again.store.revision).toBe(store.revision)
		expect(again.store.size).toBe(1)
		again.close()
	})

	it('drops a torn last line, and writes on after the last whole one', async () => {
		const first = openPersistence(directory)
		first.store.put(KEY, configMap('a'))
		first.close()
		await appendFile(join(directory, 'journal.ndjson'), '{"r":99,"k":"/configm')
		const second = openPersistence(directory)
		second.store.put(KEY, configMap('b'))
		second.close()
		expect(names()).toEqual(['a', 'b'])
	})

	it('folds the journal into a snapshot', async () => {
		const { store, close } = openPersistence(directory)
		for (let index = 0; index < 4200; index++) store.put(KEY, configMap('a', String(index)))
		close()
		const journal = await readFile(join(directory, 'journal.ndjson'), 'utf8')
		expect(journal.split('\n').length).toBeLessThan(4000)
		const again = openPersistence(directory)
		expect(again.store.get(KEY, { namespace: 'default', name: 'a' })).toMatchObject({
			data: { value: '4199' },
		})
		expect(again.store.revision).toBe(store.revision)
		again.close()
	})

	it('refuses a snapshot that is none', async () => {
		await writeFile(join(directory, 'objects.json'), '{"version":1,"objects":{}}')
		expect(() => openPersistence(directory)).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }))
	})

	it('refuses a change that the disk has no room for, and keeps no half of it', () => {
		let room = 400
		const { store, close } = openPersistence(directory, {
			write: (file, bytes, offset) => {
				const part = Math.min(bytes.length - offset, room)
				if (part === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
				room -= part
				return writeSync(file, bytes, offset, part)
			},
		})
		store.put(KEY, configMap('a'))
		const before = store.revision
		const events: string[] = []
		store.subscribe(({ object }) => events.push(object.metadata.name))
		const refused = (): unknown => store.put(KEY, configMap('b', 'x'.repeat(1000)))
		expect(refused).toThrow(StatusError)
		expect(refused).toThrow(expect.objectContaining({ code: 'DISK_FULL', statusCode: 507 }))
		expect([store.revision, store.size, events]).toEqual([before, 1, []])
		room = 10_000
		store.put(KEY, configMap('c'))
		close()
		expect(names()).toEqual(['a', 'c'])
	})
})
