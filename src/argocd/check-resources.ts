import { ArgocdLimit } from './limits.ts'
import type { Breach } from './manifest-facts.ts'
import { isSmallJson } from './json-size.ts'
import { ArgocdName } from './names.ts'
import {
	annotationsOf,
	type DeployedResource,
	isPlainObject,
	resourceKey,
	type ResourceIdentity,
} from './resource.ts'

export interface ResourceOptions {
	/** Whether the Application applies server-side; absent where it is not known. */
	readonly serverSide?: boolean | undefined
}

/** The breaches of the objects themselves, wherever they come from. */
export function checkResources(
	resources: readonly DeployedResource[],
	options: ResourceOptions,
): readonly Breach[] {
	return [...resources.flatMap((resource) => checkResource(resource, options)), ...checkRepeated(resources)]
}

/** The breaches of one object by itself. */
export function checkResource(resource: DeployedResource, options: ResourceOptions): readonly Breach[] {
	return [...checkIdentity(resource), ...checkSecret(resource), ...checkAnnotations(resource, options)]
}

const nameOf = ({ kind, namespace, name }: ResourceIdentity): string =>
	`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

function breach(rule: string, resource: ResourceIdentity, more: Breach['detail']): Breach {
	const { file, line } = resource
	return {
		rule,
		detail: { ...(file !== undefined && { file }), ...(line !== undefined && { line }), ...more },
	}
}

function checkIdentity(resource: DeployedResource): readonly Breach[] {
	const { kind, name, version, object } = resource
	const found: Breach[] = []
	const metadata = isPlainObject(object['metadata']) ? object['metadata'] : {}
	if (version === '') found.push(breach('api-version-missing', resource, { name: nameOf(resource) }))
	for (const detail of notText(metadata))
		found.push(breach('metadata-text', resource, { name: nameOf(resource), detail }))
	if (name === '' && !isValue(metadata['name'])) {
		const generated = typeof metadata['generateName'] === 'string' && metadata['generateName'] !== ''
		if (!generated) found.push(breach('name-missing', resource, { name: kind }))
		else if (annotationsOf(resource)[ArgocdName.hookAnnotation] === undefined) {
			found.push(breach('generated-name', resource, { name: kind }))
		}
	}
	return found
}

const isValue = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

/** What the API server cannot decode: `version: 1.0` and `name: yes` are no text in YAML. */
function* notText(metadata: Readonly<Record<string, unknown>>): Generator<string> {
	for (const field of ['name', 'namespace'])
		if (isValue(metadata[field]) && typeof metadata[field] !== 'string')
			yield `the ${field} ${JSON.stringify(metadata[field])}`
	for (const field of ['labels', 'annotations']) {
		const record = metadata[field]
		if (!isPlainObject(record)) continue
		for (const [key, value] of Object.entries(record))
			if (value !== null && typeof value !== 'string')
				yield `${field}.${key}: ${JSON.stringify(value).slice(0, 60)}`
	}
}

function checkSecret(resource: DeployedResource): readonly Breach[] {
	const { group, kind, name, object } = resource
	if (group !== '' || kind !== 'Secret') return []
	const filled = ['data', 'stringData'].some((field) => {
		const data = object[field]
		return isPlainObject(data) && Object.keys(data).length > 0
	})
	return filled ? [breach('secret-plain', resource, { name })] : []
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Client-side apply writes the whole object into an annotation, next to Argo CD's own. */
function checkAnnotations(resource: DeployedResource, { serverSide }: ResourceOptions): readonly Breach[] {
	if (serverSide === true) return []
	const annotations = annotationsOf(resource)
	if (/(?:ServerSideApply|Replace)=true/.test(annotations[ArgocdName.syncOptionsAnnotation] ?? '')) return []
	const others =
		LAST_APPLIED.length +
		Object.entries(annotations).reduce(
			(sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
			0,
		)
	if (isSmallJson(resource.object, ArgocdLimit.annotationBytes - others)) return []
	const size = others + Buffer.byteLength(JSON.stringify(resource.object))
	if (size <= ArgocdLimit.annotationBytes) return []
	const rule = serverSide === false ? 'last-applied-size' : 'needs-server-side'
	return [breach(rule, resource, { name: nameOf(resource), size })]
}

/** Objects that stand there more than once: Argo CD deploys the last one. */
export function checkRepeated(resources: readonly ResourceIdentity[]): readonly Breach[] {
	const groups = new Map<string, ResourceIdentity[]>()
	for (const resource of resources) {
		if (resource.name === '') continue
		const key = resourceKey(resource)
		const same = groups.get(key)
		if (same === undefined) groups.set(key, [resource])
		else same.push(resource)
	}
	return [...groups].flatMap(([key, same]) => {
		const last = same.at(-1)
		return same.length < 2 || last === undefined
			? []
			: [
					breach('resource-repeated', last, {
						name: nameOf(last),
						detail: key,
						count: same.length,
						places: same.flatMap(({ file, line }) =>
							file === undefined ? [] : [`${file}${line === undefined ? '' : `:${line}`}`],
						),
					}),
				]
	})
}
