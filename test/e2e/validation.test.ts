import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectCluster } from '../../src/cluster/index.ts'
import { createProject, MAIN, type Project } from './program.ts'

interface Report {
	readonly accepted: boolean
	readonly findings: readonly {
		readonly rule: string
		readonly severity: string
		readonly file?: string
		readonly line?: number
		readonly column?: number
		readonly field?: string
		readonly message: string
	}[]
}

const CHUNKS = dirname(MAIN)

/** `require` where it is not within a function, and `import` where it is no call. */
const LOADED_AT_ONCE = /(?:(?<!=>)require\(|from\s*|import\s*)["'`]\.\/([^"'`]+\.c?js)["'`]/g

/** The chunks that a chunk cannot be loaded without. */
function closureOf(chunk: string, found = new Set<string>()): ReadonlySet<string> {
	if (found.has(chunk)) return found
	found.add(chunk)
	const text = readFileSync(join(CHUNKS, chunk), 'utf8')
	for (const [, next = ''] of text.matchAll(LOADED_AT_ONCE)) closureOf(next, found)
	return found
}

describe('the types of Kubernetes', () => {
	const chunks = readdirSync(CHUNKS).filter((name) => /\.c?js$/.test(name))
	const textOf = (name: string): string => readFileSync(join(CHUNKS, name), 'utf8')
	const holders = chunks.filter((name) => textOf(name).includes('"nodes":[{"t":"m"'))

	it('are in the build', () => expect(holders.length).toBeGreaterThan(0))

	it('are not loaded by the start, by a push and by the second thread of one', () => {
		for (const run of ['main.cjs', 'app.cjs', 'push.cjs', 'judge-worker.js']) {
			const loaded = closureOf(run)
			expect(holders.filter((name) => loaded.has(name))).toEqual([])
		}
		expect([...closureOf('push.cjs')]).toContain('shared.cjs')
	})
})

describe.sequential('objects are validated', () => {
	let project: Project
	beforeAll(async () => {
		project = createProject()
		await project.ok('cluster', 'up', '--cluster', 'sandbox')
	}, 60_000)
	afterAll(() => project.remove())

	const write = (path: string, text: string): void => {
		mkdirSync(dirname(join(project.directory, path)), { recursive: true })
		writeFileSync(join(project.directory, path), text)
	}
	const check = async (...args: readonly string[]): Promise<Report> =>
		JSON.parse((await project.run('check', ...args, '--json')).stdout) as Report
	const told = ({ findings }: Report): readonly string[] =>
		findings.map(({ rule, severity, file, line, column, field }) =>
			[severity, rule, `${file}:${line}:${column}`, field].filter(Boolean).join(' '),
		)

	it('the same on two threads as on one', async () => {
		for (let index = 0; index < 80; index++) {
			const filler = index === 79 ? '' : `data: {a: ${'x'.repeat(20_000)}}\n`
			write(`many/${index}.yaml`, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${index}}\n${filler}`)
		}
		write(
			'many/a.yaml',
			'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  port: 1\n  ports: [{port: 1}]\n',
		)
		write('many/crd.yaml', definition)
		write('many/cron.yaml', cron)
		expect(told(await check('many'))).toEqual([
			'warn field-unknown a.yaml:5:3 spec.port',
			'refuse object-invalid cron.yaml:4:8 spec.every',
		])
	})

	it('by the API server of the cluster, which is left as it was', async () => {
		write('server/good.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dry}\ndata: {a: b}\n')
		write(
			'server/bad.yaml',
			'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Bad}\nspec:\n  replica: 1\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: a, image: b}]}\n',
		)
		write('server/later.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: not-there}\n')
		const { kubeconfig, context } = {
			kubeconfig: join(project.directory, '.lading/kubeconfig'),
			context: 'lading-sandbox',
		}
		const cluster = await connectCluster({ kubeconfig, context })
		const storage = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' }
		await cluster.create({ ...storage, metadata: { name: 'fast' }, provisioner: 'example.com/a' })
		write(
			'server/class.yaml',
			'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: example.com/b\n',
		)
		write('server/crd.yaml', definition)
		write('server/cron.yaml', cron.replace('often', '5'))
		const report = await check('server', '--server', '--namespace', 'default')
		expect(report.accepted).toBe(false)
		const ofBad = told(report).filter((text) => text.includes(' bad.yaml'))
		expect(ofBad).toEqual([
			'warn field-unknown bad.yaml:5:3 spec.replica',
			'refuse object-invalid bad.yaml:3:12 metadata.name',
		])
		expect(told(report).filter((text) => text.includes(' server-'))).toEqual(
			expect.arrayContaining([
				'refuse server-refused class.yaml:4:1 provisioner',
				'note server-not-asked cron.yaml:1:1',
				'note server-not-asked later.yaml:1:1',
			]),
		)
		const again = await check('server', '--server', '--namespace', 'default')
		expect(again.findings).toEqual(report.findings)
		expect(
			await cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'dry', namespace: 'default' }),
		).toBeUndefined()
		expect(await cluster.get({ ...storage, name: 'fast' })).toMatchObject({ provisioner: 'example.com/a' })
		const { findings } = await check('many', '--cluster', 'sandbox')
		expect(findings.map(({ rule }) => rule)).toEqual(['field-unknown', 'object-invalid'])
	})

	it('by the definitions of the cluster', async () => {
		write(
			'known/app.yaml',
			'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {}\n',
		)
		expect(told(await check('known'))).toEqual(['note schema-unknown app.yaml:1:1'])
		const report = await check('known', '--cluster', 'sandbox')
		expect(told(report)).not.toContain('note schema-unknown app.yaml:1:1')
	})

	it('by doctor, of what an Application has deployed: what Kubernetes leaves out, nobody else tells', async () => {
		const ports = (field: string): string =>
			`apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 80, ${field}: 8080}]\n`
		write('dropped/service.yaml', ports('targetport'))
		// Argo CD does not read it.
		write('dropped/below/service.yaml', ports('targetPrt'))
		await project.ok('registry', 'up')
		await project.ok('push', 'dropped', 'dropped:v1.0.0')
		// The sandbox, unlike a cluster, does not take it.
		await project.ok('deploy', 'dropped', 'dropped:v1.0.0', '--no-wait')
		const doctor = await project.run('doctor', 'dropped', '--json')
		const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; subject: string }[] }
		const told = findings.filter(({ check: name, subject }) => name === 'artifact' && subject === 'dropped')
		expect(told).toEqual([
			expect.objectContaining({ status: 'ok' }),
			expect.objectContaining({
				status: 'warn',
				seen: expect.stringMatching(/^service\.yaml:5: Service\/?.*web.*targetport.*targetPort/),
				fix: expect.stringContaining('Correct the name'),
			}),
		])
	}, 60_000)

	it('and a cluster that is not there is said to be so', async () => {
		const elsewhere = createProject()
		try {
			const { code, stderr } = await elsewhere.run('check', '.', '--server')
			expect(code).not.toBe(0)
			expect(stderr).toContain('the sandbox is not running')
		} finally {
			await elsewhere.remove()
		}
	})
})

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crons.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cron, plural: crons, singular: cron, listKind: CronList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {every: {type: integer}}}}}}}
`
const cron = 'apiVersion: example.com/v1\nkind: Cron\nmetadata: {name: a}\nspec: {every: often}\n'
