import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/index.ts'
import {
	classifyRevision,
	comparisonError,
	resolutionMessage,
	resolveRange,
	revisionContains,
} from './revision.ts'

const DIGEST = digestOf('x')
const tags = ['1.0.0', 'v1.5.0', '1.4.2', '2.0.0', '0.9.0-rc.1', 'latest', 'main']

describe('classifyRevision', () => {
	it.each([
		['1.0.0', 'tag'],
		['v1.0', 'tag'],
		['1.2', 'tag'],
		['1', 'tag'],
		['latest', 'tag'],
		['main', 'tag'],
		['HEAD', 'tag'],
		['^1.0.0', 'range'],
		['1.x', 'range'],
		['x', 'range'],
		['*', 'range'],
		['~1.2', 'range'],
		['>=1 <2', 'range'],
		['>=1.0.0, <2.0.0', 'range'],
		['1.0 - 2.0', 'range'],
		['^1 || ^3', 'range'],
		[DIGEST, 'digest'],
		[`@${DIGEST}`, 'digest'],
		[`1.0.0@${DIGEST}`, 'tag@digest'],
		['host/repo:tag', 'tag'],
		['', 'invalid'],
		['feature/x', 'invalid'],
		['sha256:abc', 'invalid'],
		['1.0.0@sha256:abc', 'invalid'],
		['1.0.0+build', 'invalid'],
		['-x', 'invalid'],
	])('%s is a %s', (revision, kind) => {
		expect(classifyRevision(revision, { place: 'host/repo' }).kind).toBe(kind)
	})

	it.each([
		['', 'invalid reference'],
		[
			'feature/x',
			'invalid reference: mismatch between received "feature/x" and expected "127.0.0.1:15443/e-tag-slash"',
		],
		['sha256:abc', 'invalid reference: invalid digest "sha256:abc": invalid checksum digest length'],
		['a:b', 'invalid reference: invalid digest "a:b": unsupported digest algorithm'],
		['v1@sha256:', 'invalid reference: invalid digest "sha256:": invalid checksum digest format'],
	])('tells what Argo CD says of "%s"', (revision, words) => {
		expect(classifyRevision(revision, { place: '127.0.0.1:15443/e-tag-slash' })).toMatchObject({
			argocdMessage: words,
		})
	})
})

describe('resolveRange', () => {
	it.each([
		['^1.0.0', 'v1.5.0'],
		['1.x', 'v1.5.0'],
		['~1.4', '1.4.2'],
		['>=1 <2', 'v1.5.0'],
		['*', '2.0.0'],
		['>=1.0.0, <2.0.0', 'v1.5.0'],
		['^0.9.0-0', '0.9.0-rc.1'],
		['1.0 - 1.4.2', '1.4.2'],
		['^5 || ~1.0.0', '1.0.0'],
		['!=2.0.0 >1.4', 'v1.5.0'],
	])('%s chooses %s', (range, tag) => {
		expect(resolveRange(range, tags)).toEqual({ found: true, tag })
	})

	it.each(['2024.01.02', '20240102'])('lets the date tag %s beat versions', (date) => {
		expect(resolveRange('>=1.0.0', [...tags, date])).toEqual({ found: true, tag: date })
	})

	it.each([
		['^9', 7],
		['^0.9.0', 7],
	])('%s matches none', (range, count) => {
		expect(resolveRange(range, tags)).toMatchObject({
			found: false,
			reason: 'no-match',
			argocdMessage: `no version for constraints: version matching constraint not found in ${count} tags`,
		})
	})

	it('knows that a tag with an underscore cannot be asked for', () => {
		expect(resolveRange('^1.0.0', ['1.2.0', '1.3.0_build.5'])).toEqual({
			found: false,
			reason: 'plus-tag',
			tag: '1.3.0_build.5',
			argocdMessage:
				'cannot get digest for revision 1.3.0+build.5: invalid reference: invalid tag "1.3.0+build.5"',
		})
	})
})

describe('revisionContains', () => {
	it.each([
		['latest', 'latest', true],
		['latest', 'v1.0.0', false],
		['^1.0.0', 'v1.2.0', true],
		['^1.0.0', 'v2.0.0', false],
		['^1.0.0', 'latest', false],
		['1.2', '1.2.3', false],
		[DIGEST, 'latest', false],
		[`latest@${DIGEST}`, 'latest', false],
	])('%s, %s: %s', (revision, tag, expected) => {
		expect(revisionContains(revision, tag)).toBe(expected)
	})
})

describe('messages', () => {
	it.each([
		[
			'v9.9.9',
			{ kind: 'not-found', place: 'h:1/r' },
			'failed to resolve revision "v9.9.9": cannot get digest for revision v9.9.9: h:1/r:v9.9.9: not found',
		],
		[
			DIGEST,
			{ kind: 'not-found', place: 'h:1/r' },
			`failed to resolve revision "${DIGEST}": cannot get digest for revision ${DIGEST}: h:1/r@${DIGEST}: not found`,
		],
		[
			'',
			{ kind: 'invalid', argocdMessage: 'invalid reference' },
			'failed to resolve revision "": cannot get digest for revision : invalid reference',
		],
		[
			'^9',
			{ kind: 'range', argocdMessage: 'no version for constraints: x' },
			'failed to resolve revision "^9": no version for constraints: x',
		],
	] as const)('of %s', (revision, fault, message) => {
		expect(resolutionMessage(revision, fault)).toBe(message)
	})

	it('are wrapped into a ComparisonError', () => {
		expect(comparisonError('k8s: app path does not exist')).toBe(
			'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = k8s: app path does not exist',
		)
	})
})
