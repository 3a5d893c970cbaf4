import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, lading } from './program.ts'

// A refusal that an earlier check has not seen, or that somebody has talked away, must be a refusal.

let home: string
let tree: string
let verdicts: string
let key: string
beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'lading-e2e-'))
	tree = join(home, 'tree')
	verdicts = join(home, '.cache/lading/verdicts')
	key = join(home, '.local/state/lading/cache-key')
	mkdirSync(tree)
	for (let index = 0; index < 60; index++) writeFileSync(join(tree, `${index}.yaml`), good(index))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const SEAL_BYTES = 32
const padding = 'x'.repeat(20_000)
const good = (index: number): string =>
	`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-${index}\ndata:\n  text: ${padding}\n`
const BAD = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-7\ndata: [\n# ${padding}\n`

function check(...flags: readonly string[]): Promise<Ended> {
	return lading(['check', 'tree', '--no-validate', ...flags], { cwd: home })
}

function sealed(): string {
	const [name, ...more] = readdirSync(verdicts)
	expect(more).toEqual([])
	return join(verdicts, name ?? '')
}

describe('verdicts of an earlier check', () => {
	it('say the same as a new one', async () => {
		const cold = await check('--json')
		expect(cold.code).toBe(0)
		expect(statSync(sealed()).mode & 0o777).toBe(0o600)
		expect(statSync(key).mode & 0o777).toBe(0o600)
		expect(await check('--json')).toEqual(cold)
		expect(await check('--json', '--no-cache')).toEqual(cold)
	})

	it('do not hold for a file that has changed', async () => {
		expect((await check()).code).toBe(0)
		writeFileSync(join(tree, '7.yaml'), BAD)
		const refused = await check()
		expect(refused.code).toBe(1)
		expect(refused.stdout + refused.stderr).toContain('7.yaml')
		expect((await check()).code).toBe(1)
		writeFileSync(join(tree, '7.yaml'), good(7))
		expect((await check()).code).toBe(0)
	})

	it('are not kept without wanting to', async () => {
		await check('--no-cache')
		expect(existsSync(verdicts)).toBe(false)
		expect(existsSync(key)).toBe(false)
	})

	it.each<readonly [string, (path: string) => void]>([
		['an entry that was added', (path) => writeFileSync(path, forged(readFileSync(path)))],
		[
			'a seal that was cut off',
			(path) => writeFileSync(path, forged(readFileSync(path)).subarray(SEAL_BYTES)),
		],
		['half a file', (path) => writeFileSync(path, readFileSync(path).subarray(0, 500))],
		['no file', (path) => writeFileSync(path, '')],
		[
			'another key',
			(path) => {
				writeFileSync(key, Buffer.alloc(32, 1))
				writeFileSync(path, forged(readFileSync(path)))
			},
		],
	])('are none when they were tampered with: %s', async (_, tamper) => {
		expect((await check()).code).toBe(0)
		writeFileSync(join(tree, '7.yaml'), BAD)
		tamper(sealed())
		expect((await check()).code).toBe(1)
	})

	it('are none in the place of those of another directory', async () => {
		expect((await check()).code).toBe(0)
		const first = sealed()
		cpSync(tree, join(home, 'moved'), { recursive: true })
		await lading(['check', 'moved', '--no-validate'], {
			cwd: home,
		})
		const second = readdirSync(verdicts).find((name) => join(verdicts, name) !== first)
		cpSync(join(verdicts, second ?? ''), first)
		writeFileSync(join(tree, '7.yaml'), BAD)
		expect((await check()).code).toBe(1)
	})

	it('are none where somebody else may write, or behind a link', async () => {
		expect((await check()).code).toBe(0)
		chmodSync(sealed(), 0o666)
		expect((await check()).code).toBe(0)
		const path = sealed()
		expect(statSync(path).mode & 0o777).toBe(0o600)
		cpSync(path, join(home, 'elsewhere'))
		rmSync(path)
		symlinkSync(join(home, 'elsewhere'), path)
		expect((await check()).code).toBe(0)
	})

	it('are done without where there is no place for them', async () => {
		writeFileSync(join(home, '.cache'), '')
		expect((await check()).code).toBe(0)
	})
})

describe('verdicts of an earlier check that validates', () => {
	const validate = (...flags: readonly string[]): Promise<Ended> =>
		lading(['check', 'tree', '--json', ...flags], {
			cwd: home,
		})
	const POD = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod\nspec:\n  containers:\n    - name: a\n      image: a\n      envFrom:\n        - configMapRef: {name: map-7}\n`

	it('say the same as a new one, of faults, custom resources and what objects refer to', async () => {
		writeFileSync(join(tree, 'pod.yaml'), POD)
		writeFileSync(join(tree, '7.yaml'), good(7).replace('data:', 'dataa: {}\ndata:'))
		writeFileSync(
			join(tree, '8.yaml'),
			'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {}\n',
		)
		const cold = await validate('--no-cache')
		expect(cold.stdout).toContain('dataa')
		expect(await validate()).toEqual(cold)
		expect(Object.keys(kept())).not.toContain('7.yaml')
		expect(Object.keys(kept())).not.toContain('8.yaml')
		expect(Object.keys(kept())).toContain('pod.yaml')
		expect(await validate()).toEqual(cold)
	})

	it('do not hide that what an unchanged file refers to is gone', async () => {
		writeFileSync(join(tree, 'pod.yaml'), POD)
		expect((await validate()).stdout).not.toContain('map-7 ')
		rmSync(join(tree, '7.yaml'))
		const known = await validate()
		expect(known.stdout).toContain('map-7')
		expect(known).toEqual(await validate('--no-cache'))
	})

	it('hold for the releases of Kubernetes they were asked about, and not for a check that asks less', async () => {
		writeFileSync(
			join(tree, 'gone.yaml'),
			'apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\nspec:\n  priorityLevelConfiguration: {name: exempt}\n',
		)
		const old = await validate('--kubernetes-version', '1.31')
		const recent = await validate('--kubernetes-version', '1.32')
		expect(old).toEqual(await validate('--kubernetes-version', '1.31', '--no-cache'))
		expect(recent).toEqual(await validate('--kubernetes-version', '1.32', '--no-cache'))
		expect(recent.stdout).not.toBe(old.stdout)
		expect((await check('--json')).code).toBe(0)
		expect(readdirSync(verdicts)).toHaveLength(3)
	})
})

function kept(): Record<string, unknown> {
	return JSON.parse(readFileSync(sealed()).toString('utf8', SEAL_BYTES)) as Record<string, unknown>
}

/** As somebody without the key would write it: the bad file among the good ones, by its true digest. */
function forged(file: Buffer): Buffer {
	const files = JSON.parse(file.toString('utf8', SEAL_BYTES)) as Record<string, { sha256: string }>
	const entry = files['7.yaml']
	if (!entry) throw new Error('the verdict on 7.yaml is not kept')
	entry.sha256 = createHash('sha256').update(BAD).digest('hex')
	return Buffer.concat([file.subarray(0, SEAL_BYTES), Buffer.from(JSON.stringify(files))])
}
