/**
 * lading as a library. Every function does what the command of its name does; a
 * `Session` says where it works and how it talks. Nothing here reads the environment,
 * the working directory or the arguments of the process by itself.
 *
 * @example
 * ```ts
 * import { openWorkspace, push, readReference, silentProgress } from 'lading'
 *
 * const session = { workspace: openWorkspace('.'), env: process.env, progress: silentProgress }
 * const reference = readReference(session, 'registry.example.com/team/app:v1.0.0')
 * const { reference: pinned } = await push(session, { directory: 'manifests', reference })
 * ```
 * @packageDocumentation
 */
export { errorCodes, InternalError, LadingError, RemoteError, UserError } from './errors/index.ts'
export type { ErrorCode, ErrorKind, WireError, WireTruth } from './errors/index.ts'
export { formatReference, parseReference } from './oci/index.ts'
export type { Annotations, Descriptor, Digest, PinnedReference, Reference } from './oci/index.ts'
export { copy, createLayoutStore, createMemoryStore } from './content/index.ts'
export type { ContentSource, ContentStore, CopyOptions, CopyResult, ReadableStore } from './content/index.ts'
export { acceptanceRules, checkArtifact } from './argocd/index.ts'
export type { ArtifactFacts, Finding as RuleFinding, Rule, Verdict } from './argocd/index.ts'
export {
	check,
	deploy,
	diff,
	doctor,
	down,
	inspect,
	listTags,
	openCluster,
	openWorkspace,
	planTrust,
	applyTrust,
	pull,
	push,
	readApplications,
	readDeployments,
	readReference,
	rollbackApplication,
	silentProgress,
	syncApplication,
	undeploy,
	up,
} from './flows/index.ts'
export type {
	ApplicationState,
	CheckOptions,
	CheckResult,
	ClusterChoice,
	DeployOptions,
	DeployResult,
	Deployment,
	DiffOptions,
	DoctorOptions,
	DownOptions,
	DownResult,
	Finding,
	Inspection,
	Launcher,
	Progress,
	PullOptions,
	PullResult,
	PushOptions,
	PushResult,
	RegistryAccess,
	RollbackOptions,
	RollbackPlan,
	RollbackResult,
	Session,
	Step,
	SyncFlowResult,
	SyncOptions,
	TrustPlan,
	UpOptions,
	UpResult,
	Workspace,
} from './flows/index.ts'
