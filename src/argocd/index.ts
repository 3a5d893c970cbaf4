export { buildApplication, refuseApplicationName } from './application.ts'
export type { ApplicationOptions } from './application.ts'
export { certificatesOf, holdsCa, mergeCa, removeCa, tlsCertsKey } from './ca-bundle.ts'
export type { CaOptions, TlsCertsData } from './ca-bundle.ts'
export { checkArtifact, judgeArtifact } from './check-artifact.ts'
export type { ArtifactFacts, CheckOptions, Finding, JudgeOptions, Verdict } from './check-artifact.ts'
export { comparisonErrorOf } from './comparison-error.ts'
export { explain, explainMessage, factsOf, warningsOf } from './explain.ts'
export type { ExplainContext, Explanation } from './explain.ts'
export { explanationRows } from './explanations.ts'
export type { ExplanationRow, Facts } from './explanations.ts'
export { extractTree, resolveInTree } from './extract-tree.ts'
export type { ExtractedFiles, ExtractedNode, Extraction, ExtractionFault } from './extract-tree.ts'
export { generateDirectory } from './generate-directory.ts'
export type { DirectoryOptions, Generated, SkippedFile } from './generate-directory.ts'
export { compileGlob } from './go-glob.ts'
export { judgeFile, withoutObjects } from './judge-file.ts'
export type { Judge, JudgedFile } from './judge-file.ts'
export { ArgocdLimit, defaultAllowedMediaTypes } from './limits.ts'
export type { Breach, ManifestFacts } from './manifest-facts.ts'
export { checkManifest, isChartLayer, isContentLayer } from './manifest-facts.ts'
export type { GenerationError, ManifestDocument, ManifestFile, ParseDocuments } from './manifest-file.ts'
export { ArgocdName } from './names.ts'
export { ownerOf } from './owner.ts'
export type { Owner } from './owner.ts'
export { parseApplication } from './parse-application.ts'
export { formatRepoUrl, normalizeRepoUrl, parseRepoUrl, tlsHostname } from './repo-url.ts'
export type { RepoUrl, RepoUrlResult } from './repo-url.ts'
export {
	buildCredentialTemplate,
	buildRepositorySecret,
	credentialTemplateUrl,
	repositorySecretName,
} from './repository-secret.ts'
export type { CredentialTemplateOptions, RepositorySecretOptions } from './repository-secret.ts'
export { annotationsOf, resourceKey, resourcesOf } from './resource.ts'
export type { DeployedResource, ResourceIdentity } from './resource.ts'
export {
	classifyRevision,
	comparisonError,
	resolutionMessage,
	resolveRange,
	revisionContains,
} from './revision.ts'
export type { RangeResult, ResolutionFault, RevisionKind, RevisionOptions } from './revision.ts'
export { acceptanceRules, argocdMessage, losesObjects } from './rules.ts'
export type { Rule, RuleDetail, RuleMessage, Severity } from './rules.ts'
export { parseConstraint, parseVersion, satisfies } from './semver.ts'
export type { SemanticVersion, VersionConstraint } from './semver.ts'
export { matchesSource, readsRepository, sourcesOf } from './source-match.ts'
export type { PushedArtifact } from './source-match.ts'
export { detectSourceType } from './source-type.ts'
export type { SourceType } from './source-type.ts'
export {
	deployedDigests,
	isAutomated,
	isRetrying,
	isSettled,
	isStale,
	progressOf,
	summarize,
} from './summary.ts'
export type { ApplicationSummary, Progress, ProgressOptions } from './summary.ts'
export type {
	Application,
	ApplicationCondition,
	ApplicationDestination,
	ApplicationSource,
	ApplicationSpec,
	ApplicationStatus,
	HealthStatusCode,
	OperationPhase,
	OperationState,
	ResourceStatus,
	RevisionHistory,
	SyncOperationResource,
	SyncPolicy,
	SyncStatusCode,
} from './types.ts'
export {
	ASSUMED_ARGOCD_VERSION,
	FIRST_OCI_ARGOCD,
	inVersionRanges,
	OLDEST_SUPPORTED_ARGOCD,
	refuseUnknownVersion,
	supportedArgoCd,
} from './version.ts'
export type { ArgocdSupport, VersionRange } from './version.ts'
