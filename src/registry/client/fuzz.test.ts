import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../errors/index.ts'
import { readAuthFile } from './auth-file.ts'
import { nextPage } from './referrers.ts'

let directory: string
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('what a registry or a file says', () => {
	it('as a Link header gives a page or none', () => {
		const piece = fc.constantFrom('<', '>', ';', ',', 'rel=', '"', 'next', ' ', '/v2/a', '\\', 'x')
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
				const page = nextPage(pieces.join(''))
				expect(page === undefined || pieces.join('').includes(`<${page}>`)).toBe(true)
			}),
		)
		expect(nextPage('</a>; rel="prev", </b>; title="x"; rel="foo next"')).toBe('/b')
		expect(nextPage(['</a>; rel=prev', '</b>; rel=next'])).toBe('/b')
		// Characters that would make an expression go back and forth.
		expect(nextPage('<'.repeat(100_000))).toBeUndefined()
		expect(nextPage(`<a>;${' rel="'.repeat(2000)}`)).toBeUndefined()
	})

	it('as a file of credentials gives a credential, or an error that holds nothing of it', async () => {
		const path = join(directory, 'config.json')
		const secret = 'c2VjcmV0LXdvcmQ='
		const value = fc.oneof(fc.constant(secret), fc.jsonValue({ maxDepth: 2 }), fc.string())
		const key = fc.constantFrom(
			'registry.test',
			'https://registry.test/v1/',
			'__proto__',
			'REGISTRY.test/a',
			'/',
		)
		const entry = fc.oneof(
			fc.record({ auth: value, username: value, identitytoken: value }, { requiredKeys: [] }),
			value,
		)
		const file = fc.oneof(
			fc
				.record(
					{ auths: fc.dictionary(key, entry), credHelpers: fc.dictionary(key, value), credsStore: value },
					{ requiredKeys: [] },
				)
				.map((content) => JSON.stringify(content)),
			fc.string(),
			fc.constant('['.repeat(200_000)),
		)
		await fc.assert(
			fc.asyncProperty(file, async (text) => {
				await writeFile(path, text)
				const error = failure(() => {
					const read = readAuthFile(path)
					read?.helperFor('registry.test')
					read?.credentialFor('registry.test', 'a/b')
				})
				expect(error === undefined || (error instanceof UserError && error.code)).toSatisfy(
					(code) => code === true || code === 'CREDENTIALS_UNREADABLE',
				)
				expect(String(error)).not.toMatch(/secret-word|c2VjcmV0/)
			}),
			{ numRuns: 300 },
		)
	})
})

function failure(attempt: () => void): unknown {
	try {
		attempt()
		return undefined
	} catch (error) {
		return error
	}
}
