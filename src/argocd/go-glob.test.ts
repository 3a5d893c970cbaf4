import { describe, expect, it } from 'vitest'
import { compileGlob } from './go-glob.ts'

describe('compileGlob', () => {
	it.each([
		['*.yaml', 'a.yaml', true],
		['*.yaml', 'dir/a.yaml', true],
		['**/a.yaml', 'a.yaml', false],
		['**/a.yaml', 'x/y/a.yaml', true],
		['a?.yaml', 'ab.yaml', true],
		['a?.yaml', 'a.yaml', false],
		['{a,b*}.yaml', 'bcd.yaml', true],
		['{a,b}.yaml', 'c.yaml', false],
		['{a,{b,c}}.yaml', 'c.yaml', true],
		['{config.yaml,env-use2/*}', 'env-use2/x.yaml', true],
		['[a-c]x', 'bx', true],
		['[!a-c]x', 'bx', false],
		['[abc]x', 'cx', true],
		[String.raw`\*.yaml`, '*.yaml', true],
		[String.raw`\*.yaml`, 'a.yaml', false],
		['a.yaml', 'aXyaml', false],
		['', '', true],
	])('%s on %s: %s', (pattern, text, expected) => {
		expect(compileGlob(pattern)?.(text)).toBe(expected)
	})

	it.each(['[', '{a', '[]', 'a\\', '{{{'])('does not compile %s', (pattern) => {
		expect(compileGlob(pattern)).toBeUndefined()
	})

	it('is not slowed down by a hostile pattern', () => {
		expect(compileGlob('*a'.repeat(200))?.('a'.repeat(150))).toBe(false)
	})
})
