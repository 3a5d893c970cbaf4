import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Ended, MAIN, type Project, program } from './program.ts'

describe('mistakes end with what happened, why, and what to do next', () => {
	let project: Project

	beforeAll(() => {
		project = createProject({ empty: true })
		mkdirSync(join(project.directory, 'manifests'))
		writeFileSync(
			join(project.directory, 'manifests/a.yaml'),
			'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n',
		)
	})
	afterAll(async () => {
		await project.remove()
	})

	const cases: readonly {
		readonly args: readonly string[]
		readonly code: number
		readonly says: readonly RegExp[]
	}[] = [
		{ args: ['up'], code: 3, says: [/lading init/] },
		{ args: ['pish'], code: 2, says: [/push/] },
		{ args: ['push', 'manifests'], code: 2, says: [/REFERENCE/, /push --help/] },
		{ args: ['push', 'manifests', 'app:v1', '--ca', 'missing.crt'], code: 2, says: [/registry/] },
		{
			args: ['push', 'manifests', 'localhost:1/app:v1', '--ca', 'missing.crt'],
			code: 5,
			says: [/missing\.crt/],
		},
		{ args: ['push', 'manifests', 'localhost:1/app:v1', '--taag', 'x'], code: 2, says: [/--tag/] },
		{ args: ['down', '--keep-regstry'], code: 2, says: [/did you mean --keep-registry\?/] },
		{ args: ['push', 'manifets', 'localhost:1/app:v1'], code: 3, says: [/manifets/] },
		{ args: ['push', 'manifests', 'localhost:1/App:v1'], code: 3, says: [/capital/, /localhost:1\/app:v1/] },
		{
			args: ['inspect', 'localhost:99999/app:v1'],
			code: 3,
			says: [/"localhost:99999" is not a registry host/],
		},
		{ args: ['up', 'manifests', '--registry', 'localhost:99999'], code: 3, says: [/localhost:99999/] },
		{
			args: ['deploy', 'x', 'r.example/app:v1', '--cluster-registry', 'r:99999', '--print'],
			code: 3,
			says: [/"r:99999" is not a registry host/],
		},
		{ args: ['push', 'manifests', 'localhost:1/app:v1'], code: 6, says: [/localhost:1/] },
		{ args: ['push', 'manifests', 'app:v1'], code: 2, says: [/lading registry up/] },
		{ args: ['check', 'manifets'], code: 3, says: [/manifets/] },
		{ args: ['check', 'manifests/a.yaml'], code: 3, says: [/is a manifest/, /directory.*: manifests\n/] },
		{ args: ['status', '--cluster', 'moon'], code: 2, says: [/sandbox/, /context:/] },
		{ args: ['deploy', 'x', 'localhost:1/app:v1'], code: 2, says: [/--cluster/] },
		{ args: ['deploy', 'x', 'localhost:1/app:v1', '--timeout', 'soon'], code: 2, says: [/90s/] },
		{
			args: ['up', 'manifests', '--name', 'Bad_Name'],
			code: 3,
			says: [/"Bad_Name" cannot be the name of the Application/, /lower-case/],
		},
		{
			args: ['pull', 'localhost:1/app:v1', '', '--force'],
			code: 2,
			says: [/DIR: it is empty/, /pull --help/],
		},
		{ args: ['push', '', 'localhost:1/app:v1'], code: 2, says: [/DIR: it is empty/] },
		{ args: ['check', ''], code: 2, says: [/WHAT: it is empty/] },
		{ args: ['diff', '', 'manifests'], code: 2, says: [/A: it is empty/] },
		{ args: ['save', 'localhost:1/app:v1', ''], code: 2, says: [/it is empty/] },
		{ args: ['up', ''], code: 2, says: [/DIR: it is empty/] },
		{ args: ['dev', ''], code: 2, says: [/DIR: it is empty/] },
		{ args: ['tags', 'localhost:1/app', '--ca', ''], code: 2, says: [/--ca: it is empty/] },
		{ args: ['registry', 'prune', '--data', ''], code: 2, says: [/--data: it is empty/] },
		{ args: ['registry', 'token', 'list', '--config', ''], code: 2, says: [/--config: it is empty/] },
		{
			args: ['check', 'manifests', '--argocd-version', 'x'],
			code: 2,
			says: [/"x" is not a version of Argo CD/, /Write it as 3\.6\.1\./],
		},
		{
			args: ['push', 'manifests', 'localhost:1/app:v1', '--argocd-version', '3.6'],
			code: 2,
			says: [/"3\.6" is not a version of Argo CD/],
		},
		{ args: ['check', '/dev/null'], code: 3, says: [/\/dev\/null is a device/] },
		{ args: ['completion', 'tcsh'], code: 2, says: [/bash/] },
	]

	it.each([
		{ other: 'others', code: 1 },
		{ other: 'manifests', code: 0 },
	])('ends with $code also where nobody reads the answer', async ({ other, code }) => {
		mkdirSync(join(project.directory, 'others'), { recursive: true })
		writeFileSync(
			join(project.directory, 'others/b.yaml'),
			'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n',
		)
		const ended = await new Promise((done, reject) => {
			const child = spawn(process.execPath, [MAIN, 'diff', 'manifests', other], { cwd: project.directory })
			child.stdout.destroy()
			child.on('error', reject).on('close', done)
		})
		expect(ended).toBe(code)
	})

	it.each(cases)('lading $args ends with $code', async ({ args, code, says }) => {
		const ended = await project.run(...args)
		expect(ended.stderr, `${ended.stdout}${ended.stderr}`).not.toContain('    at ')
		expect(ended.code, `${ended.stdout}${ended.stderr}`).toBe(code)
		for (const word of says) expect(ended.stderr).toMatch(word)
		expect(ended.stdout).toBe('')
	})

	it('takes an empty text where it has a meaning', async () => {
		expect((await project.run('check', 'manifests', '--path', '')).code).toBe(0)
	})

	it('says so where the working directory was removed, and has help there', async () => {
		const gone = join(project.directory, 'gone')
		const inGone = async (...args: string[]): Promise<Ended> => {
			mkdirSync(gone)
			const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
			return await program('sh', ['-c', script, 'sh', gone, process.execPath, MAIN, ...args], {
				cwd: project.directory,
			})
		}
		const ended = await inGone('status')
		expect(ended.stderr).toContain('error: the working directory is gone')
		expect(ended.code).toBe(3)
		const { code, stdout } = await inGone('status', '--json')
		expect(code).toBe(3)
		expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'DIRECTORY_INVALID' } })
		expect((await inGone('push', '--help')).code).toBe(0)
	})

	it('init that cannot write leaves nothing behind', async () => {
		const cwd = join(project.directory, 'full')
		mkdirSync(cwd)
		const script = 'ulimit -f 0 && exec "$@"'
		const ended = await program('sh', ['-c', script, 'sh', process.execPath, MAIN, 'init'], { cwd })
		expect(ended.code).not.toBe(0)
		expect(readdirSync(cwd)).toEqual([])
	})

	it('names the list of the tokens of the registry that was named', async () => {
		await project.ok('registry', 'token', 'create', 'ci', '--read', '--data', 'my data')
		const ended = await project.run('registry', 'token', 'revoke', 'nope', '--data', 'my data')
		expect(ended.code).toBe(7)
		expect(ended.stderr).toContain("lading registry token list --data 'my data'\n")
	})

	it('tells a script the same as a document', async () => {
		const ended = await project.run('push', 'manifets', 'localhost:1/app:v1', '--json')
		expect(ended.code).toBe(3)
		expect(JSON.parse(ended.stdout)).toMatchObject({ version: 1, error: { code: 'DIRECTORY_INVALID' } })
		const usage = await project.run('pish', '--json')
		expect(usage.code).toBe(2)
		expect(JSON.parse(usage.stdout)).toMatchObject({ version: 1, error: { code: 'USAGE' } })
	})

	it('every command has help with an example', async () => {
		const help = await project.ok('--help')
		const commands = [...help.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1] ?? '')
		expect(commands).toContain('push')
		expect(commands).toContain('doctor')
		for (const command of commands.filter((each) => each !== 'registry' && each !== 'cluster')) {
			expect(await project.ok(command, '--help'), command).toContain('EXAMPLES')
		}
	})
})
