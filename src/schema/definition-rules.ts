import { at, type Fields, isFields, listAt, textAt } from './fields.ts'
import type { StatusCause } from './status-cause.ts'

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** What is wrong with a CustomResourceDefinition. */
export function checkDefinition(definition: Fields): readonly StatusCause[] {
	const causes: StatusCause[] = []
	const required = (field: string): void => {
		causes.push({ reason: 'FieldValueRequired', message: 'Required value', field })
	}
	const group = textAt(definition, 'spec', 'group')
	const plural = textAt(definition, 'spec', 'names', 'plural')
	const name = textAt(definition, 'metadata', 'name') ?? ''
	if (!group) required('spec.group')
	if (!plural) required('spec.names.plural')
	else if (!NAME.test(plural)) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: `Invalid value: "${plural}"`,
			field: 'spec.names.plural',
		})
	}
	if (!textAt(definition, 'spec', 'names', 'kind')) required('spec.names.kind')
	const scope = textAt(definition, 'spec', 'scope')
	if (!scope) required('spec.scope')
	else if (scope !== 'Namespaced' && scope !== 'Cluster') {
		causes.push({
			reason: 'FieldValueNotSupported',
			message: `Unsupported value: "${scope}": supported values: "Cluster", "Namespaced"`,
			field: 'spec.scope',
		})
	}
	if (group && plural && name !== `${plural}.${group}`) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: `Invalid value: "${name}": must be spec.names.plural+"."+spec.group`,
			field: 'metadata.name',
		})
	}
	const versions = listAt(definition, 'spec', 'versions')
	if (versions.length === 0) required('spec.versions')
	if (versions.filter((version) => at(version, 'storage') === true).length !== 1) {
		causes.push({
			reason: 'FieldValueInvalid',
			message: 'Invalid value: must have exactly one version marked as storage version',
			field: 'spec.versions',
		})
	}
	versions.forEach((version, index) => {
		if (!isFields(at(version, 'schema', 'openAPIV3Schema')))
			required(`spec.versions[${index}].schema.openAPIV3Schema`)
	})
	return causes
}
