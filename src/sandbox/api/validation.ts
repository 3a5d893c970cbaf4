import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../cluster/index.ts'
import { parseCron } from './cron-schedule.ts'
import { checkDefinition } from './custom-resource.ts'
import { at, fieldsAt, isFields, listAt, numberAt, textAt, textsAt } from './fields.ts'
import type { ServedResource } from './resource.ts'
import { selectorMatches } from './selectors.ts'
import type { StatusCause } from './status-error.ts'

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const MAX_ANNOTATIONS = 262_144

const SUBDOMAIN_RULE =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const LABEL_RULE =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"

function bad(field: string, value: unknown, why: string): StatusCause {
	return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field }
}

function missing(field: string, why?: string): StatusCause {
	return {
		reason: 'FieldValueRequired',
		message: why === undefined ? 'Required value' : `Required value: ${why}`,
		field,
	}
}

/** What is wrong with an object, in the API's own words; of built-in types the common mistakes only. */
export function validate(resource: ServedResource, object: KubeObject): readonly StatusCause[] {
	const causes = [...checkName(resource, object.metadata.name), ...checkMetadata(object)]
	if (resource.custom) return causes
	switch (resource.storageKey) {
		case 'apps/deployments':
		case 'apps/replicasets':
		case 'apps/statefulsets':
		case 'apps/daemonsets':
			return [...causes, ...checkWorkload(object)]
		case 'batch/jobs':
			return [
				...causes,
				...checkPod(at(object, 'spec', 'template', 'spec'), 'spec.template.spec'),
				...checkRestart(at(object, 'spec', 'template', 'spec'), 'spec.template.spec'),
			]
		case 'batch/cronjobs': {
			const path = 'spec.jobTemplate.spec.template.spec'
			const pod = at(object, ...path.split('.'))
			const schedule = textAt(object, 'spec', 'schedule') ?? ''
			if (schedule === '') causes.push(missing('spec.schedule'))
			else if (parseCron(schedule) === undefined)
				causes.push(bad('spec.schedule', schedule, 'is no cron schedule'))
			return [...causes, ...checkPod(pod, path), ...checkRestart(pod, path)]
		}
		case '/pods':
			return [...causes, ...checkPod(object['spec'], 'spec')]
		case '/services':
			return [...causes, ...checkService(object)]
		case '/configmaps':
		case '/secrets':
			return [...causes, ...checkKeys(object)]
		case 'apiextensions.k8s.io/customresourcedefinitions':
			return [...causes, ...checkDefinition(object)]
		default:
			return causes
	}
}

/** RBAC names are path segments; services and namespaces are labels; the rest subdomains. */
function checkName(resource: ServedResource, name: string): readonly StatusCause[] {
	if (name === '') return [missing('metadata.name', 'name or generateName is required')]
	if (resource.group === 'rbac.authorization.k8s.io') {
		const segment = name !== '.' && name !== '..' && !/[/%]/.test(name)
		return segment ? [] : [bad('metadata.name', name, "may not contain '/' or '%'")]
	}
	if (resource.storageKey === '/namespaces' || resource.storageKey === '/services') {
		return LABEL.test(name) && name.length <= 63 ? [] : [bad('metadata.name', name, LABEL_RULE)]
	}
	if (
		['/events', 'networking.k8s.io/ipaddresses', 'certificates.k8s.io/certificatesigningrequests'].includes(
			resource.storageKey,
		)
	)
		return []
	return SUBDOMAIN.test(name) && name.length <= 253 ? [] : [bad('metadata.name', name, SUBDOMAIN_RULE)]
}

