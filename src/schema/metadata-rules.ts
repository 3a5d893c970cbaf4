import { at, type Fields, fieldsAt, textAt } from './fields.ts'
import { bad, missing, type StatusCause } from './status-cause.ts'

/** A lowercase RFC 1123 label. */
export const LABEL: RegExp = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const MAX_LABEL = 63
const MAX_SUBDOMAIN = 253
const MAX_CRON_JOB = 52
/** Bytes of all annotations of an object together. */
const MAX_ANNOTATIONS = 262_144

const SUBDOMAIN_RULE =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
export const LABEL_RULE: string =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const QUALIFIED_RULE = 'name part must consist of alphanumeric characters'
const LABEL_VALUE_RULE = 'a valid label must be an empty string or consist of alphanumeric characters'

/** Kinds whose names have rules of their own that are not known here. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
	'/Event',
	'events.k8s.io/Event',
	'networking.k8s.io/IPAddress',
	'certificates.k8s.io/CertificateSigningRequest',
	'certificates.k8s.io/ClusterTrustBundle',
	'apiregistration.k8s.io/APIService',
])

export interface KindName {
	/** Empty for the core group. */
	readonly group: string
	readonly kind: string
}

export const isLabel = (text: string): boolean => LABEL.test(text) && text.length <= MAX_LABEL

/** Names of RBAC and of budgets are path segments; services and namespaces are labels; the rest subdomains. */
export function checkName({ group, kind }: KindName, object: Fields): readonly StatusCause[] {
	const name = textAt(object, 'metadata', 'name') ?? ''
	const generated = textAt(object, 'metadata', 'generateName') ?? ''
	const wrong = (why: string): readonly StatusCause[] => [bad('metadata.name', name, why)]
	if (name === '')
		return generated === '' ? [missing('metadata.name', 'name or generateName is required')] : []
	if (group === 'rbac.authorization.k8s.io' || (group === 'policy' && kind === 'PodDisruptionBudget')) {
		return name !== '.' && name !== '..' && !/[/%]/.test(name) ? [] : wrong("may not contain '/' or '%'")
	}
	if (OTHER_NAMES.has(`${group}/${kind}`)) return []
	if (group === '' && (kind === 'Namespace' || kind === 'Service'))
		return isLabel(name) ? [] : wrong(LABEL_RULE)
	if (!SUBDOMAIN.test(name) || name.length > MAX_SUBDOMAIN) return wrong(SUBDOMAIN_RULE)
	if (group === 'batch' && kind === 'CronJob' && name.length > MAX_CRON_JOB)
		return wrong(`must be no more than ${MAX_CRON_JOB} characters`)
	return []
}

/** Labels and annotations of the metadata that stands at a path. */
export function checkMetadata(metadata: unknown, path = 'metadata'): readonly StatusCause[] {
	const causes: StatusCause[] = []
	for (const [key, value] of Object.entries(fieldsAt(metadata, 'labels'))) {
		const field = `${path}.labels`
		if (!QUALIFIED.test(key)) causes.push(bad(field, key, QUALIFIED_RULE))
		if (value === null) continue
		if (typeof value !== 'string' || !LABEL_VALUE.test(value))
			causes.push(bad(field, value, LABEL_VALUE_RULE))
	}
	let size = 0
	for (const [key, value] of Object.entries(fieldsAt(metadata, 'annotations'))) {
		const field = `${path}.annotations`
		if (!QUALIFIED.test(key.toLowerCase())) causes.push(bad(field, key, QUALIFIED_RULE))
		size += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0)
	}
	if (size > MAX_ANNOTATIONS) {
		const message = `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`
		causes.push({ reason: 'FieldValueTooLong', message, field: `${path}.annotations` })
	}
	return causes
}

/** Labels and annotations of a template, such as that of a Deployment. */
export function checkTemplateMetadata(object: Fields, path: string): readonly StatusCause[] {
	return checkMetadata(at(object, ...path.split('.')), path)
}
