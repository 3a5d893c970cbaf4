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
export { copy, copyAll, createLayoutStore, createMemoryStore } from './content/index.ts'
export type {
	ContentSource,
	ContentStore,
	CopyAllOptions,
	CopyAllResult,
	CopyOptions,
	CopyResult,
	LayoutStore,
	ReadableStore,
} from './content/index.ts'
export { openLayoutArchive } from './artifact/index.ts'
export { acceptanceRules, checkArtifact } from './argocd/index.ts'
export type { ArtifactFacts, Finding as RuleFinding, Rule, Verdict } from './argocd/index.ts'
export {
	check,
	copyArtifacts,
	deploy,
	describeTags,
	dev,
	diff,
	doctor,
	down,
	inspect,
	listTags,
	load,
	openCluster,
	openWorkspace,
	planDelete,
	planTrust,
	planUntag,
	applyTrust,
	pull,
	push,
	readApplications,
	readDeployments,
	readReference,
	refuseInUse,
	removeArtifacts,
	rollbackApplication,
	save,
	silentProgress,
	syncApplication,
	tagArtifact,
	undeploy,
	up,
} from './flows/index.ts'
export type {
	ApplicationState,
	CheckOptions,
	CheckResult,
	ClusterChoice,
	CopiedArtifact,
	CopyArtifactsOptions,
	CopyArtifactsResult,
	DeployOptions,
	DeployResult,
	DescribeTagsOptions,
	Deployment,
	DevEvent,
	DevOptions,
	DiffOptions,
	DoctorOptions,
	DownOptions,
	DownResult,
	Finding,
	FullCheckOptions,
	Inspection,
	Launcher,
	LoadedArtifact,
	LoadOptions,
	LoadResult,
	Moved,
	Progress,
	PullOptions,
	PullResult,
	PushOptions,
	PushResult,
	RegistryAccess,
	RemovalOptions,
	RemovalPlan,
	RollbackOptions,
	RollbackPlan,
	RollbackResult,
	SavedArtifact,
	SaveOptions,
	SaveResult,
	Session,
	SideAccess,
	Step,
	SyncFlowResult,
	SyncOptions,
	TagDescription,
	TagOptions,
	TagResult,
	TagsDescription,
	TagsFilter,
	TransferOptions,
	TrustPlan,
	UpOptions,
	UpResult,
	ValidateOptions,
	Workspace,
} from './flows/index.ts'
