import { afterAll, beforeAll, expect, it } from 'vitest'
import { acceptanceRules, ASSUMED_ARGOCD_VERSION } from '../../../src/argocd/index.ts'
import { onRealStack } from '../stack/index.ts'
import { type Case, cases } from './cases/index.ts'
import { ladingSays } from './lading.ts'
import { PushedCases } from './pushed.ts'
import { disagreement, named, type Said } from './said.ts'

const LABEL = 'lading.test/acceptance'
/** On a quiet machine all are compared within seconds. */
const COMPARED_MS = 150_000
const POLL_MS = 2000
const PREFIX = 'Failed to load target state: '

/** The first case of each rule that an Application shows: no version but this, nothing that is left to a sync. */
const ofEachRule = new Set(
	acceptanceRules.flatMap(({ code }) => {
		const found = cases.find(
			({ breaks, heavy, stricter, otherWords, noTools, clientSide }) =>
				breaks?.includes(code) === true && ![heavy, stricter, otherWords, noTools, clientSide].includes(true),
		)
		return found ? [found] : []
	}),
)
/** Rules that no Application here shows, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
	'argocd-too-old': 'of an older version',
	'layers-total': 'of an older version: versions.test.ts',
	'symlink-before-directory': 'of an older version: versions.test.ts',
	'symlink-unsupported': 'of an older version: versions.test.ts',
	'entries-maximum': 'lading’s own, which Argo CD has not',
	'not-rendered': 'lading’s own, where a tool is missing',
	'extracted-size': 'a gigabyte, which only the judge extracts: acceptance.test.ts',
	'extracted-size-silent': 'a gigabyte, which only the judge extracts: acceptance.test.ts',
	'last-applied-size': 'left to a sync: policy.test.ts',
}

/** What the controller makes of it, no repo-server tells. */
const asked = [...ofEachRule, ...cases.filter(({ name }) => ['json-null', 'tar', 'kustomize'].includes(name))]

interface Application {
	readonly metadata: { readonly name: string }
	readonly status?: {
		readonly sync?: { readonly status: string }
		readonly conditions?: readonly { readonly type: string; readonly message: string }[]
		/** What is empty is left out. */
		readonly resources?: readonly {
			readonly group?: string
			readonly version?: string
			readonly kind: string
			readonly name?: string
		}[]
	}
}

onRealStack('an Application of each rule', (stack) => {
	const { tls } = stack.registries
	let pushed: PushedCases
	let applications: ReadonlyMap<string, Application>

	beforeAll(async () => {
		pushed = await PushedCases.start(tls)
		await stack.projectHere().ok('trust', tls.host, ...tls.flags, '--cluster', stack.cluster)
		await stack.apply(...asked.map((each) => applicationOf(each, pushed)))
		applications = await untilCompared()
	}, COMPARED_MS + 90_000)
	afterAll(async () => {
		await stack.kubectl('delete', 'applications', '-n', 'argocd', '-l', LABEL, '--wait=false')
		await pushed.close()
	})

	it('has one of every rule, or there is a reason why not', () => {
		const shown = new Set([...ofEachRule].flatMap(({ breaks }) => breaks ?? []))
		const open = acceptanceRules.map(({ code }) => code).filter((code) => !shown.has(code))
		expect(open.toSorted()).toEqual(Object.keys(ELSEWHERE).toSorted())
	})

	async function untilCompared(): Promise<ReadonlyMap<string, Application>> {
		const end = Date.now() + COMPARED_MS
		for (;;) {
			const listed = await stack.kubectl('get', 'applications', '-n', 'argocd', '-l', LABEL, '-o', 'json')
			const { items } = JSON.parse(listed) as { readonly items: readonly Application[] }
			if ((items.length === asked.length && items.every(isCompared)) || Date.now() > end)
				return new Map(items.map((each) => [each.metadata.name, each]))
			await new Promise((resolve) => setTimeout(resolve, POLL_MS))
		}
	}

	it.each(asked.map((each) => [each.name, each] as const))(
		'is foretold by lading check: %s',
		async (_, each) => {
			const application = applications.get(nameOf(each))
			const argocd = saidBy(application)
			const lading = await ladingSays(each, { pushed, env: pathOf(), version: ASSUMED_ARGOCD_VERSION })
			expect(disagreement(argocd, distinct(lading)), lading.rules.join(', ')).toBeUndefined()
		},
	)

	const pathOf = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${stack.data.bin}:${process.env.PATH}` })
})

const nameOf = ({ name }: Case): string => `acceptance-${name.replaceAll('_', '-')}`

function applicationOf(each: Case, pushed: PushedCases): object {
	const { path = '.', recurse, include, exclude } = each
	const { repoURL, revision: targetRevision } = pushed.place(each)
	const isDirectory = recurse !== undefined || include !== undefined || exclude !== undefined
	return {
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: {
			name: nameOf(each),
			namespace: 'argocd',
			labels: { [LABEL]: 'true' },
			// Without it, an error is kept back for three minutes.
			annotations: { 'argocd.argoproj.io/refresh': 'normal' },
		},
		spec: {
			project: 'default',
			destination: { server: 'https://kubernetes.default.svc', namespace: 'acceptance' },
			source: {
				repoURL,
				targetRevision,
				path,
				...(isDirectory && { directory: { recurse, include, exclude } }),
			},
		},
	}
}

function isCompared({ status }: Application): boolean {
	return errorOf(status) !== undefined || ['Synced', 'OutOfSync'].includes(status?.sync?.status ?? '')
}

/** Of objects of one name one is left. */
const distinct = (said: Said): Said =>
	said.objects === undefined ? said : { ...said, objects: [...new Set(said.objects)] }

function errorOf(status: Application['status']): string | undefined {
	return status?.conditions?.find(({ type }) => type === 'ComparisonError' || type === 'InvalidSpecError')
		?.message
}

function saidBy(application: Application | undefined): Said {
	if (!application || !isCompared(application)) throw new Error('it was not compared in time')
	const error = errorOf(application.status)
	if (error !== undefined) return { error: error.startsWith(PREFIX) ? error.slice(PREFIX.length) : error }
	const { resources = [] } = application.status ?? {}
	return {
		objects: resources.map(({ group = '', version = '', kind, name = '' }) =>
			named({ apiVersion: group === '' ? version : `${group}/${version}`, kind, name }),
		),
	}
}
