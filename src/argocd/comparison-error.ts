import type { Verdict } from './check-artifact.ts'
import type { ResourceIdentity } from './resource.ts'
import { comparisonError } from './revision.ts'

/** Faults of single files: the repo-server calls them a precondition that failed. */
const PRECONDITIONS: ReadonlySet<string> = new Set([
	'yaml-unparsable',
	'kind-missing',
	'json-unparsable',
	'json-several',
	'json-not-kubernetes',
])

/** Found by the API server on applying, not by the comparison. */
const ON_SYNC: ReadonlySet<string> = new Set(['last-applied-size'])

/** What the controller finds wrong with what the repo-server gave it. */
const CONTROLLER = 'failed to unmarshal manifests for source '

/**
 * The message of the ComparisonError that Argo CD would set for an artifact;
 * `undefined` where it takes it, were it only without a word.
 */
export function comparisonErrorOf(verdict: Verdict<ResourceIdentity>): string | undefined {
	const finding = verdict.findings.find(
		({ rule, severity, argocdMessage }) =>
			severity === 'refuse' && argocdMessage !== undefined && !ON_SYNC.has(rule),
	)
	const words = finding?.argocdMessage
	if (finding === undefined || words === undefined) return undefined
	if (words.startsWith(CONTROLLER)) return `Failed to load target state: ${words}`
	return comparisonError(words, PRECONDITIONS.has(finding.rule) ? 'FailedPrecondition' : 'Unknown')
}
