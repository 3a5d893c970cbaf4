import type { KubeObject } from '../../cluster/index.ts'
import type { Labels } from '../../schema/index.ts'
import { at, fieldsAt, listAt, textsAt, textAt } from './fields.ts'
import { badRequest } from './status-error.ts'

type Test = (labels: Labels) => boolean

const NAME = String.raw`(?:[A-Za-z0-9][-A-Za-z0-9_.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const EQUAL = new RegExp(`^(${NAME})\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)$`)
const EXISTS = new RegExp(`^(!?)\\s*(${NAME})$`)

/**
 * A label selector as `-l` takes it: `a=b,c!=d,e in (x,y),f,!g`.
 * @throws StatusError `BadRequest`
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseLabelSelector(text: string): Test {
	const tests = splitOutsideParentheses(text)
		.map((term) => term.trim())
		.filter((term) => term !== '')
		.map(parseTerm)
	return (labels) => tests.every((test) => test(labels))
}

function splitOutsideParentheses(text: string): string[] {
	const terms: string[] = []
	let depth = 0
	let term = ''
	for (const character of text) {
		if (character === '(') depth++
		if (character === ')') depth--
		if (character === ',' && depth === 0) {
			terms.push(term)
			term = ''
		} else term += character
	}
	return [...terms, term]
}

function parseTerm(term: string): Test {
	const [, key = '', operator, list = ''] = SET.exec(term) ?? []
	if (operator !== undefined) {
		const values = new Set(list.split(',').map((value) => value.trim()))
		return operator === 'in'
			? (labels) => has(labels, key) && values.has(labels[key] ?? '')
			: (labels) => !has(labels, key) || !values.has(labels[key] ?? '')
	}
	const [, name = '', sign, value = ''] = EQUAL.exec(term) ?? []
	if (sign !== undefined) {
		return sign === '!='
			? (labels) => !has(labels, name) || labels[name] !== value
			: (labels) => has(labels, name) && labels[name] === value
	}
	const [, not, existing = ''] = EXISTS.exec(term) ?? []
	if (not === undefined) throw badRequest(`unable to parse requirement: found '${term}'`)
	return not === '!' ? (labels) => !has(labels, existing) : (labels) => has(labels, existing)
}

function has(labels: Labels, key: string): boolean {
	return Object.hasOwn(labels, key)
}

/** The selector of an object in the form of `-l`. */
export function formatSelector(selector: unknown): string {
	const equal = Object.entries(textsAt(selector, 'matchLabels')).map(([key, value]) => `${key}=${value}`)
	const expressions = listAt(selector, 'matchExpressions').map((expression) => {
		const key = textAt(expression, 'key') ?? ''
		const values = listAt(expression, 'values').map(String).join(',')
		const operator = textAt(expression, 'operator')
		if (operator === 'Exists') return key
		if (operator === 'DoesNotExist') return `!${key}`
		return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values})`
	})
	return [...equal, ...expressions].join(',')
}

/** Field paths a selector may use beyond `metadata.name` and `metadata.namespace`, by storage key. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
	'/pods': [
		'spec.nodeName',
		'spec.restartPolicy',
		'spec.schedulerName',
		'spec.serviceAccountName',
		'spec.hostNetwork',
		'status.phase',
		'status.podIP',
		'status.nominatedNodeName',
	],
	'/events': [
		'involvedObject.kind',
		'involvedObject.namespace',
		'involvedObject.name',
		'involvedObject.uid',
		'involvedObject.apiVersion',
		'involvedObject.resourceVersion',
		'involvedObject.fieldPath',
		'reason',
		'reportingComponent',
		'source',
		'type',
	],
	'/namespaces': ['status.phase'],
	'/nodes': ['spec.unschedulable'],
	'/secrets': ['type'],
	'/services': ['spec.clusterIP', 'spec.type'],
	'apps/replicasets': ['status.replicas'],
	'/replicationcontrollers': ['status.replicas'],
	'batch/jobs': ['status.successful'],
	'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
}

/**
 * A field selector over stored objects, `metadata.name=x,status.phase!=Running`.
 * @throws StatusError `BadRequest` for a field that the type does not offer
 */
export function parseFieldSelector(text: string, storageKey: string): (stored: KubeObject) => boolean {
	const tests = text
		.split(',')
		.filter((term) => term.trim() !== '')
		.map((term) => parseFieldTerm(term.trim(), storageKey))
	return (stored) => tests.every((test) => test(stored))
}

function parseFieldTerm(term: string, storageKey: string): (stored: KubeObject) => boolean {
	const [, field = '', sign, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
	if (sign === undefined) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
	const offered = ['metadata.name', 'metadata.namespace', ...(SELECTABLE[storageKey] ?? [])]
	if (!offered.includes(field)) throw badRequest(`field label not supported: ${field}`)
	return (stored) => (fieldText(stored, field) === value) === (sign !== '!=')
}

function fieldText(stored: KubeObject, field: string): string {
	if (field === 'source') return textAt(fieldsAt(stored, 'source'), 'component') ?? ''
	const found = at(stored, ...field.split('.'))
	if (found === undefined || found === null) return field === 'spec.hostNetwork' ? 'false' : ''
	return typeof found === 'string' ? found : JSON.stringify(found)
}
