import { afterAll, beforeAll, expect, it } from 'vitest'
import { explanationRows } from '../../src/argocd/index.ts'
import type { Ended } from '../e2e/program.ts'
import { artifactCases } from './failures/artifacts.ts'
import type { FailureCase } from './failures/case.ts'
import { deploymentCases } from './failures/deployments.ts'
import { ladingHere } from './stack/in-process.ts'
import { sourceCases } from './failures/sources.ts'
import { specCases } from './failures/specs.ts'
import { LABEL, objectsOf, startWorld, type World } from './failures/world.ts'
import { onRealStackAlone } from './stack/index.ts'

const cases: readonly FailureCase[] = [...sourceCases, ...artifactCases, ...specCases, ...deploymentCases]

/** Explanations that no case here provokes, and where they are, or why nothing can. */
const ELSEWHERE: Readonly<Record<string, string>> = {
	'repo-server-down': 'outages.test.ts',
	'secret-type-missing': 'Argo CD 3.4.4 to 3.5: this one takes an oci:// source for what it is',
	'tasks-failed': 'workloads.test.ts',
	'tasks-invalid': 'before 3.6 Argo CD did not add the reason, which has a row of its own',
	'hook-failed': 'workloads.test.ts',
	'wipe-refused': 'workloads.test.ts',
	'auto-sync-blocks': 'workloads.test.ts',
	'namespace-terminating': 'workloads.test.ts',
	timeout: 'outages.test.ts',
	'sandbox-limit': 'said by the sandbox alone',
}

const KNOWN: ReadonlySet<string> = new Set(explanationRows.map(({ cause }) => cause))

interface Status {
	readonly sync?: { readonly status: string }
}

/** What Argo CD says of an Application, word by word, and what it calls it. */
interface Said {
	readonly words: string
	readonly sync: string | undefined
}
interface Explained {
	readonly cause: string
	readonly what: string
	readonly next: string
	readonly message?: string
}
interface Found {
	readonly subject?: string
	readonly seen: string
	readonly fix?: string
}

const AT_ONCE = 8

/** The results of `run` for each, a few at a time. */
async function forEach<T, R>(list: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
	const results: R[] = []
	const queue = [...list.entries()]
	const work = async (): Promise<void> => {
		for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await run(next[1])
	}
	await Promise.all(Array.from({ length: AT_ONCE }, work))
	return results
}

