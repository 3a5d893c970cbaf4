import { execFileSync } from 'node:child_process'
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProject, lading, MAIN, processesWith, type Project } from './program.ts'

let project: Project

beforeEach(() => {
	project = createProject()
})
afterEach(async () => {
	await project.remove()
	const left = processesWith(join(project.directory, '.lading'))
	if (left.length > 0) throw new Error(`down has left ${left.join('\n')}`)
})

/** `up` finishes, the application runs, and no lock or half-written file is left. */
async function finishes(): Promise<void> {
	const up = await project.run('up')
	expect(up.code, up.stderr).toBe(0)
	expect(up.stdout).toContain('is Synced and Healthy')
	const names = readdirSync(join(project.directory, '.lading'))
	expect(names.filter((name) => /lock|tmp/.test(name))).toEqual([])
}

describe('what was cut short is finished by running it again', () => {
	it.each([
		['SIGINT', /registry/, 130, 'Run the same command again'],
		['SIGTERM', /cluster/, 143, 'Run the same command again'],
		['SIGINT', /pack/, 130, 'Run the same command again'],
		// From here on Argo CD works, and lading only waits.
		['SIGINT', /application/, 130, 'wait again with the same command'],
	] as const)('up, ended by %s after it said %s', async (signal, when, code, next) => {
		const ended = await lading(['up'], { cwd: project.directory, kill: { when, signal } })
		expect(ended.code, ended.stderr).toBe(code)
		expect(ended.stderr).toContain(next)
		await finishes()
	})

	it('up, killed while a server is starting', async () => {
		const killed = lading(['up'], { cwd: project.directory })
		// The server has said that it wants the directory, and does not listen yet.
		const registry = join(project.directory, '.lading/registry')
		await expect
			.poll(() => existsSync(registry) && readdirSync(registry).some((name) => name.startsWith('lock')), {
				interval: 5,
				timeout: 10_000,
			})
			.toBe(true)
		const command = processesWith('main.cjs up').find((line) => isIn(line, project.directory))
		expect(command).toBeDefined()
		process.kill(Number(command?.split(' ')[0]), 'SIGKILL')
		expect((await killed).signal).toBe('SIGKILL')
		await finishes()
	})

	it('push, interrupted, leaves no tag that was not pushed', async () => {
		await project.ok('up')
		const push = ['push', 'sample-manifests', 'oci-demo-app:v2.0.0']
		writeFileSync(join(project.directory, 'sample-manifests/more.yaml'), configMap(400_000))
		const ended = await lading(push, { cwd: project.directory, kill: { when: /pack/, signal: 'SIGINT' } })
		expect([0, 130]).toContain(ended.code)
		await project.ok(...push)
		expect(await project.ok('tags', 'oci-demo-app')).toBe('v2.0.0\nv1.0.0')
	})
})

describe('registry and sandbox, each started by itself', () => {
	const deploy = ['deploy', 'shop', 'shop:v1.0.0', '--namespace', 'oci-demo-app']

	it.each([
		['the registry first', ['registry', 'cluster']],
		['the sandbox first', ['cluster', 'registry']],
	])('know each other: %s', async (_, parts) => {
		for (const part of parts) await project.ok(part, 'up')
		await project.ok('push', 'sample-manifests', 'shop:v1.0.0')
		expect(await project.ok(...deploy)).toContain('is Synced and Healthy')
		// A registry that was removed comes back with another CA.
		await project.ok('registry', 'down')
		await project.ok('registry', 'up')
		await project.ok('push', 'sample-manifests', 'shop:v1.0.0')
		expect(await project.ok('sync', 'shop', '--timeout', '30s')).toContain('is Synced and Healthy')
	})
})

function isIn(line: string, directory: string): boolean {
	return readlinkSync(`/proc/${line.split(' ')[0]}/cwd`) === directory
}

