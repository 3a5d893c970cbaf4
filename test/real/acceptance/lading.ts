import { readFileSync } from 'node:fs'
import {
	comparisonErrorOf,
	isContentLayer,
	type ResourceIdentity,
	type Verdict,
} from '../../../src/argocd/index.ts'
import { type CheckOptions, checkSubject } from '../../../src/flows/check.ts'
import { check, openWorkspace, type Session, silentProgress } from '../../../src/flows/index.ts'
import { readSubject, type Subject } from '../../../src/flows/subject.ts'
import { createOciLoader } from '../../../src/sandbox/controller/oci-loader.ts'
import type { Case } from './cases/index.ts'
import type { PushedCases } from './pushed.ts'
import { type Said, named } from './said.ts'

interface Surroundings {
	readonly pushed: PushedCases
	/** `PATH` of which has the tools that render. */
	readonly env: NodeJS.ProcessEnv
}

export interface Checked extends Said {
	readonly rules: readonly string[]
}

/** What `lading check` says of a case, and of what it foretells the message of Argo CD. */
export async function ladingSays(
	each: Case,
	{ pushed, env, version }: Surroundings & { readonly version: string },
): Promise<Checked> {
	const { verdict } = await check(sessionOf(each, { pushed, env }), pushed.place(each).reference, {
		version,
		access: { caFile: pushed.registry.caPath },
		...applicationOf(each),
	})
	return checkedBy(verdict)
}

/**
 * The same of one version after another, of Argo CD's own rules: each artifact is read once, and
 * anew for a version that takes other layers of it.
 */
export function ladingOfVersions({
	pushed,
	env,
}: Surroundings): (each: Case, version: string) => Promise<Checked> {
	const known = new Map<string, { readonly subject: Subject; readonly readFor: string }>()
	return async (each, version) => {
		const session = sessionOf(each, { pushed, env })
		let read = known.get(each.name)
		if (!read || layersTaken(read.subject, version) !== layersTaken(read.subject, read.readFor)) {
			const access = { caFile: pushed.registry.caPath }
			const subject = await readSubject(session, pushed.place(each).reference, { access, version })
			read = { subject, readFor: version }
			known.set(each.name, read)
		}
		return checkedBy(await checkSubject(session, read.subject, { version, ...applicationOf(each) }))
	}
}

function layersTaken({ facts }: Subject, version: string): string {
	if (facts.manifest?.parsed.kind !== 'image') return ''
	const { config, layers } = facts.manifest.parsed.manifest
	return layers
		.map(({ mediaType }) => isContentLayer(mediaType, { version, configType: config.mediaType }))
		.join()
}

/** As which Application it is judged. */
const applicationOf = ({ path, recurse, clientSide }: Case): CheckOptions => ({
	path,
	recurse,
	...(clientSide === true && { serverSide: false }),
})

const sessionOf = (each: Case, { pushed, env }: Surroundings): Session => ({
	workspace: openWorkspace(pushed.directory),
	env: environmentOf(each, env),
	progress: silentProgress,
})

function checkedBy(verdict: Verdict<ResourceIdentity>): Checked {
	return { ...saidBy(verdict), rules: verdict.findings.map(({ rule }) => rule) }
}

function saidBy(verdict: Verdict<ResourceIdentity>): Said {
	const error = comparisonErrorOf(verdict)?.replace(/^Failed to load target state: /, '')
	if (error !== undefined) return { error }
	const isOpen = verdict.findings.some(({ rule }) => UNKNOWN.has(rule))
	return isOpen ? {} : { objects: verdict.resources.map(objectOf).map(named) }
}

const environmentOf = ({ noTools }: Case, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
	noTools === true ? { ...env, PATH: '' } : env

/** lading says itself that it does not know what comes out. */
const UNKNOWN: ReadonlySet<string> = new Set([
	'not-rendered',
	'jsonnet',
	'source-override',
	'entries-maximum',
])

const objectOf = ({ group, version, kind, name }: ResourceIdentity): Parameters<typeof named>[0] => ({
	apiVersion: group === '' ? version : `${group}/${version}`,
	kind,
	name,
})

/** What the sandbox's stand-in for the repo-server says. */
export async function sandboxSays(each: Case, { pushed, env }: Surroundings): Promise<Said> {
	const { repoURL, revision } = pushed.place(each)
	const { path = '.', recurse, include, exclude } = each
	const isDirectory = recurse !== undefined || include !== undefined || exclude !== undefined
	const load = createOciLoader({
		secrets: () => [],
		tlsCertificates: () => ({
			apiVersion: 'v1',
			kind: 'ConfigMap',
			metadata: { name: 'argocd-tls-certs-cm' },
			data: { '127.0.0.1': readFileSync(pushed.registry.caPath, 'utf8') },
		}),
		environment: environmentOf(each, env),
	})
	const answer = await load({
		source: {
			repoURL,
			targetRevision: revision,
			path,
			...(isDirectory && { directory: { recurse, include, exclude } }),
		},
		revision,
		project: 'default',
		application: each.name,
		namespace: 'judge',
		hard: false,
		signal: new AbortController().signal,
	})
	if (answer.ok) {
		const objects = answer.manifests.map(({ apiVersion, kind, metadata }) =>
			named({ apiVersion, kind, name: metadata.name }),
		)
		return { objects }
	}
	const isController = answer.error.startsWith('failed to unmarshal manifests for source')
	return {
		error: isController ? answer.error : `failed to generate manifest for source 1 of 1: ${answer.error}`,
	}
}
