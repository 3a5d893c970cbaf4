import { describe, expect, it } from 'vitest'
import { isVersionTag, nextVersion } from './moved-tags.ts'
import { countFiles, nextMinorVersion } from './push.ts'

describe('tags that people take for versions', () => {
	it.each(['v1.0.0', '1.2.3', 'v1.0.0-rc.1', '2.0.0_build.5'])('%s never changes its content', (tag) => {
		expect(isVersionTag(tag)).toBe(true)
	})
	it.each(['latest', 'v1', 'v1.0', '1.2.3.4', 'main', 'v1.0.0rc'])('%s moves', (tag) => {
		expect(isVersionTag(tag)).toBe(false)
	})
})

it.each([
	[0, '0 files'],
	[1, '1 file'],
	[2, '2 files'],
])('counts %d as %s', (count, said) => {
	expect(countFiles(count)).toBe(said)
})

describe('the version to propose', () => {
	it.each([
		['v1.0.0', 'v1.0.1'],
		['1.9.9', '1.9.10'],
		['v1.0.0-rc.1', 'v1.0.1'],
	])('instead of %s is %s', (tag, next) => {
		expect(nextVersion(tag)).toBe(next)
	})
	it.each([
		['v1.0.0', 'v1.1.0'],
		['v1.9.3', 'v1.10.0'],
		['1.0.0-rc.1', '1.1.0'],
		[`v1.2.0@sha256:${'a'.repeat(64)}`, 'v1.3.0'],
		['latest', 'latest'],
		[`sha256:${'a'.repeat(64)}`, 'v1.0.0'],
		['^1.0.0', 'v1.0.0'],
	])('after %s is %s', (revision, next) => {
		expect(nextMinorVersion(revision)).toBe(next)
	})
})
