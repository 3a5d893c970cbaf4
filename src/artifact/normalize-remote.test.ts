import { expect, it } from 'vitest'
import { normalizeRemote } from './git-annotations.ts'

it.each([
	['https://github.com/acme/app.git', 'https://github.com/acme/app'],
	['https://user:s3cret@github.com/acme/app/', 'https://github.com/acme/app'],
	['git@github.com:acme/app.git', 'https://github.com/acme/app'],
	['ssh://git@git.example.com:2222/acme/app.git', 'https://git.example.com/acme/app'],
	['https://git.example.com:8443/acme/app?token=s3cret#x', 'https://git.example.com:8443/acme/app'],
	['http://Git.Example.com/app', 'https://git.example.com/app'],
	['/srv/git/app.git', undefined],
	['../app', undefined],
	['file:///srv/git/app.git', undefined],
	['C:\\repos\\app', undefined],
	['https://github.com', undefined],
])('the remote %s is %s', (remote, expected) => {
	expect(normalizeRemote(remote)).toBe(expected)
})
