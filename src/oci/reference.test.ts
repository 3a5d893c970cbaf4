import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LadingError } from '../errors/index.ts'
import type { Digest } from './digest.ts'
import {
	formatReference,
	isRepository,
	isTag,
	parseReference,
	type Reference,
	registryHostname,
} from './reference.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}` as Digest

/** Whether a text reads as a valid reference, or is refused by an error of ours. */
function isValidOrOurs(text: string): boolean {
	try {
		const { repository, tag } = parseReference(text, { defaultRegistry: 'localhost:1' })
		return isRepository(repository) && (tag === undefined || isTag(tag))
	} catch (error) {
		return error instanceof LadingError
	}
}

describe('parseReference', () => {
	it.each<[text: string, reference: Reference]>([
		['localhost:5000/app:v1', { registry: 'localhost:5000', repository: 'app', tag: 'v1' }],
		['localhost/app', { registry: 'localhost', repository: 'app' }],
		['oci://ghcr.io/a/b:1.0', { registry: 'ghcr.io', repository: 'a/b', tag: '1.0' }],
		['ghcr.io/a/b/c', { registry: 'ghcr.io', repository: 'a/b/c' }],
		['[::1]:5000/app:v1', { registry: '[::1]:5000', repository: 'app', tag: 'v1' }],
		[`127.0.0.1:5000/a@${DIGEST}`, { registry: '127.0.0.1:5000', repository: 'a', digest: DIGEST }],
		[`host.example/a:v1@${DIGEST}`, { registry: 'host.example', repository: 'a', tag: 'v1', digest: DIGEST }],
	])('reads %s', (text, reference) => {
		expect(parseReference(text)).toEqual(reference)
	})

	it.each<[text: string, reference: Reference]>([
		['app', { registry: 'r:1', repository: 'app' }],
		['app:v1', { registry: 'r:1', repository: 'app', tag: 'v1' }],
		['team/app:v1', { registry: 'r:1', repository: 'team/app', tag: 'v1' }],
		[`oci://app@${DIGEST}`, { registry: 'r:1', repository: 'app', digest: DIGEST }],
	])('takes the default registry for %s', (text, reference) => {
		expect(parseReference(text, { defaultRegistry: 'r:1' })).toEqual(reference)
	})

	it.each<[text: string, code: string, says: RegExp]>([
		['', 'REFERENCE_INVALID', /empty/],
		['app:v1', 'REGISTRY_UNKNOWN', /no registry/],
		['localhost:5000', 'REFERENCE_INVALID', /no repository/],
		['127.0.0.1:5000', 'REFERENCE_INVALID', /no repository/],
		['ghcr.io/', 'REFERENCE_INVALID', /no repository/],
		['https://ghcr.io/a', 'REFERENCE_INVALID', /https:\/\//],
		['OCI://ghcr.io/a', 'REFERENCE_INVALID', /OCI:\/\//],
		['ghcr.io/A:v1', 'REFERENCE_INVALID', /capital/],
		['ghcr.io/a:', 'REFERENCE_INVALID', /not a tag/],
		['ghcr.io/a:-x', 'REFERENCE_INVALID', /not a tag/],
		['ghcr.io/a@sha256:123', 'REFERENCE_INVALID', /not a digest/],
		['user:secret@ghcr.io/a', 'REFERENCE_INVALID', /user information/],
		['ghcr.io/a//b', 'REFERENCE_INVALID', /not a repository/],
		['ghcr.io/../etc', 'REFERENCE_INVALID', /not a repository/],
		['ghcr.io:99999999/a', 'REFERENCE_INVALID', /not a registry/],
		['localhost:99999/a', 'REFERENCE_INVALID', /not a registry/],
		['[1:2]:5000/a', 'REFERENCE_INVALID', /not a registry/],
		['-a.b/c', 'REFERENCE_INVALID', /not a registry/],
	])('refuses %j', (text, code, says) => {
		expect(() => parseReference(text)).toThrow(
			expect.objectContaining({ code, message: expect.stringMatching(says) }),
		)
	})

	it('never repeats a password', () => {
		expect(() => parseReference('user:secret@ghcr.io/a')).toThrow(
			expect.objectContaining({ message: expect.not.stringContaining('secret') }),
		)
	})

	const component = fc.stringMatching(/^[a-z0-9]{1,8}$/)
	const reference = fc
		.record({
			registry: fc.constantFrom('localhost', 'localhost:5000', 'ghcr.io', '10.0.0.1:80', '[fe80::1]:443'),
			repository: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
			tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
			digest: fc.constantFrom(undefined, DIGEST),
		})
		.map(({ tag, digest, ...place }): Reference => ({
			...place,
			...(tag !== undefined && { tag }),
			...(digest && { digest }),
		}))

	it('reads back what formatReference writes', () => {
		fc.assert(
			fc.property(reference, (each) => {
				expect(parseReference(formatReference(each))).toEqual(each)
			}),
		)
	})

	it('answers any text with a valid reference or an error of ours', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z:/@.[\]-]*$/)), (text) => {
				expect(isValidOrOurs(text)).toBe(true)
			}),
			{ numRuns: 500 },
		)
	})
})

it.each([
	['localhost:5000', 'localhost'],
	['ghcr.io', 'ghcr.io'],
	['[::1]:5000', '::1'],
	['[::1]', '::1'],
])('the host name of %s is %s', (registry, host) => {
	expect(registryHostname(registry)).toBe(host)
})
