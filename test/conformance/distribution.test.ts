import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRegistry, serveRegistry } from '../../src/registry/server/index.ts'
import { goProgram } from '../interop/go-program.ts'

/** The suite of the distribution specification, of the day that the registry was held against. */
const SUITE = {
	package: 'github.com/opencontainers/distribution-spec/conformance',
	version: 'v0.0.0-20260831232431-97274622c111',
} as const
/** Checks of the suite: as many as there are when nothing is skipped. */
const CHECKS = { '1.1': 860, dev: 986 } as const
const USER = 'ann'
const PASSWORD = 'a secret: of ann'
const BUILD_MS = 600_000

const run = promisify(execFile)
let suite: string
let directory: string
let registry: RunningRegistry

beforeAll(async () => {
	suite = await goProgram(SUITE)
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
async function conformance(version: keyof typeof CHECKS): Promise<Result> {
	const results = join(directory, `results-${version}`)
	const fresh = randomBytes(6).toString('hex')
	const ended = await run(suite, [], {
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
	// A configuration that the suite does not understand ends it with 0 and without results.
	for (const name of ['results.yaml', 'junit.xml'])
		expect(statSync(join(results, name), { throwIfNoEntry: false })?.size, text).toBeGreaterThan(0)
	return { text, counts }
}

function failures({ text }: Result): readonly string[] {
	return text.split('\n').filter((line) => /: (?:FAIL|Fail|Error)$/.test(line))
}

describe('the conformance suite of the distribution specification', () => {
	it('passes 1.1 over TLS with a password: nothing failed, nothing skipped', async () => {
		const result = await conformance('1.1')
		expect(failures(result)).toEqual([])
		expect(result.counts).toMatchObject({ Pass: CHECKS['1.1'], Skip: 0, FAIL: 0, Error: 0 })
	})

	it('passes what the next version asks for, over TLS with a password: nothing failed', async () => {
		const result = await conformance('dev')
		expect(failures(result)).toEqual([])
		expect(result.counts).toMatchObject({ Pass: CHECKS.dev, FAIL: 0, Error: 0 })
	})
})
