import { expect, it } from 'vitest'
import { jsonFault } from './json-fault.ts'

it.each([
	['{\n  "a": 1,\n  b: 2\n}', 3, 3, 'Expected double-quoted property name'],
	['{"a":\n', 1, 6, 'Unexpected end of the file'],
	['// what it is\n{}', 1, 1, "Unexpected token '/'"],
	['{"true": true,\n "a": tru}', 2, 10, "Unexpected token '}'"],
	['{"a": "}", "b": [1, 2}\n', 1, 22, "Expected ',' or ']' after array element"],
	['{"a": "x\ny"}', 1, 9, 'Bad control character in string literal'],
])('%j', (text, line, column, what) => {
	let message = ''
	try {
		JSON.parse(text)
	} catch (error) {
		message = error instanceof Error ? error.message : ''
	}
	expect(jsonFault(text, message)).toEqual({ line, detail: `${what}, at ${line}:${column}` })
})