onRealStackAlone('an Application that fails', (stack) => {
	const cluster = ['--cluster', stack.cluster]
	let world: World
	let end = (): Promise<void> => Promise.resolve()
	let said = new Map<string, Said>()
	let states = new Map<string, readonly Explained[]>()
	let findings: readonly Found[] = []
	let doctorCode: number | null
	let syncs = new Map<string, Ended>()

	beforeAll(async () => {
		world = await startWorld(stack)
		end = () => world.end()
		for (const { name, repository = name, artifact, tags, fault } of cases) {
			if (artifact !== undefined)
				world.faulty.put(repository.replace(/:.*/, ''), { v1: artifact, ...tags }, fault)
		}
		const objects = cases.flatMap((each) => objectsOf(each, world))
		const isApplication = (object: object): boolean => 'kind' in object && object.kind === 'Application'
		await stack.apply(...objects.filter((object) => !isApplication(object)))
		await stack.apply(...objects.filter(isApplication))
		said = await untilSaid()
		states = await untilExplained()
		const doctor = await world.project.run('doctor', ...world.flags, ...cluster, '--json')
		doctorCode = doctor.code
		findings = (JSON.parse(doctor.stdout) as { readonly findings: readonly Found[] }).findings
		const env = { KUBECONFIG: stack.kubernetes.kubeconfig }
		const answers = await forEach(cases, (each) =>
			// Two in one directory would wait for each other.
			ladingHere(['sync', each.name, ...world.flags, ...cluster, '--timeout', '60s'], {
				cwd: stack.directory('sync'),
				env,
			}),
		)
		syncs = new Map(cases.map(({ name }, index) => [name, answers[index] as Ended]))
	}, 600_000)
	afterAll(() => end())

	/** Until Argo CD has said what it says of each; those that it says something else of are found by their tests. */
	async function untilSaid(): Promise<Map<string, Said>> {
		const end = Date.now() + 90_000
		for (;;) {
			const text = await stack.kubectl('get', 'applications', '-n', 'argocd', '-l', LABEL, '-o', 'json')
			const { items } = JSON.parse(text) as { items: { metadata: { name: string }; status?: Status }[] }
			const heard = new Map(items.map(({ metadata, status }) => [metadata.name, saidIn(status)]))
			const missing = cases.filter(({ name, argocd }) => {
				const { words = '', sync } = heard.get(name) ?? {}
				return typeof argocd === 'string' ? !words.includes(argocd) : sync !== argocd.sync
			})
			if (missing.length === 0) return heard
			if (Date.now() > end) {
				for (const { name } of missing) process.stderr.write(`${name}: ${heard.get(name)?.words}\n`)
				return heard
			}
			await new Promise((resolve) => setTimeout(resolve, 500))
		}
	}

	/** What `status` makes of it; Argo CD compares once more after a sync, and some states are told from then on. */
	async function untilExplained(): Promise<Map<string, readonly Explained[]>> {
		const end = Date.now() + 30_000
		for (;;) {
			const status = await world.project.json('status', ...cluster)
			const applications = status.applications as readonly {
				name: string
				explanations: readonly Explained[]
			}[]
			const told = new Map(applications.map(({ name, explanations }) => [name, explanations]))
			const isTold = ({ name, cause }: FailureCase): boolean =>
				(told.get(name) ?? []).some((each) => each.cause === cause)
			if (cases.every(isTold) || Date.now() > end) return told
			await new Promise((resolve) => setTimeout(resolve, 500))
		}
	}

	/** NAME, PLACE and HOST filled in. */
	function fill(text: string, { name, repository = name, at = 'faulty' }: FailureCase): string {
		const host = world.hosts[at]
		const place = `${host}/${repository}`
		return text.replaceAll('NAME', name).replaceAll('PLACE', place).replaceAll('HOST', host)
	}

	it.each(cases.filter(({ argocd }) => typeof argocd === 'string'))(
		'$name: Argo CD says so',
		({ name, argocd }) => {
			expect(said.get(name)?.words).toContain(argocd)
		},
	)

	it.each(cases.filter(({ argocd }) => typeof argocd !== 'string'))(
		'$name: Argo CD says nothing, and calls it $argocd.sync',
		({ name, argocd }) => {
			expect(said.get(name)).toMatchObject(argocd as object)
		},
	)

	it.each(cases)('$name: status names $cause and what to do', (each) => {
		const found = (states.get(each.name) ?? []).find(({ cause }) => cause === each.cause)
		expect(found, JSON.stringify(states.get(each.name), undefined, 1)).toBeDefined()
		expect(found?.next).toContain(fill(each.fix, each))
		// Of a state that only looks well Argo CD says nothing.
		const isSaid = KNOWN.has(each.cause)
		expect(found?.message !== undefined, found?.message).toBe(isSaid)
		expect(found?.message ?? '').toContain(isSaid ? each.argocd : '')
	})

	it.each(cases)('$name: doctor names it too', (each) => {
		const explained = (states.get(each.name) ?? []).find(({ cause }) => cause === each.cause)
		const mine = findings.filter(({ subject }) => subject === each.name)
		expect(mine, JSON.stringify(mine, undefined, 1)).toContainEqual(
			expect.objectContaining({ seen: explained?.what, fix: explained?.next }),
		)
	})

	it.each(cases)('$name: sync ends with it', (each) => {
		const { code, stderr } = syncs.get(each.name) as Ended
		const explained = (states.get(each.name) ?? []).find(({ cause }) => cause === each.cause)
		const { code: wanted = 1, says } = each.sync ?? {}
		expect(code, stderr).toBe(wanted)
		expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m)
		for (const text of says ?? [explained?.what ?? '?', explained?.next ?? '?'])
			expect(stderr).toContain(fill(text, each))
		const warnings = stderr.split('\n').filter((line) => line.startsWith('warning: '))
		const told = warnings.filter((line) => line === `warning: ${explained?.what}`)
		expect(told).toHaveLength(wanted === 0 && says === undefined ? 1 : 0)
		expect(says?.length === 0 ? warnings : []).toEqual([])
	})

	it('doctor answers no', () => {
		expect(doctorCode).toBe(1)
	})

	it.each(['unknown-ca', 'no-tag', 'slash', 'no-crd'])(
		'%s: the built program says the same',
		async (name) => {
			const here = syncs.get(name) as Ended
			const built = await world.project.run('sync', name, ...world.flags, ...cluster, '--timeout', '60s')
			const said = ({ stderr }: Ended): string => stderr.slice(stderr.indexOf('error: '))
			expect(built.code).toBe(here.code)
			expect(said(built)).toBe(said(here))
			expect(built.stdout).toBe('')
		},
	)

	it('every explanation is provoked here, or there is a reason why not', () => {
		const provoked = new Set(cases.map(({ cause }) => cause))
		const open = explanationRows.map(({ cause }) => cause).filter((cause) => !provoked.has(cause))
		expect(open.toSorted()).toEqual(Object.keys(ELSEWHERE).toSorted())
	})
})

/** The status without the escapes of JSON. */
function saidIn(status: Status = {}): Said {
	return { words: JSON.stringify(status).replaceAll('\\"', '"'), sync: status.sync?.status }
}
