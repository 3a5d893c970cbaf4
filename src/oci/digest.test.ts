import { describe, expect, it } from 'vitest'
import { createDigester, digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from './digest.ts'

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('digests', () => {
	it('are those of the specification', () => {
		expect(digestOf('')).toBe(EMPTY)
		expect(digestOf('', 'sha512')).toMatch(/^sha512:cf83e1357eefb8bd[0-9a-f]{112}$/)
	})

	it('come out the same for content in pieces', () => {
		const digester = createDigester()
		digester.update(Buffer.from('ab'))
		digester.update(Buffer.from('ü'))
		expect(digester.size).toBe(4)
		expect(digester.digest()).toBe(digestOf('abü'))
	})

	it.each([
		'',
		'sha256:',
		`sha256:${'A'.repeat(64)}`,
		EMPTY.slice(0, -1),
		`${EMPTY}0`,
		`md5:${'0'.repeat(32)}`,
		`sha512:${'0'.repeat(64)}`,
	])('%j is none', (text) => {
		expect(isDigest(text)).toBe(false)
		expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }))
	})

	it('have an algorithm and a value', () => {
		const digest = parseDigest(EMPTY)
		expect(digestAlgorithm(digest)).toBe('sha256')
		expect(digestHex(digest)).toBe(EMPTY.slice('sha256:'.length))
	})
})
