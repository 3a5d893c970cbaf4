import { describe, expect, it } from 'vitest'
import { type FieldPlace, locateFields } from './locate-fields.ts'

const YAML = `# first
apiVersion: v1
kind: A
---
# a comment

apiVersion: v1
kind: B
spec:
  "containers":
    - name: x
      image: y
    -
      name: z
  other: {a: 1, 'b': [1, 2]}
  anchored: &anchor {z: 1}
  alias: *anchor
  twice: 1
  twice: 2
`

function locate(text: string, line: number, path: FieldPlace): string | undefined {
	const [found] = locateFields(Buffer.from(text), { line, paths: [path] })
	return found && `${found.line}:${found.column}`
}

describe('locateFields', () => {
	it.each<[FieldPlace, string]>([
		[[], '7:1'],
		[['kind'], '8:1'],
		[['spec', 'containers', 0], '11:7'],
		[['spec', 'containers', 0, 'image'], '12:7'],
		[['spec', 'containers', 1, 'name'], '14:7'],
		[['spec', 'other', 'b', 1], '15:26'],
		[['spec', 'anchored', 'z'], '16:22'],
		// Of what stands elsewhere, the place where it is used.
		[['spec', 'alias', 'z'], '17:3'],
		[['spec', 'twice'], '19:3'],
		// Of what is missing, its last parent.
		[['spec', 'missing', 'name'], '9:1'],
		[['spec', 'containers', 7], '10:3'],
	])('%j stands at %s', (path, expected) => {
		expect(locate(YAML, 7, path)).toBe(expected)
	})

	it('finds each of the documents and items of a large file in one go', () => {
		const documents = 6000
		const text = Array.from({ length: documents }, (_, at) => `# ${at}\nkind: A\nspec: {a: 1}\n---\n`).join(
			'',
		)
		const bytes = Buffer.from(text)
		for (let at = 0; at < documents; at++) {
			const [found] = locateFields(bytes, { line: 2 + 4 * at, paths: [['spec']] })
			expect(found?.line).toBe(3 + 4 * at)
		}
		const items = Array.from({ length: documents }, (_, at) => `- {kind: A, spec: {a: ${at}}}\n`).join('')
		const paths = Array.from({ length: documents }, (_, at) => ['items', at, 'spec', 'a'])
		const located = locateFields(Buffer.from(`items:\n${items}`), { line: 1, paths })
		expect(located.map((each) => each?.line)).toEqual(paths.map((_, at) => at + 2))
	})

	it('reads JSON too', () => {
		expect(locate('\n{\n  "a": {\n    "b": [1,\n      2]\n  }\n}\n', 2, ['a', 'b', 1])).toBe('5:7')
		expect(locate('{\n\t"a": {\n\t\t"b": true }}', 1, ['a', 'b'])).toBe('3:3')
	})

	it('knows of no place where no document starts', () => {
		expect(locate(YAML, 3, ['kind'])).toBeUndefined()
	})
})
