import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/app.ts'

let directory = ''

const write = (path: string, text: string): void => {
	mkdirSync(dirname(join(directory, path)), { recursive: true })
	writeFileSync(join(directory, path), text)
}

const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crons.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cron, plural: crons}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {every: {type: integer}}}}}}}
`

beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), 'lading-'))
	cpSync(join(import.meta.dirname, '../../sample-manifests'), join(directory, 'good'), { recursive: true })
	write(
		'warned/a & "b".yaml',
		'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 80\n      targetport: 8080\n',
	)
	write(
		'wrong/sub/web.yaml',
		'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: 7\n',
	)
	write(
		'custom/cron.yaml',
		'apiVersion: example.com/v1\nkind: Cron\nmetadata: {name: a}\nspec: {every: often}\n',
	)
	write('crds/deep/crd.yaml', CRD)
	write('nothing/readme.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n')
	// Enough files to be judged ahead.
	for (let index = 0; index < 60; index++)
		write(
			`many/${index}.yaml`,
			`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c${index}\ndatas:\n  a: ${'x'.repeat(20_000)}\n`,
		)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function check(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
	const written = { stdout: '', stderr: '' }
	const stream = (name: 'stdout' | 'stderr'): { write(text: string): void } => ({
		write(text) {
			written[name] += text
		},
	})
	const code = await runCli({
		args: ['check', ...args],
		stdout: stream('stdout'),
		stderr: stream('stderr'),
		stdin: Readable.from([]),
		cwd: directory,
		env: { HOME: directory },
		version: '9.9.9',
		nodeVersion: process.version,
		signal: new AbortController().signal,
		launcher: { command: process.execPath, args: [] },
	})
	return { code, ...written }
}

describe('check', () => {
	it('says yes to what is good, also strictly', async () => {
		const { code, stdout } = await check('good', '--strict')
		expect(code).toBe(0)
		expect(stdout).toMatch(/yes: Argo CD 3\.6\.1 takes good and deploys 3 resources\n$/)
	})

	it('names file, line, column and field, and what was meant', async () => {
		const { code, stdout } = await check('warned')
		expect(code).toBe(0)
		expect(stdout).toContain(
			'warning: a & "b".yaml:8:7: Service web: spec.ports[0].targetport is no field of a Service; did you mean targetPort?\n',
		)
		expect(stdout).toMatch(/deploys 1 resource \(1 warning\)\n$/)
	})

	it('is no to what the API server refuses, and strictly to a warning', async () => {
		const wrong = await check('wrong', '--recurse', '--json')
		expect(wrong.code).toBe(1)
		expect(JSON.parse(wrong.stdout)).toMatchObject({
			version: 1,
			accepted: false,
			findings: [
				{
					rule: 'field-type',
					severity: 'refuse',
					file: 'sub/web.yaml',
					line: 8,
					column: 7,
					field: 'spec.containers[0].image',
					object: 'Pod web',
				},
			],
		})
		const strict = await check('warned', '--strict')
		expect(strict.code).toBe(1)
		expect(strict.stdout).toMatch(/no: 1 warning in warned, and --strict takes none\n$/)
	})

	it('can leave the objects alone', async () => {
		expect((await check('wrong', '--recurse', '--no-validate')).code).toBe(0)
		const both = await check('wrong', '--no-validate', '--server')
		expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('--server validates objects')])
	})

	it('finds each in many files', async () => {
		const { stdout } = await check('many', '--json')
		const { findings } = JSON.parse(stdout) as { findings: { line: number; field: string }[] }
		expect(findings).toHaveLength(60)
		expect(new Set(findings.map(({ line, field }) => `${field}:${line}`))).toEqual(new Set(['datas:5']))
	})

	it('validates custom resources by definitions of a directory', async () => {
		expect((await check('custom')).stdout).toContain(
			'note: cron.yaml:1:1: Cron a: Cron of example.com/v1 is not validated',
		)
		const { code, stdout } = await check('custom', '--schemas', 'crds')
		expect(code).toBe(1)
		expect(stdout).toContain('refused: cron.yaml:4:8: Cron a: spec.every: Invalid value: "string"')
		const none = await check('custom', '--schemas', 'nothing')
		expect([none.code, none.stderr]).toEqual([
			3,
			expect.stringContaining('holds no CustomResourceDefinition'),
		])
	})

	it.each([
		[['good', '--kubernetes-version', '2'], 'is not a version of Kubernetes'],
		[['good', '--format', 'xml'], 'text, json, sarif or junit'],
		[['good', '--format', 'sarif', '--json'], 'two answers'],
	])('%j is wrong usage', async (args, text) => {
		const { code, stderr, stdout } = await check(...args)
		expect(code).toBe(2)
		expect(stderr + stdout).toContain(text)
	})

	it('--format json is --json', async () => {
		expect((await check('warned', '--format', 'json')).stdout).toBe((await check('warned', '--json')).stdout)
	})
})

/** What is required of a log, and of what lading writes in it. */
const sarifLog = v.strictObject({
	$schema: v.pipe(v.string(), v.url()),
	version: v.literal('2.1.0'),
	runs: v.tuple([
		v.strictObject({
			tool: v.strictObject({
				driver: v.strictObject({
					name: v.literal('lading'),
					semanticVersion: v.string(),
					rules: v.array(
						v.strictObject({
							id: v.string(),
							shortDescription: v.strictObject({ text: v.string() }),
							help: v.strictObject({ text: v.string() }),
							defaultConfiguration: v.strictObject({ level: v.picklist(['error', 'warning', 'note']) }),
						}),
					),
				}),
			}),
			columnKind: v.literal('utf16CodeUnits'),
			results: v.array(
				v.strictObject({
					ruleId: v.string(),
					ruleIndex: v.pipe(v.number(), v.minValue(0)),
					level: v.picklist(['error', 'warning', 'note']),
					message: v.strictObject({ text: v.string() }),
					locations: v.array(
						v.strictObject({
							physicalLocation: v.strictObject({
								artifactLocation: v.strictObject({ uri: v.string() }),
								region: v.optional(
									v.strictObject({
										startLine: v.pipe(v.number(), v.minValue(1)),
										startColumn: v.optional(v.pipe(v.number(), v.minValue(1))),
									}),
								),
							}),
							logicalLocations: v.optional(
								v.array(v.strictObject({ fullyQualifiedName: v.string(), kind: v.string() })),
							),
						}),
					),
				}),
			),
		}),
	]),
})

describe('for a pipeline', () => {
	it('a finding is a result of SARIF, with a path from the root of the repository', async () => {
		const { code, stdout } = await check('warned', '--format', 'sarif')
		expect(code).toBe(0)
		const [{ results, tool }] = v.parse(sarifLog, JSON.parse(stdout)).runs
		expect(results).toMatchObject([
			{
				ruleId: 'field-unknown',
				level: 'warning',
				locations: [
					{
						physicalLocation: {
							artifactLocation: { uri: 'warned/a%20%26%20%22b%22.yaml' },
							region: { startLine: 8, startColumn: 7 },
						},
						logicalLocations: [{ fullyQualifiedName: 'Service web spec.ports[0].targetport' }],
					},
				],
			},
		])
		expect(tool.driver.rules.map(({ id }) => id)).toEqual(['field-unknown'])
	})

	it('what is good is a log without results', async () => {
		const { stdout } = await check('good', '--format', 'sarif')
		expect(v.parse(sarifLog, JSON.parse(stdout)).runs[0].results).toEqual([])
	})

	it('a finding is a test of JUnit, which fails where the answer is no', async () => {
		const wrong = await check('wrong', '--recurse', '--format', 'junit')
		expect(wrong.code).toBe(1)
		expect(wrong.stdout).toMatch(
			/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites [^>]*tests="1" failures="1"/,
		)
		expect(wrong.stdout).toContain('file="wrong/sub/web.yaml" line="8"')
		expect(wrong.stdout).toContain(
			'<failure message="Pod web: spec.containers[0].image must be text, not a number"',
		)
		const warned = await check('warned', '--format', 'junit')
		expect(warned.stdout).toContain('failures="0"')
		expect(warned.stdout).toContain('classname="a &amp; &quot;b&quot;.yaml"')
		expect((await check('warned', '--strict', '--format', 'junit')).stdout).toContain('failures="1"')
		const good = await check('good', '--format', 'junit')
		expect(good.stdout).toContain('tests="3" failures="0"')
		expect(good.stdout.match(/<testcase [^>]*\/>/g)).toHaveLength(3)
	})
})
