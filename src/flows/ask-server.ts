import { isDeepStrictEqual } from 'node:util'
import type { DeployedResource } from '../argocd/index.ts'
import {
	causesOf,
	type Cluster,
	isForbidden,
	type KubeObject,
	messageOf,
	NO_KIND_MATCH,
	reasonOf,
} from '../cluster/index.ts'
import { createLimiter } from '../content/index.ts'
import { at, type FieldPath, type Fields, isFields, textAt } from '../schema/index.ts'
import {
	causeFault,
	type FileInspection,
	formatField,
	nameOf,
	type ObjectFault,
	type ObjectPlace,
	pathOfField,
	ValidationRules,
} from '../validation/index.ts'

export interface AskServerOptions {
	readonly cluster: Cluster
	/** Of objects that name none. */
	readonly namespace: string
	/** Of the whole artifact: what it brings itself cannot be in the cluster yet. */
	readonly inspections: readonly FileInspection[]
	readonly signal?: AbortSignal | undefined
}

/** Requests at once. */
const MAX_REQUESTS = 8
const FIELD_MANAGER = 'lading-check'

/**
 * Lets the API server judge objects by a dry run of server-side apply with strict field
 * validation: it changes nothing.
 * @throws RemoteError where the server cannot be asked, or nothing of this may be
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
 */
export async function askServer(
	resources: readonly DeployedResource[],
	options: AskServerOptions,
): Promise<readonly ObjectFault[]> {
	const limit = createLimiter(MAX_REQUESTS)
	const named = resources.filter(({ name, kind, version }) => name !== '' && kind !== '' && version !== '')
	const answers = await Promise.all(
		named.map(async (resource) => await limit(async () => await askFor(resource, options))),
	)
	const [denied] = answers.flatMap(({ forbidden }) => (forbidden === undefined ? [] : [forbidden]))
	// A server that lets nothing of all this be asked has judged nothing.
	if (denied !== undefined && answers.every(({ forbidden }) => forbidden !== undefined)) throw denied
	return answers.flatMap(({ faults }) => faults)
}

interface Answer {
	readonly faults: readonly ObjectFault[]
	readonly forbidden?: Error | undefined
}

/** Fields that the server does not know are told one after the other. */
const MAX_ROUNDS = 10

async function askFor(resource: DeployedResource, options: AskServerOptions): Promise<Answer> {
	const { object, file, line } = resource
	const place: ObjectPlace = { object: nameOf(object), file, line }
	const faults: ObjectFault[] = []
	let asked = resource
	for (let round = 0; round < MAX_ROUNDS; round++) {
		const refusal = await refusalOf(asked, options)
		if (refusal === undefined) return { faults }
		const unknown = unknownFields(messageOf(refusal) ?? '')
		const paths = unknown.map(({ field }) => pathOfField(object, field))
		for (const [index, { text }] of unknown.entries()) {
			const path = paths[index] ?? []
			const message = `${formatField(path)}: the API server says: ${text}`
			faults.push({ rule: ValidationRules.serverUnknownField, message, place, path })
		}
		// Behind a field that is not known the server may have more to say.
		const rest = paths.reduce<Fields>((left, path) => without(left, path), asked.object)
		if (unknown.length === 0 || isDeepStrictEqual(rest, asked.object)) {
			const more = judge(refusal, { resource, place, ...options })
			return unknown.length > 0 ? { faults } : { ...more, faults: [...faults, ...more.faults] }
		}
		asked = { ...asked, object: rest }
	}
	return { faults }
}

/** A copy without the field at a path. */
function without(value: Fields, [step, ...rest]: FieldPath): Fields {
	if (typeof step !== 'string' || !Object.hasOwn(value, step)) return value
	const { [step]: child, ...others } = value
	if (rest.length === 0) return others
	const [next, ...beyond] = rest
	if (Array.isArray(child) && typeof next === 'number') {
		const items = child.map((item: unknown, index) =>
			index === next && isFields(item) ? without(item, beyond) : item,
		)
		return { ...others, [step]: items }
	}
	return isFields(child) ? { ...others, [step]: without(child, rest) } : value
}

