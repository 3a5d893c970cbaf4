import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../errors/index.ts'
import { readManifestSet, type ReadManifestSetOptions } from './read-manifest-set.ts'

let directory = ''
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(directory, { recursive: true, force: true })
})

function write(files: Readonly<Record<string, string>>): void {
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(directory, path)), { recursive: true })
		writeFileSync(join(directory, path), content)
	}
}

async function paths(options?: ReadManifestSetOptions): Promise<readonly string[]> {
	return (await readManifestSet(directory, options)).entries.map((entry) => entry.path)
}

async function failure(path = directory): Promise<UserError> {
	try {
		await readManifestSet(path)
	} catch (error) {
		if (error instanceof UserError) return error
		throw error
	}
	throw new Error('it was read')
}

describe('readManifestSet', () => {
	it('lists files, directories and links by the bytes of their names', async () => {
		write({
			'b/c.yaml': 'x',
			'b-d.yaml': 'xy',
			'B.yaml': '',
			'ä.yaml': '',
			'\u{1F600}.yaml': '',
			'\uFF5E.yaml': '',
		})
		symlinkSync('../B.yaml', join(directory, 'b/link.yaml'))
		const set = await readManifestSet(directory)
		expect(set.entries.map(({ path, type, size, linkTarget }) => [path, type, size, linkTarget])).toEqual([
			['B.yaml', 'file', 0, undefined],
			['b', 'directory', 0, undefined],
			['b-d.yaml', 'file', 2, undefined],
			['b/c.yaml', 'file', 1, undefined],
			['b/link.yaml', 'symlink', 0, '../B.yaml'],
			['ä.yaml', 'file', 0, undefined],
			['\uFF5E.yaml', 'file', 0, undefined],
			['\u{1F600}.yaml', 'file', 0, undefined],
		])
		expect(set.ignored).toEqual([])
		expect(set.warnings).toEqual([])
	})

	it('leaves out directories without files, as git does', async () => {
		write({ 'a/b/c.yaml': '', 'd/.env': '' })
		mkdirSync(join(directory, 'e/f'), { recursive: true })
		expect(await paths()).toEqual(['a', 'a/b', 'a/b/c.yaml'])
	})

	it('takes a file with two names twice', async () => {
		write({ 'a.yaml': 'x' })
		linkSync(join(directory, 'a.yaml'), join(directory, 'b.yaml'))
		expect(await paths()).toEqual(['a.yaml', 'b.yaml'])
	})

	it('follows a link to the directory itself', async () => {
		write({ 'a/x.yaml': 'x' })
		symlinkSync('a', join(directory, 'b'))
		expect((await readManifestSet(join(directory, 'b'))).entries.map((entry) => entry.path)).toEqual([
			'x.yaml',
		])
	})

	it('stops when the signal aborts', async () => {
		write({ 'a.yaml': '' })
		await expect(
			readManifestSet(directory, { signal: AbortSignal.abort(new Error('enough')) }),
		).rejects.toThrow('enough')
	})
})

