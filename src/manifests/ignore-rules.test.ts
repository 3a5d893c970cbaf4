import { array, assert, boolean, constantFrom, property } from 'fast-check'
import ignore from 'ignore'
import { describe, expect, it } from 'vitest'
import { defaultIgnorePatterns } from './default-ignore.ts'
import { IgnoreRules } from './ignore-rules.ts'

const parts = constantFrom(
	...defaultIgnorePatterns.flatMap((pattern) => [pattern, pattern.replaceAll('*', '')]),
	'.',
	'#',
	'~',
	'-',
	'x',
	'X',
	'ä',
	' ',
	'\\',
	'.yaml',
)
const names = array(parts, { minLength: 1, maxLength: 3 })
	.map((all) => all.join(''))
	.filter((name) => !['.', '..'].includes(name))

describe('the built-in list', () => {
	const whole = ignore({ ignorecase: false }).add([...defaultIgnorePatterns])

	it('leaves out what its patterns leave out as git has them, and nothing else', () => {
		assert(
			property(names, constantFrom('', 'sub/', 'sub/dir/'), boolean(), (name, prefix, isDirectory) => {
				const path = `${prefix}${name}${isDirectory ? '/' : ''}`
				expect(IgnoreRules.none.verdict(path)?.kind === 'ignored').toBe(whole.ignores(path))
			}),
			{ numRuns: 2000 },
		)
	})
})
