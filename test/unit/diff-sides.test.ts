import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/app.ts'
import { openWorkspace } from '../../src/flows/workspace.ts'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { type FakeArgocdServer, startFakeArgocdServer, TOKEN } from '../contract/fake-argocd-server.ts'
import { type Front, startFront } from '../e2e/front.ts'

const SAMPLE = join(import.meta.dirname, '../../sample-manifests')
const PASSWORD = 's3cret'
const BASIC = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`

let directory = ''

interface Outcome {
	readonly code: number
	readonly stdout: string
	readonly stderr: string
}

/** A whole command in this process, without a terminal and without the user's environment. */
async function ladingWith(
	env: Readonly<Record<string, string>>,
	...args: readonly string[]
): Promise<Outcome> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): { write(text: string): void } => ({
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args,
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Readable.from([`${PASSWORD}\n`]),
		cwd: directory,
		env: { HOME: directory, ...env },
		version: '9.9.9',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, ...written }
}

const lading = async (...args: readonly string[]): Promise<Outcome> => await ladingWith({}, ...args)

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
})
afterEach(() => {
	rmSync(directory, { recursive: true, force: true })
})

describe('a side of diff with faults', () => {
	const GOOD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n'
	const deployment = (name: string, args = '[]'): string =>
		`apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  args: ${args}\n`
	const side = (name: string, files: Readonly<Record<string, string>>): void => {
		mkdirSync(join(directory, name))
		for (const [file, text] of Object.entries({ 'good.yaml': GOOD, ...files }))
			writeFileSync(join(directory, name, file), text)
	}

	it('ends where a file does not parse, on either side, and never as no difference', async () => {
		side('e', { 's.yaml': deployment('one', '[') })
		side('f', { 's.yaml': deployment('two', '[') })
		side('whole', { 's.yaml': deployment('one') })
		for (const [left, right, broken] of [
			['e', 'f', '[ef]'],
			['whole', 'f', 'f'],
			['f', 'whole', 'f'],
		] as const) {
			const ended = await lading('diff', left, right)
			expect(ended, ended.stderr).toMatchObject({ code: 3, stdout: '' })
			expect(ended.stderr).toMatch(new RegExp(`${broken} cannot be compared: s\\.yaml:\\d+ does not parse`))
			expect(ended.stderr).toMatch(/next: +Mend the file\./)
		}
	})

	it.each([
		['JSON that is none', { 's.json': '{' }, 's.json:1 is no JSON'],
		['a document without kind', { 's.yaml': `${GOOD}---\nmetadata: {name: x}\n` }, 's.yaml:5 cannot be read'],
	])('ends at %s', async (_, files, message) => {
		side('e', files)
		side('f', {})
		const ended = await lading('diff', 'e', 'f')
		expect(ended.code, ended.stderr).toBe(3)
		expect(ended.stderr).toContain(`e cannot be compared: ${message}`)
	})

	it('names every file that cannot be read', async () => {
		side('e', { 's.yaml': deployment('one', '['), 't.json': '{' })
		side('f', {})
		const { stderr } = await lading('diff', 'f', 'e')
		expect(stderr).toMatch(/s\.yaml:\d+ does not parse[^]*t\.json:1 is no JSON/)
	})

	it('says which files it does not compare, in every form of answer', async () => {
		side('e', { 'a.jsonnet': '{}' })
		side('f', {})
		const ended = await lading('diff', 'e', 'f')
		expect(ended).toMatchObject({ code: 0, stdout: 'no difference\n' })
		expect(ended.stderr).toContain('a.jsonnet is removed, and not compared: Argo CD evaluates it')
		const { stdout } = await lading('diff', 'f', 'e', '--json')
		expect(JSON.parse(stdout)).toMatchObject({
			differences: [],
			skipped: [{ side: 'after', path: 'a.jsonnet', reason: 'jsonnet', change: 'added' }],
		})
		const markdown = await lading('diff', 'e', 'f', '--format', 'markdown')
		expect(markdown.stdout).toContain('no difference\n\nNot compared: <code>a.jsonnet</code> (removed)\n')
	})

	it('says of those that differ how, once for both sides, and nothing of those that are the same', async () => {
		side('e', { 'same.jsonnet': '{}', 'other.jsonnet': '{}', 'n.libsonnet': '1' })
		side('f', { 'same.jsonnet': '{}', 'other.jsonnet': '{ }', 'n.libsonnet': '2' })
		const { stderr } = await lading('diff', 'e', 'f')
		expect(stderr.match(/[^ ]+ is changed, and not compared/g)).toEqual([
			'other.jsonnet is changed, and not compared',
		])
		expect(stderr).not.toContain('same.jsonnet')
		const { stdout } = await lading('diff', 'e', 'f', '--json')
		expect(JSON.parse(stdout)).toMatchObject({
			skipped: [
				{ side: 'before', path: 'other.jsonnet', change: 'changed' },
				{ side: 'after', path: 'other.jsonnet', change: 'changed' },
			],
		})
		const markdown = await lading('diff', 'e', 'f', '--format', 'markdown')
		expect(markdown.stdout).toMatch(/Not compared: <code>other.jsonnet<\/code> \(changed\)\n$/)
	})

	it('takes a file of jsonnet for the same only with what it may import', async () => {
		const files = { 'a.jsonnet': "import 'n.libsonnet'", 'n.libsonnet': '1' }
		side('e', files)
		side('f', files)
		expect((await lading('diff', 'e', 'f')).stderr).not.toContain('a.jsonnet')
		side('g', { ...files, 'n.libsonnet': '2' })
		expect((await lading('diff', 'e', 'g')).stderr).toContain('a.jsonnet of g is not compared')
	})

	it('warns of what else Argo CD refuses, once for each side, and compares', async () => {
		const label = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {n: 1}}\n'
		side('e', { 's.yaml': label })
		side('f', { 's.yaml': label })
		const ended = await lading('diff', 'e', 'f')
		expect(ended).toMatchObject({ code: 0, stdout: 'no difference\n' })
		const told = ended.stderr.match(/Argo CD would not deploy (?:e|f) as it is: s\.yaml:1: /g)
		expect(told?.toSorted()).toEqual([
			'Argo CD would not deploy e as it is: s.yaml:1: ',
			'Argo CD would not deploy f as it is: s.yaml:1: ',
		])
	})
})

/** What reaches a registry that an Application names: two of them, of which one or none is named by the command. */
describe.sequential('the registry of an Application', () => {
	let home = ''
	let registry: RunningRegistry
	let argocd: FakeArgocdServer
	const digests: string[] = []
	let [old, now]: readonly [Front, Front] = [] as never

	const guarded = async (): Promise<Front> => {
		const front = await startFront(registry.port)
		front.fault = (request, response) => {
			if (request.headers.authorization === BASIC) return false
			response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
			return true
		}
		return front
	}
	const open = (front: Front): void => void (front.fault = () => false)
	const authorizations = (front: Front): readonly string[] =>
		front.seen.flatMap(({ headers }) => headers.authorization ?? [])

	const ENV = { LADING_USERNAME: 'ann', LADING_PASSWORD: PASSWORD }
	const SIGN_IN = ['--username', 'ann', '--password-stdin']
	const run = async (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Outcome> =>
		await ladingWith(
			{ ARGOCD_AUTH_TOKEN: TOKEN, ...env },
			...args,
			'--plain-http',
			'--cluster',
			`argocd:${argocd.url.origin}`,
		)
	const entry = (id: number, repoURL: string): object => ({
		id,
		revision: digests[id],
		deployedAt: '2026-01-01T00:00:00Z',
		source: { repoURL, targetRevision: `v${id}`, path: '.' },
	})
	/** Deployments 0 and 1 of `place`. */
	const deployedFrom = (place: string): void => {
		const source = { repoURL: `oci://${place}`, targetRevision: 'v1', path: '.' }
		const history = [entry(0, source.repoURL), entry(1, source.repoURL)]
		argocd.applications.set('shop', {
			apiVersion: 'argoproj.io/v1alpha1',
			kind: 'Application',
			metadata: { name: 'shop', namespace: 'argocd' },
			spec: { project: 'default', source, destination: { namespace: 'shop' } },
			status: { sync: { status: 'Synced', revision: digests[1] }, health: { status: 'Healthy' }, history },
		})
	}

	beforeAll(async () => {
		home = mkdtempSync(join(tmpdir(), 'lading-'))
		registry = await serveRegistry({ dataDirectory: join(home, 'data'), port: 0, plainHttp: true })
		directory = home
		cpSync(SAMPLE, join(home, 'manifests'), { recursive: true })
		const push = async (...places: readonly string[]): Promise<string> => {
			let stdout = ''
			for (const place of places) {
				const ended = await lading('push', 'manifests', `127.0.0.1:${registry.port}/${place}`, '--plain-http')
				expect(ended.code, ended.stderr).toBe(0)
				stdout = ended.stdout
			}
			return /sha256:[0-9a-f]{64}/.exec(stdout)?.[0] ?? stdout
		}
		digests[0] = await push('old/shop:v0', 'both:v0')
		rmSync(join(home, 'manifests/service.yaml'))
		digests[1] = await push('new/shop:v1', 'both:v1')
	})
	afterAll(async () => {
		await registry?.close()
		rmSync(home, { recursive: true, force: true })
	})
	beforeEach(async () => {
		argocd = await startFakeArgocdServer()
		;[old, now] = [await guarded(), await guarded()]
	})
	afterEach(async () => {
		for (const front of [old, now]) front.close()
		await argocd.close()
	})

	it.each([
		['of the environment', ENV, []],
		['of the command line', {}, SIGN_IN],
	])('gets no password %s that is for the one beside it', async (_, env, flags) => {
		deployedFrom(`${old.host}/both`)
		open(old)
		const ended = await run(env, 'diff', 'shop@0', `${now.host}/both:v0`, ...flags)
		expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: 'no difference\n' })
		expect(authorizations(now)).toContain(BASIC)

		old.fault = now.fault
		const refused = await run(env, 'diff', `${now.host}/both:v0`, 'shop@0', ...flags)
		expect(refused.code).toBe(4)
		expect(refused.stderr).toContain(`${old.host} was not given the user name and password`)
		expect(refused.stderr).toContain(`lading login ${old.host}`)
		expect(authorizations(old)).toEqual([])
		// Also where this project has deployed from it: it is not the one that is named.
		recordDeployment(`${old.host}/both`)
		expect((await run(env, 'diff', 'shop@0', `${now.host}/both:v0`, ...flags)).code).toBe(4)
		expect(authorizations(old)).toEqual([])
	})

	it.each([
		['of the environment', ENV, []],
		['of the command line', {}, SIGN_IN],
	])('gets the password %s where it is the one that the command names', async (_, env, flags) => {
		deployedFrom(`${now.host}/both`)
		const ended = await run(env, 'diff', 'shop@0', `${now.host}/both:v0`, ...flags)
		expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: 'no difference\n' })
	})

	it.each([
		['diff', ['diff', 'shop@0', 'shop@1']],
		['history', ['history', 'shop']],
		['rollback', ['rollback', 'shop', '--print']],
		['rollback to a tag', ['rollback', 'shop', '--to', 'other', '--print']],
		['sync', ['sync', 'shop', '--timeout', '10ms']],
	])('gets a password from %s where the user has named it, and else none', async (_, args) => {
		deployedFrom(`${now.host}/both`)
		for (const [env, flags] of [
			[ENV, []],
			[{}, SIGN_IN],
			[{ LADING_REGISTRY: 'registry.test' }, SIGN_IN],
			[{ ...ENV, LADING_REGISTRY: 'registry.test' }, []],
		] as const)
			await run(env, ...args, ...flags)
		expect(now.seen.length).toBeGreaterThan(0)
		expect(authorizations(now)).toEqual([])
		const { stderr } = await run(ENV, ...args)
		expect(stderr).toContain(`${now.host} was not given the user name and password`)

		for (const [env, flags] of [
			[{ ...ENV, LADING_REGISTRY: now.host }, []],
			[{ LADING_REGISTRY: now.host }, SIGN_IN],
		] as const) {
			now.seen.splice(0)
			await run(env, ...args, ...flags)
			expect(authorizations(now)).toContain(BASIC)
		}
		now.seen.splice(0)
		recordDeployment(`${now.host}/both`)
		await run(ENV, ...args)
		expect(authorizations(now)).toContain(BASIC)
	})

	it.each([
		['for one Application', ['doctor', 'shop']],
		['for all of them', ['doctor']],
	])('gets a password from doctor %s where the user has named it, and else none', async (_, args) => {
		deployedFrom(`${now.host}/both`)
		argocd.change('shop', { metadata: { labels: { 'app.kubernetes.io/managed-by': 'lading' } } })
		for (const [env, flags] of [
			[ENV, []],
			[{}, SIGN_IN],
		] as const) {
			const { stdout } = await run(env, ...args, ...flags)
			expect(stdout).toContain(`set LADING_REGISTRY=${now.host}, or keep them with: lading login ${now.host}`)
		}
		expect(now.seen.length).toBeGreaterThan(0)
		expect(authorizations(now)).toEqual([])
		const named = await run({ ...ENV, LADING_REGISTRY: now.host }, ...args)
		expect(authorizations(now)).toContain(BASIC)
		expect(named.stdout).not.toContain('set LADING_REGISTRY')
	})

	it('is the one of the deployment, not the one of today', async () => {
		deployedFrom(`${now.host}/new/shop`)
		argocd.change('shop', {
			status: {
				history: [entry(0, `oci://${old.host}/old/shop`), entry(1, `oci://${now.host}/new/shop`)],
			},
		})
		open(old)
		open(now)
		const ended = await run({}, 'diff', 'shop@0', 'shop@1')
		expect(ended.code, ended.stderr).toBe(1)
		expect(ended.stdout).toMatch(/^- Service /)
		expect(old.seen.map(({ url }) => url)).toContain(`/v2/old/shop/manifests/${digests[0]}`)
		expect(now.seen.map(({ url }) => url).filter((url) => url?.includes(digests[0] ?? ''))).toEqual([])

		old.fault = (_, response) => {
			response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
			return true
		}
		expect((await run(ENV, 'diff', 'shop@0', 'shop@1')).code).toBe(4)
		expect(authorizations(old)).toEqual([])
		const back = await run({}, 'rollback', 'shop', '--to', '0', '--print')
		expect(back.stderr).toContain(`deployment 0 of shop came from oci://${old.host}/old/shop`)
	})

	function recordDeployment(repository: string): void {
		openWorkspace(directory).update((state) => ({
			...state,
			applications: [
				{
					name: 'shop',
					namespace: 'argocd',
					cluster: `argocd:${argocd.url.origin}`,
					repository,
					revision: 'v1',
					setBy: 'deploy',
				},
			],
		}))
	}
})
