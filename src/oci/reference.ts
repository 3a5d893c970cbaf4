import { UserError } from '../errors/index.ts'
import { type Digest, isDigest } from './digest.ts'

/**
 * A place in a registry: `registry/repository[:tag][@digest]`.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export interface Reference {
	/** `host` or `host:port`; IPv6 in brackets. */
	readonly registry: string
	readonly repository: string
	readonly tag?: string | undefined
	readonly digest?: Digest | undefined
}

/** A reference that names content for good. */
export type PinnedReference = Reference & { readonly digest: Digest }

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::\d{1,5})?$/
const MAX_REPOSITORY_LENGTH = 255

export function isRepository(text: string): boolean {
	return REPOSITORY.test(text) && text.length <= MAX_REPOSITORY_LENGTH
}

export function isTag(text: string): boolean {
	return TAG.test(text)
}

/** Whether a text is `host` or `host:port`, with a port that there is. */
export function isRegistryHost(text: string): boolean {
	return HOST.test(text) && URL.canParse(`https://${text}`)
}

export interface ParseReferenceOptions {
	/** Registry of a reference that names none; without it such a reference is wrong usage. */
	readonly defaultRegistry?: string | undefined
}

/**
 * Reads `[oci://][registry/]repository[:tag][@digest]`. The first component is a
 * registry only if it has a `.` or a `:` or is `localhost`, and a `/` follows it:
 * nothing is ever looked up on a public registry by surprise.
 * @throws UserError `REFERENCE_INVALID`, `REGISTRY_UNKNOWN`
 */
export function parseReference(text: string, options: ParseReferenceOptions = {}): Reference {
	const fail = (why: string, hint?: string): never => {
		throw new UserError('REFERENCE_INVALID', `"${withoutUser(text)}" is not a reference: ${why}`, {
			hint: hint ?? EXAMPLE,
		})
	}
	const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)
	if (scheme && scheme[1] !== 'oci') fail(`the scheme is ${scheme[1]}://, not oci://`)
	let rest = scheme ? text.slice(scheme[0].length) : text
	if (rest === '') fail('it is empty')

	let digest: Digest | undefined
	const at = rest.lastIndexOf('@')
	if (at >= 0) {
		const suffix = rest.slice(at + 1)
		if (!isDigest(suffix)) {
			const colon = suffix.includes('/')
			if (colon)
				fail(
					'it carries user information',
					'Credentials come from lading login, or by --username with --password-stdin.',
				)
			fail(`"${suffix}" after @ is not a digest`, 'A digest is sha256: followed by 64 of 0-9a-f.')
		} else digest = suffix
		rest = rest.slice(0, at)
	}

	const { registry, remainder } = splitRegistry(rest)
	if (remainder === '') fail('it names a registry but no repository')
	let repository = remainder
	let tag: string | undefined
	const colon = remainder.lastIndexOf(':')
	if (colon >= 0) {
		repository = remainder.slice(0, colon)
		tag = remainder.slice(colon + 1)
		if (!isTag(tag))
			fail(
				`"${tag}" is not a tag`,
				'A tag has 1 to 128 letters, digits, "_", "." and "-" and starts with none of the last two.',
			)
	}
	if (registry !== undefined && !isRegistryHost(registry)) fail(`"${registry}" is not a registry host`)
	if (!isRepository(repository)) {
		const lower = repository.toLowerCase()
		if (lower !== repository && isRepository(lower)) {
			fail(
				`the repository "${repository}" has capital letters`,
				`Repositories are lower case: ${text.replace(repository, lower)}`,
			)
		}
		fail(`"${repository}" is not a repository`)
	}
	const host = registry ?? options.defaultRegistry
	if (host === undefined) {
		throw new UserError('REGISTRY_UNKNOWN', `"${text}" names no registry, and no local registry is running`, {
			hint: `Write it in full, such as registry.example.com/${text}, or start one: lading registry up`,
		})
	}
	return { registry: host, repository, ...(tag !== undefined && { tag }), ...(digest && { digest }) }
}

const EXAMPLE = 'A reference looks like registry.example.com/team/app:v1.0.0 or app@sha256:…'

/** User information may hold a password, and what is shown may be logged. */
function withoutUser(text: string): string {
	return text.replace(/^([a-zA-Z+.-]+:\/\/)?[^/@]*@(?=[^/]*\/)/, '$1***@')
}

function splitRegistry(text: string): { readonly registry?: string; readonly remainder: string } {
	const slash = text.indexOf('/')
	if (slash < 0) {
		// A lone host with a port would otherwise read as a repository with a numeric tag.
		if (/^(?:localhost|\[.*\]|\d+(?:\.\d+){3}):\d+$/.test(text)) return { registry: text, remainder: '' }
		return { remainder: text }
	}
	const first = text.slice(0, slash)
	if (first === 'localhost' || /[.:]/.test(first))
		return { registry: first, remainder: text.slice(slash + 1) }
	return { remainder: text }
}

/** `registry/repository[:tag][@digest]`, without a scheme. */
export function formatReference(reference: Reference): string {
	const tag = reference.tag === undefined ? '' : `:${reference.tag}`
	const digest = reference.digest === undefined ? '' : `@${reference.digest}`
	return `${reference.registry}/${reference.repository}${tag}${digest}`
}

/** Host without port, without the brackets of IPv6. */
export function registryHostname(registry: string): string {
	return registry.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
