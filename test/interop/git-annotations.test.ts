import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gitAnnotations, type GitAnnotations } from '../../src/artifact/index.ts'

describe('gitAnnotations', () => {
	let directory = ''
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), 'lading-'))
	})
	afterEach(() => {
		rmSync(directory, { recursive: true, force: true })
	})

	const environment = { PATH: process.env['PATH'] }
	const annotate = (path: string): Promise<GitAnnotations> => gitAnnotations(path, { environment })

	function git(...args: readonly string[]): string {
		return execFileSync(
			'git',
			['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgSign=false', ...args],
			{
				cwd: directory,
				env: {
					...environment,
					HOME: directory,
					GIT_COMMITTER_DATE: '1700000000 +0530',
					GIT_AUTHOR_DATE: '1600000000 +0000',
				},
				stdio: ['ignore', 'pipe', 'ignore'],
			},
		).toString()
	}

	function commit(): void {
		git('init', '-q', '.')
		mkdirSync(join(directory, 'manifests'))
		writeFileSync(join(directory, 'manifests/a.yaml'), 'a: 1')
		git('add', '.')
		git('commit', '-q', '-m', 'one')
	}

	it('tells revision, time and source', async () => {
		commit()
		git('remote', 'add', 'origin', 'git@github.com:acme/app.git')
		writeFileSync(join(directory, 'elsewhere.txt'), 'changes elsewhere do not count')
		expect(await annotate(join(directory, 'manifests'))).toEqual({
			annotations: {
				'org.opencontainers.image.revision': git('rev-parse', 'HEAD').trim(),
				'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
				'org.opencontainers.image.source': 'https://github.com/acme/app',
			},
		})
	})

	it('tells nothing of a directory with changes, of no repository, of none with a commit', async () => {
		expect((await annotate(directory)).omitted).toContain('no git repository')
		git('init', '-q', '.')
		expect((await annotate(directory)).omitted).toContain('no commit')
		commit()
		writeFileSync(join(directory, 'manifests/new.yaml'), '')
		expect((await annotate(join(directory, 'manifests'))).omitted).toContain('not committed')
	})

	it('tells nothing of a shallow clone', async () => {
		commit()
		git('commit', '-q', '--allow-empty', '-m', 'two')
		git('clone', '-q', '--depth', '1', `file://${directory}`, 'shallow')
		expect((await annotate(join(directory, 'shallow'))).omitted).toContain('shallow')
	})

	it('runs nothing that the repository asks for', async () => {
		commit()
		const trap = join(directory, 'trap.sh')
		writeFileSync(trap, `#!/bin/sh\ntouch ${directory}/sprung\n`)
		chmodSync(trap, 0o755)
		git('config', 'core.fsmonitor', trap)
		git('config', 'core.pager', trap)
		git('config', 'gpg.program', trap)
		git('config', 'log.showSignature', 'true')
		expect((await annotate(join(directory, 'manifests'))).omitted).toBeUndefined()
		expect(existsSync(join(directory, 'sprung'))).toBe(false)
	})

	it('runs no content filter of the repository, and tells nothing then', async () => {
		commit()
		const trap = join(directory, 'trap.sh')
		writeFileSync(trap, `#!/bin/sh\ntouch ${directory}/sprung\ncat\n`)
		chmodSync(trap, 0o755)
		writeFileSync(join(directory, 'manifests/.gitattributes'), '* filter=evil=x\n')
		git('add', '.')
		git('commit', '-q', '-m', 'two')
		git('config', 'filter.evil=x.clean', trap)
		// A file that looks changed is what makes git run the filter.
		utimesSync(join(directory, 'manifests/a.yaml'), 1, 1)
		expect((await annotate(join(directory, 'manifests'))).omitted).toContain('programs to run')
		expect(existsSync(join(directory, 'sprung'))).toBe(false)
	})

	it('does without git', async () => {
		expect(await gitAnnotations(directory, { environment: { PATH: '/nonexistent' } })).toMatchObject({
			omitted: expect.stringContaining('not installed'),
		})
	})
})
