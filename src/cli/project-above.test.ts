import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { RemoteError, UserError } from '../errors/index.ts'
import { withProjectAbove } from './project-above.ts'

const root = mkdtempSync(join(tmpdir(), 'lading-above-'))
const below = join(root, 'deploy', 'shop')
mkdirSync(below, { recursive: true })
afterEach(() => rmSync(root, { recursive: true, force: true }))

it('says where the project is, to who is below it and misses something', () => {
	const missing = new UserError('REGISTRY_UNKNOWN', 'no registry', { hint: 'Start one.', details: ['a'] })
	expect(withProjectAbove(missing, below)).toBe(missing)
	writeFileSync(join(root, 'lading.yaml'), '')
	expect(withProjectAbove(missing, below)).toMatchObject({
		code: 'REGISTRY_UNKNOWN',
		message: 'no registry',
		hint: 'Start one.',
		details: ['a', `The project is further up: cd ${join('..', '..')}`],
	})
	expect(withProjectAbove(missing, root)).toBe(missing)
	const other = new UserError('TAG_EXISTS', 'no tag')
	expect(withProjectAbove(other, below)).toBe(other)
	const remote = new RemoteError('CONFIG_INVALID', 'of a server')
	expect(withProjectAbove(remote, below)).toBe(remote)
})
