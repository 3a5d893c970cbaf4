export {
	deploy,
	deployObjects,
	doctor,
	forward,
	history,
	logs,
	planRollback,
	rollback,
	status,
	sync,
	trust,
	trustObject,
	undeploy,
} from './applications.ts'
export { check, diff, inspect, pull, push, tag } from './artifacts.ts'
export { clusterDown, clusterStatus, clusterUp, registryDown, registryStatus, registryUp } from './local.ts'
export { login, logout } from './login.ts'
export { copy, load, save } from './moving.ts'
export { deleteArtifact, tags, untag } from './removal.ts'
export { dev, down, init, up, upObjects } from './road.ts'
export {
	createRegistryToken,
	listRegistryTokens,
	registryPrune,
	registryScrub,
	revokeRegistryTokens,
	serveRegistry,
	serveSandbox,
} from './servers.ts'
export type {
	LauncherOptions,
	ProjectOptions,
	ReferenceLike,
	RefreshOptions,
	RunningServer,
} from './project.ts'
export type {
	DeployOptions,
	HistoryOptions,
	MovingOptions,
	RollbackOptions,
	StatusOptions,
	StatusResult,
	SyncOptions,
	UndeployOptions,
} from './run/applications.ts'
export type {
	CheckOptions,
	CheckResult,
	DiffOptions,
	InspectOptions,
	JudgeOptions,
	PullOptions,
	PushOptions,
	Refreshed,
	TagOptions,
	ValidateOptions,
} from './run/artifacts.ts'
export type { DoctorOptions, TrustOptions, TrustResult } from './run/health.ts'
export type {
	ClusterDownResult,
	ClusterStatusResult,
	ClusterUpOptions,
	ProjectCluster,
	ProjectRegistry,
	RegistryDownOptions,
	RegistryDownResult,
	RegistryStatusResult,
	RegistryUpOptions,
} from './run/local.ts'
export type { LoginArgocd, LoginOptions, LogoutOptions } from './run/login.ts'
export type { ChoiceOptions, CopyOptions, LoadOptions, MoveOptions, SaveOptions } from './run/moving.ts'
export type { ForwardOptions, LogsOptions, OpenForwarding } from './run/pods.ts'
export type { DeleteOptions, RemovalResult, RemoveOptions, TagsOptions, UntagOptions } from './run/removal.ts'
export type { DevOptions, DownOptions, InitOptions, KindWish, UpOptions } from './run/road.ts'
export type {
	CreatedToken,
	CreateTokenOptions,
	RegistryAuth,
	RegistryDataOptions,
	RegistryToken,
	RevokeTokensOptions,
	RunningRegistryServer,
	ServeRegistryOptions,
} from './run/registry-server.ts'
export type { RunningSandbox, ServeSandboxOptions } from './run/sandbox-server.ts'
export type { RegistryPruneOptions } from './run/upkeep.ts'