function checkMetadata({ metadata }: KubeObject): StatusCause[] {
	const causes: StatusCause[] = []
	for (const [key, value] of Object.entries(metadata.labels ?? {})) {
		if (!QUALIFIED.test(key))
			causes.push(bad('metadata.labels', key, 'name part must consist of alphanumeric characters'))
		if (typeof value !== 'string' || !LABEL_VALUE.test(value)) {
			causes.push(
				bad(
					'metadata.labels',
					value,
					'a valid label must be an empty string or consist of alphanumeric characters',
				),
			)
		}
	}
	let size = 0
	for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
		if (!QUALIFIED.test(key.toLowerCase())) {
			causes.push(bad('metadata.annotations', key, 'name part must consist of alphanumeric characters'))
		}
		size += Buffer.byteLength(key) + Buffer.byteLength(value)
	}
	if (size > MAX_ANNOTATIONS) {
		const message = `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`
		causes.push({ reason: 'FieldValueTooLong', message, field: 'metadata.annotations' })
	}
	return causes
}

function checkWorkload(object: KubeObject): StatusCause[] {
	const causes: StatusCause[] = []
	const selector = at(object, 'spec', 'selector')
	const labels = textsAt(object, 'spec', 'template', 'metadata', 'labels')
	const replicas = at(object, 'spec', 'replicas')
	if (typeof replicas === 'number' && replicas < 0) {
		causes.push(bad('spec.replicas', replicas, 'must be greater than or equal to 0'))
	}
	if (!isFields(selector)) causes.push(missing('spec.selector'))
	else if (Object.keys(selector).length === 0)
		causes.push(bad('spec.selector', {}, 'empty selector is invalid for deployment'))
	else if (!selectorMatches(selector, labels)) {
		causes.push(bad('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
	}
	return [...causes, ...checkPod(at(object, 'spec', 'template', 'spec'), 'spec.template.spec')]
}

function checkPod(spec: unknown, path: string): StatusCause[] {
	const containers = listAt(spec, 'containers')
	if (containers.length === 0) return [missing(`${path}.containers`)]
	const causes: StatusCause[] = []
	const names = new Set<string>()
	for (const [index, container] of containers.entries()) {
		const field = `${path}.containers[${index}]`
		const name = textAt(container, 'name')
		if (!name) causes.push(missing(`${field}.name`))
		else if (!LABEL.test(name) || name.length > 63) causes.push(bad(`${field}.name`, name, LABEL_RULE))
		else if (names.has(name)) {
			causes.push({
				reason: 'FieldValueDuplicate',
				message: `Duplicate value: ${JSON.stringify(name)}`,
				field: `${field}.name`,
			})
		}
		names.add(name ?? '')
		if (!textAt(container, 'image')) causes.push(missing(`${field}.image`))
		for (const [portIndex, port] of listAt(container, 'ports').entries()) {
			const number = numberAt(port, 'containerPort')
			const where = `${field}.ports[${portIndex}].containerPort`
			if (number === undefined) causes.push(missing(where))
			else if (number < 1 || number > 65_535)
				causes.push(bad(where, number, 'must be between 1 and 65535, inclusive'))
		}
	}
	return causes
}

function checkRestart(spec: unknown, path: string): StatusCause[] {
	const policy = textAt(spec, 'restartPolicy') ?? 'Always'
	if (policy === 'OnFailure' || policy === 'Never') return []
	const message =
		policy === 'Always'
			? 'Required value: valid values: "OnFailure", "Never"'
			: `Unsupported value: ${JSON.stringify(policy)}: supported values: "OnFailure", "Never"`
	return [{ reason: 'FieldValueRequired', message, field: `${path}.restartPolicy` }]
}

function checkService(object: KubeObject): StatusCause[] {
	const causes: StatusCause[] = []
	const ports = listAt(object, 'spec', 'ports')
	const needsPorts =
		textAt(object, 'spec', 'type') !== 'ExternalName' && at(object, 'spec', 'clusterIP') !== 'None'
	if (ports.length === 0 && needsPorts) causes.push(missing('spec.ports'))
	for (const [index, port] of ports.entries()) {
		const number = numberAt(port, 'port')
		if (number === undefined || number < 1 || number > 65_535) {
			causes.push(bad(`spec.ports[${index}].port`, number ?? 0, 'must be between 1 and 65535, inclusive'))
		}
		if (ports.length > 1 && !textAt(port, 'name')) causes.push(missing(`spec.ports[${index}].name`))
	}
	return causes
}

function checkKeys(object: KubeObject): StatusCause[] {
	const causes: StatusCause[] = []
	for (const field of ['data', 'binaryData'] as const) {
		for (const [key, value] of Object.entries(fieldsAt(object, field))) {
			if (!CONFIG_KEY.test(key)) {
				causes.push(
					bad(
						`${field}[${key}]`,
						key,
						"a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
					),
				)
			}
			if (object.kind === 'Secret' && typeof value === 'string' && !isBase64(value)) {
				causes.push(bad(`${field}[${key}]`, '<redacted>', 'illegal base64 data'))
			}
		}
	}
	return causes
}

function isBase64(text: string): boolean {
	return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

interface Immutable {
	readonly path: readonly string[]
	/** Only once it has a value. */
	readonly onceSet?: true
}

const IMMUTABLE: Readonly<Record<string, readonly Immutable[]>> = {
	'apps/deployments': [{ path: ['spec', 'selector'] }],
	'apps/replicasets': [{ path: ['spec', 'selector'] }],
	'apps/daemonsets': [{ path: ['spec', 'selector'] }],
	'batch/jobs': [
		{ path: ['spec', 'selector'] },
		{ path: ['spec', 'template'] },
		{ path: ['spec', 'completionMode'] },
	],
	'/services': [{ path: ['spec', 'clusterIP'], onceSet: true }],
	'/secrets': [{ path: ['type'] }],
	'storage.k8s.io/storageclasses': [
		{ path: ['provisioner'] },
		{ path: ['parameters'] },
		{ path: ['reclaimPolicy'] },
	],
	'rbac.authorization.k8s.io/rolebindings': [{ path: ['roleRef'] }],
	'rbac.authorization.k8s.io/clusterrolebindings': [{ path: ['roleRef'] }],
	'apiextensions.k8s.io/customresourcedefinitions': [
		{ path: ['spec', 'group'] },
		{ path: ['spec', 'scope'] },
	],
}

const STATEFUL_SET_MUTABLE = new Set([
	'replicas',
	'ordinals',
	'template',
	'updateStrategy',
	'revisionHistoryLimit',
	'persistentVolumeClaimRetentionPolicy',
	'minReadySeconds',
])

/** What an update may not change. */
export function validateUpdate(
	resource: ServedResource,
	before: KubeObject,
	{ after }: { readonly after: KubeObject },
): readonly StatusCause[] {
	const causes: StatusCause[] = []
	for (const { path, onceSet } of IMMUTABLE[resource.storageKey] ?? []) {
		const old = at(before, ...path)
		if (onceSet && (old === undefined || old === '')) continue
		if (!isDeepStrictEqual(old, at(after, ...path)))
			causes.push(bad(path.join('.'), at(after, ...path), 'field is immutable'))
	}
	if (resource.storageKey === 'apps/statefulsets' && changedSpec(before, after)) {
		const allowed =
			"'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
		causes.push({
			reason: 'FieldValueForbidden',
			message: `Forbidden: updates to statefulset spec for fields other than ${allowed} are forbidden`,
			field: 'spec',
		})
	}
	if (
		at(before, 'immutable') === true &&
		(resource.storageKey === '/configmaps' || resource.storageKey === '/secrets')
	) {
		for (const field of ['data', 'binaryData']) {
			if (!isDeepStrictEqual(before[field], after[field])) {
				causes.push({
					reason: 'FieldValueForbidden',
					message: 'Forbidden: field is immutable when `immutable` is set',
					field,
				})
			}
		}
	}
	return causes
}

function changedSpec(before: KubeObject, after: KubeObject): boolean {
	const old = fieldsAt(before, 'spec')
	const renewed = fieldsAt(after, 'spec')
	return [...new Set([...Object.keys(old), ...Object.keys(renewed)])].some(
		(key) => !STATEFUL_SET_MUTABLE.has(key) && !isDeepStrictEqual(old[key], renewed[key]),
	)
}
