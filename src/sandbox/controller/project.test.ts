import { describe, expect, it } from 'vitest'
import type { Application } from '../../argocd/index.ts'
import { validatePermissions } from './destination.ts'
import { globMatches } from './glob.ts'
import {
	isDestinationPermitted,
	isKindPermitted,
	isSourcePermitted,
	parseProject,
	type Project,
} from './project.ts'

function project(spec: Readonly<Record<string, unknown>>): Project {
	const metadata = { name: 'p' }
	const parsed = parseProject({ apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata, spec })
	if (parsed === undefined) throw new TypeError('not a project')
	return parsed
}

describe('globMatches', () => {
	it.each([
		['*', 'a/b', '/', false],
		['**', 'a/b', '/', true],
		['*', 'a/b', undefined, true],
		['a?c', 'abc', '/', true],
		['[ab]c', 'bc', '/', true],
		['[!ab]c', 'bc', '/', false],
		['{a,b}/c', 'b/c', '/', true],
		['a.b', 'axb', '/', false],
		['a,b', 'a,b', '/', true],
		['team-*', 'team-a', '/', true],
		['[', 'x', '/', false],
	] as const)('%s against %s', (pattern, text, separator, expected) => {
		expect(globMatches(pattern, text, separator)).toBe(expected)
	})
})

describe('isSourcePermitted', () => {
	it.each([
		[['*'], 'oci://r/team/app', true],
		[['oci://r/*'], 'oci://r/app', true],
		[['oci://r/*'], 'oci://r/team/app', false],
		[['oci://r/**'], 'oci://r/team/app', true],
		[['*', '!oci://r/secret'], 'oci://r/secret', false],
		[['OCI://R/app'], 'oci://r/app', true],
		[[], 'oci://r/app', false],
	] as const)('%j for %s', (sourceRepos, url, expected) => {
		expect(isSourcePermitted(project({ sourceRepos }), url)).toBe(expected)
	})
})

describe('isDestinationPermitted', () => {
	const destination = { server: 'https://kubernetes.default.svc', name: 'in-cluster', namespace: 'demo' }
	it.each([
		[[{ server: '*', namespace: '*' }], true],
		[[{ name: 'in-cluster', namespace: 'demo' }], true],
		[[{ server: '*', namespace: 'other' }], false],
		[
			[
				{ server: '*', namespace: '*' },
				{ server: '*', namespace: '!demo' },
			],
			false,
		],
		[[{ server: '*', namespace: 'team-*' }], false],
	])('%j', (destinations, expected) => {
		expect(isDestinationPermitted(project({ destinations }), destination)).toBe(expected)
	})
})

describe('isKindPermitted', () => {
	const namespaced = { group: 'apps', kind: 'Deployment', name: 'x', namespaced: true }
	const cluster = { group: '', kind: 'Namespace', name: 'demo', namespaced: false }
	it('allows namespaced kinds unless told otherwise, cluster-scoped ones only when told so', () => {
		expect(isKindPermitted(project({}), namespaced)).toBe(true)
		expect(isKindPermitted(project({}), cluster)).toBe(false)
		const all = [{ group: '*', kind: '*' }]
		expect(isKindPermitted(project({ clusterResourceWhitelist: all }), cluster)).toBe(true)
		expect(
			isKindPermitted(project({ clusterResourceWhitelist: all, clusterResourceBlacklist: all }), cluster),
		).toBe(false)
		expect(isKindPermitted(project({ namespaceResourceBlacklist: all }), namespaced)).toBe(false)
		expect(isKindPermitted(project({ namespaceResourceWhitelist: [] }), namespaced)).toBe(false)
		const named = [{ group: '', kind: 'Namespace', name: 'other' }]
		expect(isKindPermitted(project({ clusterResourceWhitelist: named }), cluster)).toBe(false)
	})
})

describe('validatePermissions', () => {
	const application = (spec: object): Application => ({
		apiVersion: 'argoproj.io/v1alpha1',
		kind: 'Application',
		metadata: { name: 'x' },
		spec: {
			project: 'p',
			source: { repoURL: 'oci://r/app', path: '.' },
			destination: { server: 'https://kubernetes.default.svc', namespace: 'demo' },
			...spec,
		},
	})
	const open = project({ sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] })
	it.each([
		[open, {}, []],
		[
			open,
			{ source: { repoURL: 'oci://r/app' } },
			['spec.source.repoURL and either spec.source.path or spec.source.chart are required'],
		],
		[
			project({}),
			{},
			[
				"application repo oci://r/app is not permitted in project 'p'",
				"application destination server 'https://kubernetes.default.svc' and namespace 'demo' do not match any of the allowed destinations in project 'p'",
			],
		],
		[open, { destination: { name: 'far', namespace: 'x' } }, ['there are no clusters with this name: far']],
		[open, { destination: { namespace: 'x' } }, ['Destination server missing from app spec']],
	])('%#', (rules, spec, messages) => {
		expect(validatePermissions(application(spec), rules).map((each) => each.message)).toEqual(messages)
	})
})
