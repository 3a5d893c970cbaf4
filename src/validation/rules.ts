import type { Severity } from '../argocd/index.ts'

/** What `check` says of an object by itself, beside what Argo CD demands of the artifact. */
export interface ValidationRule {
	/** Stable: scripts and configuration name it. */
	readonly code: string
	/** What holds when the rule is kept. */
	readonly summary: string
	/** `refuse`: the API server says no; `warn`: it takes the object, but not as it is meant. */
	readonly severity: Severity
	/** What to do. */
	readonly fix: string
}

const rule = (
	code: string,
	severity: Severity,
	[summary, fix]: readonly [string, string],
): ValidationRule => ({
	code,
	severity,
	summary,
	fix,
})

type RuleName =
	| 'unknownField'
	| 'unknownFieldYet'
	| 'repeatedKey'
	| 'wrongType'
	| 'wrongValue'
	| 'missingField'
	| 'invalid'
	| 'unknownKind'
	| 'removedApi'
	| 'removedLaterApi'
	| 'newApi'
	| 'deprecatedApi'
	| 'noSchema'
	| 'notEvaluated'
	| 'missingReference'
	| 'serverRefused'
	| 'serverUnknownField'
	| 'serverNotAsked'

export const ValidationRules: Readonly<Record<RuleName, ValidationRule>> = {
	unknownField: rule('field-unknown', 'warn', [
		'Every field is one of its kind',
		'Correct the name, or remove it: Kubernetes leaves it out without a word.',
	]),
	unknownFieldYet: rule('field-unknown', 'note', [
		'Every field is one of its kind',
		'Ask the cluster, which is newer than what is known here: --server.',
	]),
	repeatedKey: rule('key-repeated', 'warn', [
		'Every key stands in a map once',
		'Remove all but one: Kubernetes takes the last.',
	]),
	wrongType: rule('field-type', 'refuse', [
		'Every field has a value of its type',
		'Write it as that type: text in quotes, numbers and true or false without.',
	]),
	wrongValue: rule('field-value', 'refuse', [
		'Every value is one that its field takes',
		'Give it a value that the field takes; kubectl explain tells which.',
	]),
	missingField: rule('field-missing', 'refuse', ['Every required field is there', 'Add it.']),
	invalid: rule('object-invalid', 'refuse', [
		'Every object is one that the API server takes',
		'Mend it: these are the API server’s own words.',
	]),
	unknownKind: rule('kind-unknown', 'refuse', [
		'Every kind of a group of Kubernetes is one that it has',
		'Correct apiVersion or kind; kubectl api-resources lists them.',
	]),
	removedApi: rule('api-removed', 'refuse', [
		'Every apiVersion is one that the cluster serves',
		'Move it to the apiVersion that is served, or name your cluster’s version with --kubernetes-version.',
	]),
	removedLaterApi: rule('api-removed', 'warn', [
		'Every apiVersion is one that the cluster serves',
		'Move it to the apiVersion that stays, or name your cluster’s version with --kubernetes-version.',
	]),
	newApi: rule('api-too-new', 'refuse', [
		'Every apiVersion is one that the cluster serves already',
		'Update the cluster, or use what it serves (kubectl api-resources).',
	]),
	deprecatedApi: rule('api-deprecated', 'note', [
		'No apiVersion is about to go',
		'Move it before you update the cluster.',
	]),
	noSchema: rule('schema-unknown', 'note', [
		'The schema of every custom resource is known',
		'Give the directory of its CustomResourceDefinition with --schemas DIR, or a cluster that has it with --cluster.',
	]),
	notEvaluated: rule('cel-not-evaluated', 'note', [
		'No schema has rules in CEL',
		'Ask an API server that knows the schema: --server.',
	]),
	missingReference: rule('reference-missing', 'note', [
		'What an object refers to is in the artifact',
		'Nothing, if the cluster has it from elsewhere.',
	]),
	serverRefused: rule('server-refused', 'refuse', [
		'The API server would take every object',
		'Mend it: these are the API server’s own words.',
	]),
	serverUnknownField: rule('server-field-unknown', 'warn', [
		'The API server knows every field',
		'Correct the name, or remove it: Kubernetes leaves it out without a word.',
	]),
	serverNotAsked: rule('server-not-asked', 'note', [
		'The API server can judge every object',
		'Check again once it is deployed.',
	]),
}
