import type * as Fs from 'node:fs'
import { expect, it, vi } from 'vitest'
import { locateSubject } from './subject.ts'
import type { Session } from './session.ts'

vi.mock('node:fs', async (original) => {
	const fs = await original<typeof Fs>()
	return {
		...fs,
		statSync: (path: string, options: object) => {
			// As root, no directory is closed.
			if (!path.startsWith('/closed/')) return fs.statSync(path, options)
			throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'stat', path })
		},
	}
})

const session = { workspace: { root: '/closed', state: () => ({}) } } as unknown as Session

it('says that a path may not be looked at, and nothing of what may be there', () => {
	expect(() => locateSubject(session, './manifests')).toThrow(
		expect.objectContaining({
			code: 'FILE_UNREADABLE',
			message: 'cannot read ./manifests: permission denied',
		}),
	)
})

it('takes an artifact by its reference also where no file may be looked at', () => {
	expect(locateSubject(session, 'r.example/app:v1')).toMatchObject({
		kind: 'artifact',
		reference: { registry: 'r.example', tag: 'v1' },
	})
})

it('says what a device is', () => {
	expect(() => locateSubject(session, '/dev/null')).toThrow(
		expect.objectContaining({
			code: 'FILE_UNSUPPORTED',
			message: '/dev/null is a device, a pipe or a socket',
		}),
	)
})
