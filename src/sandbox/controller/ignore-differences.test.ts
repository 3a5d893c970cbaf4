import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../cluster/index.ts'
import { covers } from './diff.ts'
import {
	ignoredPaths,
	parseIgnoreRules,
	parseJqPath,
	unsupportedRule,
	without,
	withLiveValue,
} from './ignore-differences.ts'

const deployment = (replicas: number, image: string): KubeObject => ({
	apiVersion: 'apps/v1',
	kind: 'Deployment',
	metadata: {
		name: 'x',
		namespace: 'ns',
		managedFields: [
			{
				manager: 'autoscaler',
				fieldsV1: {
					'f:spec': { 'f:replicas': {}, 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } },
				},
			},
		],
	},
	spec: {
		replicas,
		containers: [
			{ name: 'web', image },
			{ name: 'side', image: 's' },
		],
	},
})

describe('ignoreDifferences', () => {
	it.each([
		[{ jsonPointers: ['/spec/replicas'] }],
		[{ jqPathExpressions: ['.spec.replicas'] }],
		[{ managedFieldsManagers: ['autoscaler'] }],
	])('leaves out %j', (rule) => {
		const rules = parseIgnoreRules([{ group: 'apps', kind: 'Deployment', ...rule }])
		const live = deployment(5, 'a')
		const paths = ignoredPaths(rules, deployment(1, 'a'), live)
		const rest = paths.reduce<unknown>((value, path) => without(value, path), live)
		expect(rest).not.toHaveProperty('spec.replicas')
		expect(rest).toHaveProperty('spec.containers.1.image', 's')
	})

	it('goes by group, kind, namespace and name', () => {
		const rules = parseIgnoreRules([
			{ group: 'apps', kind: 'Deployment', name: 'other', jsonPointers: ['/spec'] },
			{ kind: 'Deployment', jsonPointers: ['/spec'] },
			{ group: '*', kind: '*', namespace: 'ns', jsonPointers: ['/spec/replicas'] },
		])
		expect(ignoredPaths(rules, deployment(1, 'a'))).toHaveLength(1)
	})

	it.each([
		'.spec.containers[] | select(.name == "web") | .image',
		'.spec.containers[0].image',
		'.spec["containers"][]?.image',
	])('reads %s', (expression) => {
		const path = parseJqPath(expression) ?? []
		expect(without(deployment(1, 'a'), path)).not.toHaveProperty('spec.containers.0.image')
		expect(withLiveValue(deployment(1, 'a'), deployment(1, 'live'), path)).toHaveProperty(
			'spec.containers.0.image',
			'live',
		)
	})

	it('says what it cannot evaluate', () => {
		const rules = parseIgnoreRules([{ kind: 'x', jqPathExpressions: ['.a | map(.b)'] }])
		expect(unsupportedRule(rules)).toMatch(/^sandbox: /)
		expect(unsupportedRule(parseIgnoreRules([{ kind: 'x', jqPathExpressions: ['.a.b'] }]))).toBeUndefined()
	})

	it('takes over the live value, or its absence', () => {
		const path = parseJqPath('.spec.replicas') ?? []
		expect(withLiveValue(deployment(1, 'a'), deployment(7, 'a'), path)).toHaveProperty('spec.replicas', 7)
		expect(withLiveValue(deployment(1, 'a'), { spec: {} }, path)).not.toHaveProperty('spec.replicas')
	})
})

describe('covers', () => {
	it.each([
		[{ a: 1, b: 2 }, { a: 1 }, true],
		[{ a: 1 }, { a: 1, b: 2 }, false],
		[{ a: [{ x: 1, y: 2 }] }, { a: [{ x: 1 }] }, true],
		[{ a: [1, 2] }, { a: [1] }, false],
		[{}, { a: {} }, true],
	])('%j and %j', (whole, part, expected) => {
		expect(covers(whole, part)).toBe(expected)
	})
})