function configMap(bytes: number): string {
	return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  namespace: oci-demo-app\ndata:\n  text: ${'x'.repeat(bytes)}\n`
}

describe('two at once', () => {
	it('in one project: one does it, the other finds it done', async () => {
		const both = await Promise.all([project.run('up'), project.run('up')])
		for (const each of both) expect(each.code, each.stderr).toBe(0)
		expect(both.filter(({ stdout }) => stdout.includes('Nothing to do'))).toHaveLength(1)
		expect(processesWith(`${project.directory}/.lading/registry`)).toHaveLength(1)
	})

	it('in two projects: each has its own, the second on a free port', async () => {
		const other = createProject()
		try {
			await Promise.all([project.ok('up'), other.ok('up')])
			await project.ok('down')
			expect(await other.ok('tags', 'oci-demo-app')).toBe('v1.0.0')
		} finally {
			await other.remove()
		}
	})
})

describe('what is in the way', () => {
	it('a taken port: a free one is used and said, unless the port was asked for', async () => {
		const server = createServer()
		const port = await new Promise<number>((resolve) => {
			server.listen(0, '127.0.0.1', () => {
				const address = server.address()
				resolve(typeof address === 'object' && address !== null ? address.port : 0)
			})
		})
		try {
			const asked = await project.run('registry', 'up', '--port', String(port))
			expect(asked.code).toBe(9)
			expect(asked.stderr).toContain(String(port))
			// The port it had is taken now: it says so and takes another.
			mkdirSync(join(project.directory, '.lading'), { recursive: true, mode: 0o700 })
			writeFileSync(
				join(project.directory, '.lading/state.json'),
				JSON.stringify({
					version: 1,
					registry: {
						kind: 'embedded',
						endpoint: { push: `localhost:${port}`, cluster: 'kind-registry:5000' },
					},
					applications: [],
				}),
			)
			const up = await project.run('registry', 'up')
			expect(up.code, up.stderr).toBe(0)
			expect(up.stderr).toContain(`port ${port} is taken`)
		} finally {
			server.close()
		}
	})

	it('a mistake in the directory starts nothing', async () => {
		mkdirSync(join(project.directory, 'empty'))
		for (const directory of ['empty', 'nowhere', 'lading.yaml']) {
			const ended = await project.run('up', directory)
			expect(ended.code, ended.stderr).toBe(3)
		}
		expect((await project.run('up', '--name', 'Not_A_Name')).code).toBe(3)
		expect(existsSync(join(project.directory, '.lading'))).toBe(false)
	})

	it('a file called manifests', async () => {
		const empty = createProject({ empty: true })
		try {
			writeFileSync(join(empty.directory, 'manifests'), 'notes')
			const ended = await empty.run('init')
			expect(ended.code).toBe(3)
			expect(readdirSync(empty.directory)).toEqual(['manifests'])
		} finally {
			await empty.remove()
		}
	})

	it.skipIf(!existsSync('/dev/full'))('standard output that is full', () => {
		const code = execFileSync(
			'sh',
			['-c', '"$0" "$1" init --force >/dev/full; echo $?', process.execPath, MAIN],
			{
				cwd: project.directory,
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'ignore'],
			},
		)
		expect(code.trim()).toBe('9')
	})
})

describe('down', () => {
	it('--keep-registry leaves the artifacts for the next up', async () => {
		await project.ok('up')
		const down = await project.run('down', '--keep-registry')
		expect(down.stderr).toContain('kept, with 1 artifact')
		expect(existsSync(join(project.directory, '.lading/sandbox'))).toBe(false)
		expect(await project.ok('tags', 'oci-demo-app')).toBe('v1.0.0')
		const up = await project.run('up')
		expect(up.stderr).toContain('unchanged: ')
		expect(up.code).toBe(0)
	})

	it('leaves a clean directory, and the ports free', async () => {
		const before = readdirSync(project.directory)
		await project.ok('up')
		await project.ok('down')
		expect(readdirSync(project.directory)).toEqual(before)
		expect(await project.ok('down')).toBe('Nothing to remove.')
		expect(readdirSync(project.directory)).toEqual(before)
	})

	it.each(['{', '{"version":1,"registry":5}'])(
		'--force ends the servers and removes all of it where the state file is %j',
		async (text) => {
			const directory = join(project.directory, '.lading')
			await project.ok('up')
			expect(processesWith(directory)).toHaveLength(2)
			writeFileSync(join(directory, 'state.json'), text)
			const refused = await project.run('down')
			expect(refused.code).toBe(3)
			expect(refused.stderr).toContain('lading down --force')
			const doctor = await project.run('doctor')
			expect(doctor.code, doctor.stderr).toBe(1)
			expect(doctor.stdout).toContain('lading down --force')
			expect(processesWith(directory)).toHaveLength(2)
			const forced = await project.run('down', '--force')
			expect(forced.code, forced.stderr).toBe(0)
			expect(forced.stdout).toContain('Removed, with 1 artifact')
			expect(forced.stderr).toContain('is not a state file')
			expect(processesWith(directory)).toEqual([])
			expect(existsSync(directory)).toBe(false)
		},
	)

	it('--force --keep-registry leaves the artifacts for the next up, without a readable state file', async () => {
		await project.ok('up')
		writeFileSync(join(project.directory, '.lading/state.json'), '')
		const down = await project.run('down', '--force', '--keep-registry')
		expect(down.code, down.stderr).toBe(0)
		expect(down.stderr).toContain('kept, with 1 artifact')
		expect(processesWith(join(project.directory, '.lading'))).toHaveLength(1)
		const up = await project.run('up')
		expect(up.code, up.stderr).toBe(0)
		expect(up.stderr).toContain('unchanged: ')
	})
})

describe('secrets', () => {
	it('stand in no argument, no log and no file that others can read', async () => {
		await project.ok('up')
		const directory = join(project.directory, '.lading')
		const secrets = [
			readFileSync(join(directory, 'sandbox/token'), 'utf8').trim(),
			readFileSync(join(directory, 'registry/ca.key'), 'utf8').split('\n')[1] ?? '',
		]
		const running = processesWith(directory).join('\n')
		for (const secret of secrets) {
			expect(secret.length).toBeGreaterThan(20)
			expect(running).not.toContain(secret)
		}
		const leaks = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((entry) => {
			const path = join(directory, entry)
			const stats = statSync(path)
			if (!stats.isFile()) return false
			const text = readFileSync(path, 'utf8')
			const isSecret = secrets.some((secret) => text.includes(secret))
			return isSecret && (entry.endsWith('.log') || (stats.mode & 0o077) !== 0)
		})
		expect(leaks).toEqual([])
	})
})
