import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	realpathSync,
	renameSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DirectoryWatch, watchDirectory, type WatchDirectoryOptions } from './watch-directory.ts'

let root = ''
let watch: DirectoryWatch | undefined
let hints = 0

beforeEach(() => {
	root = realpathSync(mkdtempSync(join(tmpdir(), 'lading-')))
	hints = 0
})
afterEach(() => {
	watch?.close()
	rmSync(root, { recursive: true, force: true })
})

const AN_HOUR = 3_600_000

/** A watch of which the first look is done. Its clock is wrong, so that what was written just now is no doubt. */
async function begin(options: Partial<WatchDirectoryOptions> = {}): Promise<DirectoryWatch> {
	watch = watchDirectory(root, {
		onHint: () => void hints++,
		now: () => Date.now() + AN_HOUR,
		...options,
	})
	expect(await watch.look()).toBe(true)
	return watch
}

function write(path: string, text: string): void {
	writeFileSync(join(root, path), text)
}

async function hinted(): Promise<void> {
	const before = hints
	await expect.poll(() => hints, { interval: 5 }).toBeGreaterThan(before)
}

describe('watchDirectory', () => {
	it('sees nothing where nothing happens', async () => {
		write('a.yaml', 'a')
		const watching = await begin()
		expect(await watching.look()).toBe(false)
		expect(await watching.look()).toBe(false)
	})

	it('sees what is written, removed, moved, linked, and saved without a change', async () => {
		write('a.yaml', 'a')
		const watching = await begin()
		const steps = [
			() => write('a.yaml', 'b'),
			() => write('b.yaml', 'b'),
			() => renameSync(join(root, 'b.yaml'), join(root, 'c.yaml')),
			() => (write('.a.yaml.tmp', 'new'), renameSync(join(root, '.a.yaml.tmp'), join(root, 'a.yaml'))),
			() => mkdirSync(join(root, 'd/e'), { recursive: true }),
			() => write('d/e/f.yaml', 'f'),
			() => symlinkSync('a.yaml', join(root, 'link.yaml')),
			() => rmSync(join(root, 'd'), { recursive: true }),
			() => utimesSync(join(root, 'a.yaml'), 1, 1),
			() => write('.ladingignore', 'c.yaml\n'),
		]
		for (const step of steps) {
			step()
			expect(await watching.look(), String(step)).toBe(true)
			expect(await watching.look(), String(step)).toBe(false)
		}
	})

	it('does not see what the ignore rules leave out', async () => {
		write('a.yaml', 'a')
		write('.ladingignore', 'secret*\n')
		const watching = await begin()
		write('secret.yaml', 'x')
		write('.a.yaml.swp', 'x')
		write('a.yaml~', 'x')
		mkdirSync(join(root, '.git'))
		write('.git/index', 'x')
		mkdirSync(join(root, 'node_modules'))
		write('node_modules/x.yaml', 'x')
		expect(await watching.look()).toBe(false)
	})

	it('takes a directory that goes and comes as states like any other', async () => {
		write('a.yaml', 'a')
		const watching = await begin()
		rmSync(root, { recursive: true })
		expect(await watching.look()).toBe(true)
		expect(await watching.look()).toBe(false)
		mkdirSync(root)
		write('a.yaml', 'a')
		expect(await watching.look()).toBe(true)
		// The directory that is there now is watched.
		write('a.yaml', 'b')
		await hinted()
		expect(await watching.look()).toBe(true)
	})

	it('gets hints of files, also in directories that are new, nested, and made anew', async () => {
		write('a.yaml', 'a')
		const watching = await begin()
		write('a.yaml', 'b')
		await hinted()
		await watching.look()
		for (let turn = 0; turn < 3; turn++) {
			mkdirSync(join(root, 'x/y'), { recursive: true })
			await hinted()
			await watching.look()
			write('x/y/z.yaml', String(turn))
			await hinted()
			expect(await watching.look()).toBe(true)
			rmSync(join(root, 'x'), { recursive: true })
			await hinted()
			expect(await watching.look()).toBe(true)
		}
	})

	it('asks for another look where a directory was watched only after it was walked', async () => {
		write('a.yaml', 'a')
		const watching = await begin({ platform: 'linux' })
		mkdirSync(join(root, 'new'))
		const before = hints
		await watching.look()
		expect(hints).toBeGreaterThan(before)
	})

	it('doubts what was written just before it looked', async () => {
		write('a.yaml', 'a')
		const time = new Date()
		utimesSync(join(root, 'a.yaml'), time, time)
		let clock = time.getTime() + 1
		const watching = await begin({ now: () => clock })
		clock += 60_000
		expect(await watching.look()).toBe(true)
		expect(await watching.look()).toBe(false)
	})

	it('says where not all is watched, and goes on', async () => {
		write('a.yaml', 'a')
		const full = Object.assign(new Error('no watches are left'), { code: 'ENOSPC', syscall: 'watch' })
		const watching = await begin({
			watch() {
				throw full
			},
		})
		expect(watch?.isComplete).toBe(false)
		write('a.yaml', 'b')
		expect(await watching.look()).toBe(true)
	})

	it('holds no watch of what is gone', async () => {
		const open = new Set<string>()
		const { watch: real } = await import('node:fs')
		await begin({
			platform: 'linux',
			watch(path, options, onEvent) {
				open.add(path)
				const watcher = real(path, options, onEvent)
				watcher.on('close', () => open.delete(path))
				return watcher
			},
		})
		for (let turn = 0; turn < 20; turn++) {
			mkdirSync(join(root, `d${turn}`))
			write(`d${turn}/a.yaml`, 'a')
			await watch?.look()
			rmSync(join(root, `d${turn}`), { recursive: true })
			await watch?.look()
		}
		await expect.poll(() => open.size).toBe(1)
		watch?.close()
		await expect.poll(() => open.size).toBe(0)
		expect(readdirSync(root)).toEqual([])
	})
})
