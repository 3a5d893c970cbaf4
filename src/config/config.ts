import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { isSystemError, UserError } from '../errors/index.ts'
import { isRepository, isTag, parseReference } from '../oci/index.ts'
import { parseSettings } from './parse-settings.ts'
import { tagPatternField } from './tag-pattern-field.ts'

export const CONFIG_FILE = 'lading.yaml'

/** `lading.yaml`: what would otherwise be typed again with every command. Each field has a flag. */
export interface Config {
	/** Name of the Application. */
	readonly name?: string | undefined
	/** Directory of the manifests, relative to the file. */
	readonly manifests?: string | undefined
	/** `[registry/]repository`, without a tag. */
	readonly repository?: string | undefined
	/** Tag that `up` pushes. */
	readonly tag?: string | undefined
	/** `sandbox`, `kind`, `kind:NAME`, `context:NAME` or `argocd:HOST`. */
	readonly cluster?: string | undefined
	/** Namespace that the application is deployed to. */
	readonly namespace?: string | undefined
	/** Path inside the artifact. */
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	/** Argo CD project. */
	readonly project?: string | undefined
	/** Annotations of the artifact. */
	readonly annotations?: Readonly<Record<string, string>> | undefined
	/** Patterns of tags that the embedded registry keeps as they are. */
	readonly immutable?: readonly string[] | undefined
}

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export function isDnsLabel(text: string): boolean {
	return DNS_LABEL.test(text)
}

/** `sandbox`, `kind` or `kind:NAME`, `context:NAME` for a cluster that a kubeconfig names, or `argocd:HOST` for Argo CD's own API. */
export function isClusterName(text: string): boolean {
	if (text === 'sandbox' || /^(?:context|argocd):.+$/.test(text)) return true
	return /^kind(?::[a-z0-9][a-z0-9.-]{0,49})?$/.test(text)
}

function isRepositoryReference(text: string): boolean {
	try {
		const { tag, digest } = parseReference(text, { defaultRegistry: 'localhost' })
		return tag === undefined && digest === undefined
	} catch {
		return isRepository(text)
	}
}

const about = (description: string): v.DescriptionAction<string, string> => v.description(description)

/** The schema of `lading.yaml`; the JSON Schema that is published is made from it. */
export const configSchema: v.GenericSchema<unknown, Config> = v.strictObject({
	name: v.optional(
		v.pipe(
			v.string(),
			v.regex(DNS_NAME, 'a name has a-z, 0-9, "-" and "." only'),
			about('Name of the Application.'),
		),
	),
	manifests: v.optional(
		v.pipe(
			v.string(),
			v.minLength(1, 'a directory has a name'),
			about('Directory of the manifests, relative to this file.'),
		),
	),
	repository: v.optional(
		v.pipe(
			v.string(),
			v.check(isRepositoryReference, 'a repository is [registry/]path in lower case, without a tag'),
			about('[registry/]repository, without a tag. Without a registry: the running local one.'),
		),
	),
	tag: v.optional(
		v.pipe(v.string(), v.check(isTag, 'not a tag'), about('Tag that `lading up` pushes; default latest.')),
	),
	cluster: v.optional(
		v.pipe(
			v.string(),
			v.check(isClusterName, 'a cluster is sandbox, kind, kind:NAME, context:NAME or argocd:HOST'),
			about(
				'sandbox, kind, kind:NAME, context:NAME of a kubeconfig, or argocd:HOST[:PORT] for Argo CD’s own API.',
			),
		),
	),
	namespace: v.optional(
		v.pipe(
			v.string(),
			v.regex(DNS_LABEL, 'a namespace has a-z, 0-9 and "-" only'),
			about('Namespace that the application is deployed to.'),
		),
	),
	path: v.optional(v.pipe(v.string(), about('Path inside the artifact; default ".".'))),
	recurse: v.optional(v.pipe(v.boolean(), v.description('Also deploy what stands in subdirectories.'))),
	project: v.optional(v.pipe(v.string(), about('Argo CD project; default "default".'))),
	annotations: v.optional(
		v.pipe(v.record(v.string(), v.string()), v.description('Annotations of the artifact.')),
	),
	immutable: v.optional(
		v.pipe(
			v.array(tagPatternField),
			v.description('Tags that the embedded registry keeps as they are: v*, semver, or REPOSITORY:TAG.'),
		),
	),
})

/**
 * Reads `lading.yaml` of a directory; a project without one has an empty configuration.
 * @throws UserError `CONFIG_INVALID`
 */
export async function readConfig(directory: string): Promise<Config> {
	const path = join(directory, CONFIG_FILE)
	let text: string
	try {
		const stats = statSync(path, { throwIfNoEntry: false })
		if (!stats) return {}
		// A pipe would be waited for without an end, and no signal be heard.
		if (!stats.isFile()) throw notRead(path, stats.isDirectory() ? 'it is a directory' : 'it is no file')
		text = readFileSync(path, 'utf8')
	} catch (error) {
		throw isSystemError(error) ? notRead(path, error.code ?? error.message, error) : error
	}
	return await parseSettings(text, configSchema, {
		file: CONFIG_FILE,
		fields: Object.keys(FIELDS),
		hint: 'Mend it there; or have a new one written with: lading init --force',
	})
}

function notRead(path: string, why: string, cause?: unknown): UserError {
	return new UserError('CONFIG_INVALID', `cannot read ${path}: ${why}`, {
		hint: `${CONFIG_FILE} is a text file that you may read: mend that, or move it elsewhere and run lading init.`,
		cause,
	})
}

const FIELDS: Readonly<Record<keyof Config, true>> = {
	name: true,
	manifests: true,
	repository: true,
	tag: true,
	cluster: true,
	namespace: true,
	path: true,
	recurse: true,
	project: true,
	annotations: true,
	immutable: true,
}
