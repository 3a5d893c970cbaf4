import type { DeployedResource, Finding } from '../argocd/index.ts'
import { type Cluster, isForbidden } from '../cluster/index.ts'
import { UserError } from '../errors/index.ts'
import {
	type FieldPlace,
	locateFields,
	parseManifests,
	readManifestSet,
	unreadable,
} from '../manifests/index.ts'
import type { Fields } from '../schema/index.ts'
import {
	assumedReleases,
	type FileInspection,
	formatField,
	inspectFile,
	judgeTogether,
	type ObjectFault,
	parseKubernetesVersion,
	type ReleaseRange,
	withoutSchema,
} from '../validation/index.ts'
import { readFile } from 'node:fs/promises'
import { askServer } from './ask-server.ts'
import { type ClusterChoice, openCluster, reached } from './clusters.ts'
import type { Session } from './session.ts'

/** How the objects of an artifact are validated. */
export interface ValidateOptions {
	/** `1.32`; that of the cluster where one is named, else every release that Argo CD runs on today. */
	readonly kubernetesVersion?: string | undefined
	/** Directory of CustomResourceDefinitions, beside those in the artifact. */
	readonly schemas?: string | undefined
	/** Cluster whose version and CustomResourceDefinitions count; none. */
	readonly cluster?: ClusterChoice | undefined
	/** Let the API server of the cluster judge every object, by a dry run that changes nothing. */
	readonly server?: boolean | undefined
	/** Namespace of objects that name none, for the dry run; `default`. */
	readonly namespace?: string | undefined
}

/** A file that makes objects, and what an API server would say of them. */
export interface SeenFile {
	/** Path in the artifact. */
	readonly path: string
	readonly bytes: Uint8Array
	readonly inspection: FileInspection
}

/** What a validation goes by. */
export interface ValidationPlan {
	readonly releases: ReleaseRange
	/** From the directory of schemas. */
	readonly definitions: readonly Fields[]
	readonly cluster?: Cluster | undefined
	readonly server: boolean
	readonly namespace: string
}

const DEFAULT_NAMESPACE = 'default'

/** @throws UserError `USAGE`, `DIRECTORY_INVALID`, those of opening a cluster */
export async function planValidation(session: Session, options: ValidateOptions): Promise<ValidationPlan> {
	const { kubernetesVersion, schemas, cluster: choice, server = false, namespace } = options
	const named = kubernetesVersion === undefined ? undefined : parseKubernetesVersion(kubernetesVersion)
	const definitions = schemas === undefined ? [] : await readDefinitions(session, schemas)
	const isAsked = choice !== undefined || server
	const cluster = isAsked ? reached(await openCluster(session, choice ?? {})).cluster : undefined
	const releases =
		named ??
		(cluster ? parseKubernetesVersion(await cluster.version({ signal: session.signal })) : assumedReleases())
	return { releases, definitions, cluster, server, namespace: namespace ?? DEFAULT_NAMESPACE }
}

/** Every CustomResourceDefinition below a directory. */
async function readDefinitions({ signal }: Session, directory: string): Promise<readonly Fields[]> {
	const set = await readManifestSet(directory, { signal })
	const files = set.entries.filter(({ type, path }) => type === 'file' && /\.(?:ya?ml|json)$/.test(path))
	const definitions: Fields[] = []
	for (const { path, absolute } of files) {
		const bytes = await readFile(absolute).catch((error: unknown) => {
			throw unreadable(path, error)
		})
		const documents = parseManifests(bytes, path)
		definitions.push(...inspectFile(documents, { releases: assumedReleases() }).definitions)
	}
	if (definitions.length > 0) return definitions
	throw new UserError('DIRECTORY_INVALID', `${directory} holds no CustomResourceDefinition`, {
		hint: 'kubectl get crds -o yaml > DIR/crds.yaml writes those of a cluster.',
	})
}

/** What was looked at. */
export interface ValidatedSubject {
	readonly files: readonly SeenFile[]
	/** What Kustomize or Helm made. */
	readonly rendered?: readonly DeployedResource[] | undefined
	/** The objects themselves, where the API server is asked. */
	readonly readObjects: () => Promise<readonly DeployedResource[]>
}