describe('what is left out', () => {
	it('by default, and what stays', async () => {
		write({
			'a.yaml': '',
			'.git/config': '',
			'.env.local': '',
			'sub/node_modules/x.yaml': '',
			'sub/tls.key': '',
			'sub/id_rsa': '',
			'a.yaml~': '',
			'.argocd-source.yaml': '',
			'.argocd-source-app.yaml': '',
			'.helmignore': '',
			'sub/ca.crt': '',
		})
		const set = await readManifestSet(directory)
		expect(set.entries.map((entry) => entry.path)).toEqual([
			'.argocd-source-app.yaml',
			'.argocd-source.yaml',
			'.helmignore',
			'a.yaml',
			'sub',
			'sub/ca.crt',
		])
		expect(set.ignored).toEqual(
			['.env.local', '.git/', 'a.yaml~', 'sub/id_rsa', 'sub/node_modules/', 'sub/tls.key'].map((path) => ({
				path,
				reason: 'default',
			})),
		)
	})

	it('by ignore files, with file, line and pattern; deeper ones win', async () => {
		write({
			'.gitignore': '# drafts\n\n*.draft.yaml\n/only-here.yaml\nout/\r\n!keep.draft.yaml\n',
			'.ladingignore': 'CASE.yaml\n',
			'sub/.sourceignore': '!again.draft.yaml\nlocal.yaml\n',
			'a.yaml': '',
			'case.yaml': '',
			'x.draft.yaml': '',
			'keep.draft.yaml': '',
			'only-here.yaml': '',
			'out/y.yaml': '',
			'sub/only-here.yaml': '',
			'sub/again.draft.yaml': '',
			'sub/local.yaml': '',
		})
		const set = await readManifestSet(directory)
		expect(set.entries.filter((entry) => entry.path.endsWith('.yaml')).map((entry) => entry.path)).toEqual([
			'a.yaml',
			'case.yaml',
			'keep.draft.yaml',
			'sub/again.draft.yaml',
			'sub/only-here.yaml',
		])
		expect(set.ignored).toEqual([
			{ path: 'only-here.yaml', reason: { file: '.gitignore', line: 4, pattern: '/only-here.yaml' } },
			{ path: 'out/', reason: { file: '.gitignore', line: 5, pattern: 'out/' } },
			{ path: 'sub/local.yaml', reason: { file: 'sub/.sourceignore', line: 2, pattern: 'local.yaml' } },
			{ path: 'x.draft.yaml', reason: { file: '.gitignore', line: 3, pattern: '*.draft.yaml' } },
		])
		expect(await paths({ ignore: false })).toContain('x.draft.yaml')
	})

	it('can be taken back in, which is said', async () => {
		write({ '.ladingignore': '!.kube\n!test.key\n', '.kube/config.yaml': '', 'a/test.key': '', 'b.key': '' })
		const set = await readManifestSet(directory)
		expect(set.entries.map((entry) => entry.path)).toEqual([
			'.kube',
			'.kube/config.yaml',
			'.ladingignore',
			'a',
			'a/test.key',
		])
		expect(set.warnings).toHaveLength(2)
		expect(set.warnings[0]).toContain('.kube/')
	})

	it('may not be every manifest', async () => {
		write({ '.gitignore': 'x\n/generated/\n', 'generated/deep/a.yaml': '', 'README.md': '' })
		const error = await failure()
		expect(error.code).toBe('DIRECTORY_EMPTY')
		expect(error.message).toContain('.gitignore:2 (/generated/)')
	})
})

describe('refusals', () => {
	it.each([
		['missing', 'DIRECTORY_INVALID'],
		['file.yaml', 'DIRECTORY_INVALID'],
		['file.yaml/below', 'DIRECTORY_INVALID'],
		['empty', 'DIRECTORY_EMPTY'],
	])('%s: %s', async (path, code) => {
		write({ 'file.yaml': '' })
		mkdirSync(join(directory, 'empty'))
		const error = await failure(join(directory, path))
		expect(error.code).toBe(code)
		expect(error.hint).toBeDefined()
	})

	it.each([
		['/etc/hosts', 'absolute'],
		['../../outside', 'out of the directory'],
		['missing.yaml', 'nothing'],
		['link.yaml', 'itself'],
		['../sub/../a.yaml', 'down and up'],
		['../secret.key', 'left out'],
	])('a link to %s', async (target, why) => {
		write({ 'a.yaml': '', 'secret.key': '', 'sub/b.yaml': '' })
		symlinkSync(target, join(directory, 'sub/link.yaml'))
		const error = await failure()
		expect(error.code).toBe('FILE_UNSUPPORTED')
		expect(error.message).toContain('sub/link.yaml')
		expect(error.message).toContain(why)
	})

	it.runIf(process.platform === 'linux').each([
		['case', ['Ab/x.yaml', 'aB/y.yaml'], 'differ only in case'],
		['accents', ['\u00e9.yaml', 'e\u0301.yaml'], 'differ only in case'],
		['a backslash', ['a\\b.yaml'], 'backslash'],
		['a character that stands for a lost one', ['a\uFFFDb.yaml'], 'U+FFFD'],
		['a line break', ['a\nb.yaml'], 'control character'],
	])('names with %s', async (_, names, why) => {
		write(Object.fromEntries(names.map((name) => [name, ''])))
		const error = await failure()
		expect(error.code).toBe('FILE_UNSUPPORTED')
		expect(error.message).toContain(why)
	})

	it.runIf(process.platform === 'linux')('names that are not UTF-8', async () => {
		writeFileSync(Buffer.concat([Buffer.from(`${directory}/a`), Buffer.of(0xff), Buffer.from('.yaml')]), '')
		const error = await failure()
		expect(error.code).toBe('FILE_UNSUPPORTED')
		expect(error.message).toContain('"a?.yaml"')
	})

	it.runIf(process.platform !== 'win32')('sockets', async () => {
		write({ 'a.yaml': '' })
		const server = createServer()
		await new Promise<void>((done) => server.listen(join(directory, 's'), done))
		try {
			expect((await failure()).message).toContain('s is a device, a pipe or a socket')
		} finally {
			await new Promise((done) => server.close(done))
		}
	})
})
