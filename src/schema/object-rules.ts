import { parseCron } from './cron-schedule.ts'
import { checkDefinition } from './definition-rules.ts'
import { at, type Fields, fieldsAt, isFields, listAt, numberAt, textAt, textsAt } from './fields.ts'
import { selectorMatches } from './label-selector.ts'
import { checkMetadata, checkName, checkTemplateMetadata, type KindName } from './metadata-rules.ts'
import { checkAlwaysRestart, checkJobRestart, checkPod, isPort } from './pod-rules.ts'
import { bad, missing, type StatusCause } from './status-cause.ts'

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const MAX_CONFIG_KEY = 253
const CONFIG_KEY_RULE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"

const TEMPLATE = 'spec.template.spec'
const JOB_TEMPLATE = 'spec.jobTemplate.spec.template.spec'

export interface ObjectKind extends KindName {
	/** Of a kind that a CustomResourceDefinition brings: only its metadata is judged here. */
	readonly isCustom: boolean
}

/**
 * What is wrong with an object whose fields have the right types, in the API server's own
 * words; of built-in kinds the common mistakes only.
 */
export function checkObject(type: ObjectKind, object: Fields): readonly StatusCause[] {
	const causes = [...checkName(type, object), ...checkMetadata(at(object, 'metadata'))]
	return type.isCustom ? causes : [...causes, ...checkKind(type, object)]
}

function checkKind({ group, kind }: KindName, object: Fields): readonly StatusCause[] {
	switch (`${group}/${kind}`) {
		case 'apps/Deployment':
		case 'apps/ReplicaSet':
		case 'apps/StatefulSet':
		case 'apps/DaemonSet':
			return checkWorkload(kind, object)
		case 'batch/Job':
			return checkJob(object, TEMPLATE)
		case 'batch/CronJob':
			return [...checkSchedule(object), ...checkJob(object, JOB_TEMPLATE)]
		case '/Pod':
			return checkPod(object['spec'], 'spec')
		case '/Service':
			return checkService(object)
		case '/ConfigMap':
		case '/Secret':
			return checkKeys(object)
		case 'apiextensions.k8s.io/CustomResourceDefinition':
			return checkDefinition(object)
		default:
			return []
	}
}

function checkWorkload(kind: string, object: Fields): readonly StatusCause[] {
	const causes: StatusCause[] = []
	const selector = at(object, 'spec', 'selector')
	const labels = textsAt(object, 'spec', 'template', 'metadata', 'labels')
	const replicas = at(object, 'spec', 'replicas')
	const pod = at(object, ...TEMPLATE.split('.'))
	if (typeof replicas === 'number' && replicas < 0) {
		causes.push(bad('spec.replicas', replicas, 'must be greater than or equal to 0'))
	}
	if (!isFields(selector)) causes.push(missing('spec.selector'))
	else if (isEmptySelector(selector))
		causes.push(bad('spec.selector', selector, `empty selector is invalid for ${kind.toLowerCase()}`))
	else if (!selectorMatches(selector, labels)) {
		causes.push(bad('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
	}
	causes.push(
		...checkTemplateMetadata(object, 'spec.template.metadata'),
		...checkAlwaysRestart(pod, TEMPLATE),
	)
	return [...causes, ...checkPod(withClaims(pod, object), TEMPLATE)]
}

const isEmptySelector = (selector: Fields): boolean =>
	Object.keys(fieldsAt(selector, 'matchLabels')).length === 0 &&
	listAt(selector, 'matchExpressions').length === 0

/** The claims of a StatefulSet become volumes of its pods. */
function withClaims(pod: unknown, object: Fields): unknown {
	const claims = listAt(object, 'spec', 'volumeClaimTemplates')
	if (claims.length === 0 || !isFields(pod)) return pod
	const names = claims.map((claim) => ({ name: textAt(claim, 'metadata', 'name') }))
	return { ...pod, volumes: [...listAt(pod, 'volumes'), ...names] }
}

function checkJob(object: Fields, path: string): readonly StatusCause[] {
	const pod = at(object, ...path.split('.'))
	return [...checkPod(pod, path), ...checkJobRestart(pod, path)]
}

function checkSchedule(object: Fields): readonly StatusCause[] {
	const schedule = textAt(object, 'spec', 'schedule') ?? ''
	if (schedule === '') return [missing('spec.schedule')]
	// @every and time zones are taken too, and not understood here.
	if (schedule.startsWith('@every ') || /\bTZ=/.test(schedule)) return []
	return parseCron(schedule) === undefined ? [bad('spec.schedule', schedule, 'is no cron schedule')] : []
}

function checkService(object: Fields): readonly StatusCause[] {
	const causes: StatusCause[] = []
	const ports = listAt(object, 'spec', 'ports')
	const needsPorts =
		textAt(object, 'spec', 'type') !== 'ExternalName' && at(object, 'spec', 'clusterIP') !== 'None'
	if (ports.length === 0 && needsPorts) causes.push(missing('spec.ports'))
	for (const [index, port] of ports.entries()) {
		const number = numberAt(port, 'port')
		if (number === undefined || !isPort(number))
			causes.push(bad(`spec.ports[${index}].port`, number ?? 0, 'must be between 1 and 65535, inclusive'))
		if (ports.length > 1 && !textAt(port, 'name')) causes.push(missing(`spec.ports[${index}].name`))
	}
	return causes
}

function checkKeys(object: Fields): readonly StatusCause[] {
	return ['data', 'binaryData', 'stringData'].flatMap((field) =>
		Object.keys(fieldsAt(object, field))
			.filter((key) => !CONFIG_KEY.test(key) || key === '.' || key === '..' || key.length > MAX_CONFIG_KEY)
			.map((key) => bad(`${field}[${key}]`, key, CONFIG_KEY_RULE)),
	)
}
