import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'

/** The suite of the distribution specification, of the day that the registry was held against. */
const SUITE = 'github.com/opencontainers/distribution-spec/conformance'
const VERSION = 'v0.0.0-20260831232431-97274622c111'
const BINARIES: string = join(
	process.env.LADING_TEST_CACHE ?? join(homedir(), '.cache/lading-test'),
	'bin',
	VERSION,
)
const USER = 'ann'
const PASSWORD = 'a secret: of ann'
const BUILD_MS = 600_000

const run = promisify(execFile)
let directory: string
let registry: RunningRegistry

beforeAll(async () => {
	if (!existsSync(join(BINARIES, 'conformance'))) {
		await mkdir(BINARIES, { recursive: true })
		await run('go', ['install', `${SUITE}@${VERSION}`], { env: { ...process.env, GOBIN: BINARIES } })
	}
	directory = await mkdtemp(join(tmpdir(), 'lading-'))
	const htpasswd = join(directory, 'htpasswd')
	await writeFile(htpasswd, `${USER}:${await hash(PASSWORD, 6)}\n`)
	registry = await serveRegistry({ dataDirectory: join(directory, 'data'), port: 0, auth: { htpasswd } })
}, BUILD_MS)
afterAll(async () => {
	await registry?.close()
	if (directory) await rm(directory, { recursive: true, force: true })
})

interface Result {
	readonly text: string
	/** The table under "OCI Conformance Result", such as `FAIL: 0`. */
	readonly counts: Readonly<Record<string, number>>
}

/** Runs the suite against repositories that nobody has used. */
async function conformance(version: string): Promise<Result> {
	const results = join(directory, `results-${version}`)
	const fresh = randomBytes(6).toString('hex')
	const ended = await run(join(BINARIES, 'conformance'), [], {
		cwd: directory,
		maxBuffer: 64 * 1024 * 1024,
		env: {
			PATH: process.env.PATH,
			HOME: directory,
			SSL_CERT_FILE: join(directory, 'data/ca.crt'),
			OCI_CONFIGURATION: '/dev/null',
			OCI_REGISTRY: `localhost:${registry.port}`,
			OCI_TLS: 'enabled',
			OCI_VERSION: version,
			OCI_USERNAME: USER,
			OCI_PASSWORD: PASSWORD,
			OCI_REPO1: `c${fresh}/one`,
			OCI_REPO2: `c${fresh}/two`,
			OCI_RESULTS_DIR: results,
			OCI_LOG: 'error',
		},
	}).catch((error: unknown) => error as { readonly stdout?: string; readonly stderr?: string })
	const text = `${ended.stdout ?? ''}${ended.stderr ?? ''}`
	const table = text.slice(text.lastIndexOf('OCI Conformance Result'))
	const counts: Record<string, number> = {}
	for (const [, name = '', count] of table.matchAll(/^ {2}(\w+)\.+: +(\d+)$/gm))
		counts[name] ??= Number(count)
	expect(await readdir(results), text).not.toEqual([])
	expect(await readFile(join(results, 'junit.xml'), 'utf8')).toContain('<testsuite')
	return { text, counts }
}

function failures({ text }: Result): readonly string[] {
	return text.split('\n').filter((line) => /: (?:FAIL|Fail|Error)$/.test(line))
}

describe('the conformance suite of the distribution specification', () => {
	it('passes 1.1 over TLS with a password: nothing failed, nothing skipped', async () => {
		const result = await conformance('1.1')
		expect(failures(result)).toEqual([])
		expect(result.counts).toMatchObject({ Skip: 0, FAIL: 0, Error: 0 })
		expect(result.counts.Pass).toBeGreaterThan(800)
	})

	it('passes what the next version asks for', async () => {
		const result = await conformance('dev')
		expect(failures(result)).toEqual([])
		expect(result.counts).toMatchObject({ FAIL: 0, Error: 0 })
		expect(result.counts.Pass).toBeGreaterThan(900)
	})
})
