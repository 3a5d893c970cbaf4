import { describe, expect, it } from 'vitest'
import { FileTimes } from './file-times.ts'

const START_MS = 1_700_000_000_000
const secondsBefore = (seconds: number): bigint => BigInt(START_MS) * 1_000_000n - BigInt(seconds * 1e9)
const file = { size: 5n, mtimeNs: secondsBefore(60), ctimeNs: secondsBefore(60) }

describe('FileTimes', () => {
	it.each<readonly [string, Partial<typeof file>, boolean]>([
		['long ago', {}, true],
		['within the step of a clock', { ctimeNs: secondsBefore(2.9) }, false],
		['within the step of a clock, by its content', { mtimeNs: secondsBefore(2.9) }, false],
		['just before that', { ctimeNs: secondsBefore(3.1) }, true],
		['in the future', { mtimeNs: secondsBefore(-100) }, false],
	])('says whether a later change would show, of a file that was changed %s', (_, change, isOld) => {
		const times = new FileTimes(START_MS)
		times.add({ ...file, ...change })
		times.add(file)
		expect(times.areOld()).toBe(isOld)
	})

	it.each<Partial<typeof file>>([
		{ size: 6n },
		{ mtimeNs: file.mtimeNs + 1n },
		{ ctimeNs: file.ctimeNs + 1n },
	])('is another with %o', (change) => {
		const digestWith = (last: typeof file): string => {
			const times = new FileTimes(START_MS)
			times.add(file)
			times.add(last)
			return times.digest()
		}
		expect(digestWith(file)).toBe(digestWith(file))
		expect(digestWith({ ...file, ...change })).not.toBe(digestWith(file))
	})
})