/** @throws all that is not a refusal of this object */
async function refusalOf(resource: DeployedResource, options: AskServerOptions): Promise<Error | undefined> {
	const { cluster, namespace, signal } = options
	try {
		await cluster.apply(toKubeObject(resource), {
			fieldManager: FIELD_MANAGER,
			force: true,
			dryRun: true,
			fieldValidation: 'Strict',
			namespace,
			signal,
		})
		return undefined
	} catch (error) {
		if (error instanceof Error && REFUSALS.has(reasonOf(error) ?? '')) return error
		throw error
	}
}

/** Answers that are about the object, and not about who asks or how the server is. */
const REFUSALS: ReadonlySet<string> = new Set([
	'BadRequest',
	'Invalid',
	'Forbidden',
	'NotFound',
	'Conflict',
	'RequestEntityTooLarge',
	'UnsupportedMediaType',
	'MethodNotAllowed',
	'InternalError',
	NO_KIND_MATCH,
])

/** An object of a manifest has its apiVersion and kind; the server says no to metadata that is none. */
function toKubeObject({ object, group, version, kind, name, namespace }: DeployedResource): KubeObject {
	const metadata = at(object, 'metadata')
	return {
		...object,
		apiVersion: group === '' ? version : `${group}/${version}`,
		kind,
		metadata: { ...(typeof metadata === 'object' ? metadata : {}), name, namespace },
	}
}

interface JudgeOptions extends AskServerOptions {
	readonly resource: DeployedResource
	readonly place: ObjectPlace
}

function judge(error: Error, options: JudgeOptions): Answer {
	const { resource, place } = options
	const said = messageOf(error) ?? error.message
	const fault = (rule: ObjectFault['rule'], message: string): Answer => ({
		faults: [{ rule, message, place, path: [] }],
	})
	if (reasonOf(error) === NO_KIND_MATCH) {
		if (bringsKind(resource, options))
			return fault(
				ValidationRules.serverNotAsked,
				'its kind is defined in the artifact, and not in the cluster yet',
			)
		return fault(
			ValidationRules.serverRefused,
			`the API server has no ${resource.kind} of ${apiVersionOf(resource)}`,
		)
	}
	if (reasonOf(error) === 'NotFound') {
		const namespace = resource.namespace ?? options.namespace
		return fault(ValidationRules.serverNotAsked, `its namespace ${namespace} is not in the cluster yet`)
	}
	const causes = causesOf(error)
	if (causes.length > 0) {
		return {
			faults: causes.map((cause) =>
				causeFault(
					{ ...cause, message: `the API server says: ${cause.message}` },
					{ object: resource.object, place, rule: ValidationRules.serverRefused },
				),
			),
		}
	}
	const answer = fault(ValidationRules.serverRefused, `the API server says: ${said}`)
	return isForbidden(error) ? { ...answer, forbidden: error } : answer
}

const apiVersionOf = ({ group, version }: DeployedResource): string =>
	group === '' ? version : `${group}/${version}`

function bringsKind({ group, kind }: DeployedResource, { inspections }: AskServerOptions): boolean {
	return inspections.some(({ definitions }) =>
		definitions.some(
			(definition) =>
				textAt(definition, 'spec', 'group') === group && textAt(definition, 'spec', 'names', 'kind') === kind,
		),
	)
}

/**
 * The fields that the server says it does not know: `strict decoding error: unknown field "spec.a"`, or
 * `failed to create typed patch object (…): .spec.a: field not declared in schema`.
 */
function unknownFields(message: string): readonly { readonly field: string; readonly text: string }[] {
	const patterns = [
		/(?<text>unknown field "(?<field>(?:[^"\\]|\\.)*)")/g,
		/(?<field>\.\S+): (?<text>field not declared in schema)/g,
	]
	return patterns.flatMap((pattern) =>
		[...message.matchAll(pattern)].map(({ groups }) => ({
			field: groups?.['field'] ?? '',
			text: groups?.['text'] ?? '',
		})),
	)
}