/** What an API server would say of the objects, and what they lack, with the place of each. */
export async function validateObjects(
	session: Session,
	plan: ValidationPlan,
	subject: ValidatedSubject,
): Promise<readonly Finding[]> {
	const { releases } = plan
	const { files, rendered = [] } = subject
	const inspections = [
		...files.map(({ inspection }) => inspection),
		...(rendered.length > 0
			? [
					inspectFile(
						rendered.map(({ object }) => ({ value: object })),
						{ releases },
					),
				]
			: []),
	]
	const definitions = await allDefinitions(session, plan, inspections)
	const faults = [...judgeTogether(inspections, { definitions, releases })]
	if (plan.server && plan.cluster) {
		const said = new Set(faults.map((fault) => fieldKey(fault)))
		const answers = await askServer(await subject.readObjects(), {
			cluster: plan.cluster,
			namespace: plan.namespace,
			inspections,
			signal: session.signal,
		})
		// Of a field that something was said of already, the server says the same.
		faults.push(...answers.filter((fault) => fault.path.length === 0 || !said.has(fieldKey(fault))))
	}
	return toFindings(faults, files)
}

const fieldKey = ({ place, path }: ObjectFault): string =>
	JSON.stringify([place.file, place.line, place.object, path])

/** Those of the directory, and those of the cluster where there are objects that need them. */
async function allDefinitions(
	{ signal, progress }: Session,
	{ definitions, cluster }: ValidationPlan,
	inspections: readonly FileInspection[],
): Promise<readonly Fields[]> {
	if (!cluster || withoutSchema(inspections, definitions).length === 0) return definitions
	try {
		const type = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
		const { items } = await cluster.list(type, { signal })
		return [...definitions, ...items]
	} catch (error) {
		if (!isForbidden(error)) throw error
		progress.warn('the cluster does not let you read its CustomResourceDefinitions')
		return definitions
	}
}

/** Finds where each fault stands: only files that have one are read again. */
function toFindings(faults: readonly ObjectFault[], files: readonly SeenFile[]): readonly Finding[] {
	const positions = locate(faults, files)
	return faults.map((fault) => {
		const { rule, message, place, path } = fault
		const position = fault.position ?? positions.get(fault)
		const line = position?.line ?? place.line
		return {
			rule: rule.code,
			severity: rule.severity,
			message: `${place.object}: ${message}`,
			fix: rule.fix,
			object: place.object,
			...(path.length > 0 && { field: formatField(path) }),
			...(place.file !== undefined && { file: place.file }),
			...(line !== undefined && { line }),
			...(position !== undefined && { column: position.column }),
		}
	})
}

type Positions = ReadonlyMap<ObjectFault, { readonly line: number; readonly column: number }>

function locate(faults: readonly ObjectFault[], files: readonly SeenFile[]): Positions {
	const bytesOf = new Map(files.map(({ path, bytes }) => [path, bytes]))
	const documents = new Map<string, ObjectFault[]>()
	for (const fault of faults) {
		const { file, line } = fault.place
		if (file === undefined || line === undefined || fault.position !== undefined) continue
		const key = `${line} ${file}`
		const same = documents.get(key)
		if (same === undefined) documents.set(key, [fault])
		else same.push(fault)
	}
	const found = new Map<ObjectFault, { readonly line: number; readonly column: number }>()
	for (const same of documents.values()) {
		const { file = '', line = 1 } = same[0]?.place ?? {}
		const bytes = bytesOf.get(file)
		if (bytes === undefined) continue
		const located = locateFields(bytes, { line, paths: same.map((fault) => pathInDocument(fault)) })
		for (const [index, position] of located.entries()) {
			const fault = same[index]
			if (fault && position) found.set(fault, position)
		}
	}
	return found
}

const pathInDocument = ({ path, place }: ObjectFault): FieldPlace =>
	place.item === undefined ? path : ['items', place.item, ...path]
