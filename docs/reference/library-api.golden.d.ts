interface AccessEntry {
  readonly time: string;
  readonly client: string;
  readonly user?: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly status: number;
  readonly received: number;
  readonly sent: number;
  readonly ms: number;
  readonly aborted?: true | undefined;
  readonly agent?: string | undefined;
}
export { type AccessEntry, type Annotations, type Anonymous, type ApplicationCondition, type ApplicationRef, type ApplicationState, type ApplicationSummary, type ApplicationWish, type ArgocdComponent, type ArtifactDescription, type ArtifactUser, type ArtifactUsers, type CertificatePaths, type CheckOptions, type CheckResult, type ChoiceOptions, type ClusterChoice, type ClusterDownResult, type ClusterStatusResult, type ClusterUpOptions, type CopiedArtifact, type CopyArtifactsResult, type CopyCount, type CopyOptions, type CreateTokenOptions, type CreatedToken, type DamageIn, type DamagedContent, type DeleteOptions, type DeployOptions, type DeployResult, type Deployment, type Descriptor, type DevEvent, type DevOptions, type DiffOptions, type ResourceIdentity as DiffedResource, type Digest, type Disk, type DoctorOptions, type DownOptions, type DownResult, type ErrorCode, type ErrorKind, type ErrorOptions, type EventAction, type EventEndpoint, type Explanation, type FieldChange, type Finding, type FindingStatus, type ForwardOptions, type Forwarding, type HealthStatusCode, type HistoryEntry, type HistoryOptions, type ImageIndex, type ImageManifest, type InitOptions, type InitResult, type InspectOptions, type Inspection, InternalError, type JudgeOptions, type KindWish, type KubeObject, LadingError, type Launcher, type LauncherOptions, type LoadOptions, type LoadResult, type LoadedArtifact, type LogEntry, type LogLine, type LoginArgocd, type LoginOptions, type LoginResult, type LogoutOptions, type LogsOptions, type Manifest, type ManifestObject, type MoveOptions, type Moved, type MovingOptions, type NamedTag, type ObjectMeta, type OpenForwarding, type OperationPhase, type OwnerReference, type ParseReferenceOptions, type PathStep, type PinnedReference, type Progress, type ProjectCluster, type ProjectOptions, type ProjectRegistry, type PruneItem, type PruneReport, type PullOptions, type PullResult, type PushEvent, type PushOptions, type PushRecord, type PushResult, type Reason, type Reference, type ReferenceLike, type RefreshOptions, type Refreshed, type RegistryAccess, type RegistryAuth, type RegistryContent, type RegistryDataOptions, type RegistryDownOptions, type RegistryDownResult, type RegistryPruneOptions, type RegistryStatusResult, type RegistryToken, type RegistryUpOptions, RemoteError, type RemovalPlan, type RemovalResult, type RemoveOptions, type RepositoryPlan, type RepositoryResult, type ResourceDiff, type ResourceIdentity$1 as ResourceIdentity, type ResourceStatus, type ResourceType, type RetentionOptions, type RetentionRule, type RevokeTokensOptions, type Right, type RollbackOptions, type RollbackPlan, type RollbackResult, type Finding$1 as RuleFinding, type RunningRegistryServer, type RunningSandbox, type RunningServer, type SaveOptions, type SaveResult, type SavedArtifact, type ScrubReport, type ServeLimits, type ServeRegistryOptions, type ServeSandboxOptions, type Severity, type SideAccess, type SkippedFile, type SourceType, type StatusOptions, type StatusResult, type Step, type StoredCredential, type SyncFlowResult, type SyncOptions, type SyncResult, type SyncStatusCode, type TagDescription, type TagOptions, type TagResult, type TagsDescription, type TagsOptions, type TreeEntry, type TrustOptions, type TrustPlan, type TrustResult, type UndeployOptions, type UntagOptions, type UpOptions, type UpResult, type Use, UserError, type ValidateOptions, type WireError, type WireTruth, check, clusterDown, clusterStatus, clusterUp, copy, createRegistryToken, deleteArtifact, deploy, deployObjects, dev, diff, doctor, down, errorCodes, formatReference, forward, history, init, inspect, listRegistryTokens, load, login, logout, logs, parseReference, planRollback, pull, push, registryDown, registryPrune, registryScrub, registryStatus, registryUp, revokeRegistryTokens, rollback, save, serveRegistry, serveSandbox, status$1 as status, sync, tag$1 as tag, tags, trust, trustObject, undeploy, untag, up, upObjects };
type Annotations = Readonly<Record<string, string>>;
type Anonymous = "none" | Right;
interface ApplicationCondition {
  readonly type: string;
  readonly message: string;
  readonly lastTransitionTime?: string | undefined;
}
interface ApplicationRef {
  readonly name: string;
  readonly namespace: string;
}
interface ApplicationState extends ApplicationSummary {
  readonly resourceStates: readonly ResourceStatus[];
  readonly explanations: readonly Explanation[];
  readonly stale: boolean;
  readonly tagMoved?: boolean | undefined;
}
interface ApplicationSummary {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly project: string;
  readonly repoURL?: string | undefined;
  readonly targetRevision?: string | undefined;
  readonly sync: SyncStatusCode;
  readonly health: HealthStatusCode;
  readonly revision?: string | undefined;
  readonly operation?: {
    readonly phase: OperationPhase;
    readonly message?: string | undefined;
    readonly revision?: string | undefined;
  } | undefined;
  readonly conditions: readonly ApplicationCondition[];
  readonly resources: number;
  readonly automated: boolean;
  readonly deleting: boolean;
}
interface ApplicationWish {
  readonly clusterRegistry?: string | undefined;
  readonly namespace?: string | undefined;
  readonly path?: string | undefined;
  readonly recurse?: boolean | undefined;
  readonly project?: string | undefined;
  readonly manual?: boolean | undefined;
  readonly prune?: boolean | undefined;
  readonly serverSide?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}
type ArgocdComponent = "repo-server" | "application-controller" | "server" | "applicationset-controller" | "notifications-controller" | "dex-server" | "redis";
interface ArtifactDescription {
  readonly size: number;
  readonly type: string;
  readonly created?: string | undefined;
}
interface ArtifactUser {
  readonly name: string;
  readonly targetRevision: string;
  readonly digest?: string | undefined;
  readonly history: readonly string[];
  follows(tag: string): boolean;
}
type ArtifactUsers = {
  readonly kind: "no-cluster";
} | {
  readonly kind: "unknown";
  readonly cluster: string;
  readonly error: LadingError;
} | {
  readonly kind: "known";
  readonly cluster: string;
  readonly users: readonly ArtifactUser[];
};
interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}
interface CheckOptions extends ProjectOptions, JudgeOptions {
  readonly what: string;
  readonly validate?: ValidateOptions | false | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface CheckResult {
  readonly accepted: boolean;
  readonly argocdVersion: string;
  readonly reference?: PinnedReference | undefined;
  readonly sourceType?: SourceType | undefined;
  readonly findings: readonly Finding$1[];
  readonly resources: readonly ResourceIdentity$1[];
  readonly skipped: readonly SkippedFile[];
}
interface ChoiceOptions {
  readonly allTags?: boolean | undefined;
  readonly range?: string | undefined;
}
interface ClusterChoice {
  readonly cluster?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly argocdCa?: string | undefined;
  readonly argocdNamespace?: string | undefined;
}
interface ClusterDownResult {
  readonly outcome: "removed" | "forgotten" | "absent";
}
interface ClusterStatusResult {
  readonly name: string;
  readonly url: string;
  readonly kubeconfig?: string | undefined;
  readonly version: string;
  readonly applications: number;
}
interface ClusterUpOptions extends ProjectOptions, LauncherOptions, KindWish {
  readonly cluster?: string | undefined;
  readonly port?: number | undefined;
  readonly argocdNamespace?: string | undefined;
  readonly timeoutMs?: number | undefined;
}
interface CopiedArtifact {
  readonly reference: string;
  readonly digest: Digest;
  readonly tag?: string | undefined;
  readonly outcome: "copied" | "unchanged";
}
interface CopyArtifactsResult extends Moved {
  readonly outcome: "copied" | "unchanged";
  readonly artifacts: readonly CopiedArtifact[];
  readonly dryRun: boolean;
}
interface CopyCount {
  readonly count: number;
  readonly bytes: number;
}
interface CopyOptions extends MoveOptions, ChoiceOptions, RefreshOptions {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean | undefined;
  readonly access?: SideAccess | undefined;
}
interface CreateTokenOptions extends RegistryDataOptions {
  readonly name: string;
  readonly right: Right;
  readonly lifetimeMs?: number | undefined;
}
interface CreatedToken {
  readonly secret: string;
  readonly token: RegistryToken;
}
interface DamageIn {
  readonly repository: string;
  readonly tags: readonly string[];
}
interface DamagedContent {
  readonly digest: Digest;
  readonly size: number;
  readonly what: string;
  readonly repositories: readonly DamageIn[];
}
interface DeleteOptions extends RemoveOptions {
  readonly reference: ReferenceLike;
}
interface DeployOptions extends ProjectOptions, ClusterChoice, ApplicationWish {
  readonly name: string;
  readonly reference: ReferenceLike;
  readonly pin?: boolean | undefined;
  readonly wait?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface DeployResult {
  readonly name: string;
  readonly namespace: string;
  readonly repoURL: string;
  readonly targetRevision: string;
  readonly digest: Digest;
  readonly changed: boolean;
  readonly sync?: SyncResult | undefined;
}
interface Deployment extends HistoryEntry {
  readonly tags: readonly string[];
}
interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Annotations | undefined;
  readonly artifactType?: string | undefined;
  readonly data?: string | undefined;
  readonly urls?: readonly string[] | undefined;
  readonly platform?: Readonly<Record<string, string | readonly string[]>> | undefined;
}
type DevEvent = {
  readonly event: "started";
  readonly name: string;
  readonly directory: string;
  readonly reference: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly previousRevision?: string | undefined;
} | {
  readonly event: "saved";
  readonly save: number;
} | {
  readonly event: "unchanged";
  readonly save: number;
  readonly digest: Digest;
} | {
  readonly event: "refused";
  readonly save: number;
  readonly error: LadingError;
} | {
  readonly event: "pushed";
  readonly save: number;
  readonly digest: Digest;
  readonly files: number;
  readonly sentBytes: number;
  readonly ms: number;
} | {
  readonly event: "changes";
  readonly save: number;
  readonly from?: Digest | undefined;
  readonly differences: readonly ResourceDiff[];
} | {
  readonly event: "progress";
  readonly save: number;
  readonly text: string;
} | {
  readonly event: "synced";
  readonly save: number;
  readonly digest: Digest;
  readonly ms: number;
} | {
  readonly event: "unhealthy";
  readonly save: number;
  readonly resources: readonly string[];
} | {
  readonly event: "healthy";
  readonly save: number;
  readonly digest: Digest;
  readonly ms: number;
} | {
  readonly event: "failed";
  readonly save: number;
  readonly error: LadingError;
} | {
  readonly event: "superseded";
  readonly save: number;
} | {
  readonly event: "warning";
  readonly message: string;
  readonly hint?: string | undefined;
};
interface DevOptions extends ProjectOptions, LauncherOptions, KindWish, Omit<UpOptions, "defaultTag" | "git"> {
  readonly tag?: string | undefined;
  readonly force?: boolean | undefined;
  readonly onEvent: (event: DevEvent) => void;
}
interface DiffOptions extends ProjectOptions, ClusterChoice {
  readonly before: string;
  readonly after: string;
  readonly path?: string | undefined;
  readonly recurse?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
type Digest = string & {
  readonly [digestBrand]: true;
};
interface Disk {
  readonly free: number;
  readonly size: number;
}
interface DoctorOptions extends ProjectOptions, ClusterChoice {
  readonly names?: readonly string[] | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface DownOptions extends ProjectOptions {
  readonly keepRegistry?: boolean | undefined;
  readonly force?: boolean | undefined;
}
interface DownResult {
  readonly applications: readonly string[];
  readonly sandbox: boolean;
  readonly kind: "removed" | "forgotten" | "absent";
  readonly registry: "removed" | "kept" | "absent";
  readonly artifacts: number;
}
type ErrorCode = keyof typeof errorCodes;
type ErrorKind = "no" | "usage" | "input" | "denied" | "tls" | "unavailable" | "not-found" | "timeout" | "machine" | "bug" | "interrupted";
interface ErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly details?: readonly string[] | undefined;
}
type EventAction = "push" | "pull" | "delete" | "mount";
interface EventEndpoint {
  readonly name: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly ca?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly actions?: readonly EventAction[] | undefined;
  readonly queue?: number | undefined;
}
interface Explanation {
  readonly cause: string;
  readonly severity: "error" | "warning";
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly message?: string | undefined;
}
type FieldChange = {
  readonly kind: "added";
  readonly path: readonly PathStep[];
  readonly after: unknown;
} | {
  readonly kind: "removed";
  readonly path: readonly PathStep[];
  readonly before: unknown;
} | {
  readonly kind: "changed";
  readonly path: readonly PathStep[];
  readonly before: unknown;
  readonly after: unknown;
} | {
  readonly kind: "reordered";
  readonly path: readonly PathStep[];
};
interface Finding {
  readonly check: string;
  readonly subject?: string | undefined;
  readonly status: FindingStatus;
  readonly seen: string;
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
}
interface Finding$1 {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly argocdMessage?: string | undefined;
  readonly fix: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly field?: string | undefined;
  readonly object?: string | undefined;
}
type FindingStatus = "ok" | "warn" | "fault" | "skipped";
interface ForwardOptions extends ProjectOptions, ClusterChoice {
  readonly name: string;
  readonly ports?: string | undefined;
}
interface Forwarding {
  readonly host: string;
  readonly localPort: number;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}
type HealthStatusCode = "Healthy" | "Progressing" | "Degraded" | "Suspended" | "Missing" | "Unknown";
interface HistoryEntry {
  readonly id: number;
  readonly revision: string;
  readonly targetRevision?: string | undefined;
  readonly deployedAt: string;
  readonly initiator: string;
  readonly current: boolean;
}
interface HistoryOptions extends ProjectOptions, ClusterChoice {
  readonly name: string;
  readonly access?: RegistryAccess | undefined;
}
interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
}
interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
}
interface InitOptions extends ProjectOptions {
  readonly name?: string | undefined;
  readonly force?: boolean | undefined;
}
interface InitResult {
  readonly name: string;
  readonly manifests: string;
  readonly written: readonly string[];
  readonly kept: readonly string[];
}
interface InspectOptions extends ProjectOptions {
  readonly reference: ReferenceLike;
  readonly access?: RegistryAccess | undefined;
}
interface Inspection {
  readonly reference: PinnedReference;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly files?: readonly TreeEntry[] | undefined;
  readonly referrers: readonly Descriptor[];
}
declare class InternalError extends LadingError {
  override readonly name = "InternalError";
  constructor(message: string, options?: ErrorOptions);
}
interface JudgeOptions {
  readonly version?: string | undefined;
  readonly path?: string | undefined;
  readonly recurse?: boolean | undefined;
  readonly serverSide?: boolean | undefined;
  readonly cache?: boolean | undefined;
}
interface KindWish {
  readonly nodeImage?: string | undefined;
  readonly kubernetes?: string | undefined;
  readonly kindConfig?: string | undefined;
  readonly argocdVersion?: string | undefined;
  readonly argocdManifest?: string | undefined;
}
interface KubeObject extends ResourceType {
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}
declare abstract class LadingError extends Error {
  abstract override readonly name: string;
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  get kind(): ErrorKind;
}
interface Launcher {
  readonly command: string;
  readonly args: readonly string[];
}
interface LauncherOptions {
  readonly launcher?: Launcher | undefined;
}
interface LoadOptions extends MoveOptions {
  readonly source: string;
  readonly prefix?: string | undefined;
  readonly map?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface LoadResult extends Moved {
  readonly outcome: "loaded" | "unchanged";
  readonly artifacts: readonly LoadedArtifact[];
  readonly dryRun: boolean;
}
interface LoadedArtifact {
  readonly from?: string | undefined;
  readonly reference: string;
  readonly digest: Digest;
  readonly outcome: "loaded" | "unchanged";
}
interface LogEntry {
  readonly level: "info" | "warning" | "error";
  readonly message: string;
}
interface LogLine {
  readonly pod: string;
  readonly container: string;
  readonly text: string;
}
interface LoginArgocd extends ClusterChoice {
  readonly clusterRegistry?: string | undefined;
}
interface LoginOptions extends ProjectOptions {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
  readonly access?: Omit<RegistryAccess, "credentials"> | undefined;
  readonly argocd?: LoginArgocd | undefined;
}
interface LoginResult {
  readonly registry: string;
  readonly username: string;
  readonly stored: StoredCredential;
  readonly argocd?: (RepositoryResult & {
    readonly url: string;
  }) | undefined;
}
interface LogoutOptions extends ProjectOptions {
  readonly registry: string;
}
interface LogsOptions extends ProjectOptions, ClusterChoice {
  readonly name?: string | undefined;
  readonly component?: ArgocdComponent | undefined;
  readonly follow?: boolean | undefined;
  readonly tail?: number | undefined;
  readonly onLine?: ((line: LogLine) => void) | undefined;
}
type Manifest = {
  readonly kind: "image";
  readonly manifest: ImageManifest;
} | {
  readonly kind: "index";
  readonly manifest: ImageIndex;
} | {
  readonly kind: "other";
  readonly mediaType: string;
  readonly subject?: Descriptor | undefined;
};
interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly generateName?: string | undefined;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly [field: string]: unknown;
}
interface MoveOptions extends ProjectOptions {
  readonly referrers?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly concurrency?: number | undefined;
}
interface Moved {
  readonly copied: CopyCount;
  readonly mounted: CopyCount;
  readonly skipped: CopyCount;
}
interface MovingOptions extends ProjectOptions, ClusterChoice {
  readonly name: string;
  readonly prune?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface NamedTag {
  readonly tag: string;
  readonly digest: Digest;
}
interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly managedFields?: readonly unknown[] | undefined;
}
interface OpenForwarding extends Forwarding {
  readonly ended: Promise<void>;
  close(): Promise<void>;
}
type OperationPhase = "Running" | "Terminating" | "Failed" | "Error" | "Succeeded";
interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}
interface ParseReferenceOptions {
  readonly defaultRegistry?: string | undefined;
}
type PathStep = {
  readonly kind: "field";
  readonly name: string;
} | {
  readonly kind: "index";
  readonly index: number;
} | {
  readonly kind: "item";
  readonly key: string;
  readonly value: string;
  readonly also?: readonly {
    readonly key: string;
    readonly value: string;
  }[];
} | {
  readonly kind: "member";
  readonly value: string;
};
type PinnedReference = Reference & {
  readonly digest: Digest;
};
interface Progress {
  step(title: string): Step;
  note(text: string): void;
  warn(text: string, hint?: string): void;
}
interface ProjectCluster {
  readonly name: string;
  readonly kubeconfig: string;
  readonly pid?: number | undefined;
  readonly argocd?: string | undefined;
  readonly started: boolean;
}
interface ProjectOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}
interface ProjectRegistry {
  readonly kind: "embedded" | "docker";
  readonly url: string;
  readonly push: string;
  readonly cluster: string;
  readonly ca: string;
  readonly pid?: number | undefined;
  readonly container?: string | undefined;
  readonly image?: string | undefined;
  readonly started: boolean;
}
interface PruneItem {
  readonly kind: "tag" | "manifest" | "blob";
  readonly tag?: string | undefined;
  readonly digest: Digest;
  readonly size: number;
  readonly pushedAt?: number | undefined;
  readonly reason: Reason;
}
interface PruneReport {
  readonly dryRun: boolean;
  readonly repositories: readonly RepositoryPlan[];
  readonly freedBytes: number;
}
interface PullOptions extends InspectOptions {
  readonly directory: string;
  readonly force?: boolean | undefined;
}
interface PullResult {
  readonly reference: PinnedReference;
  readonly files: number;
  readonly otherFiles: number;
  readonly layerBytes: number;
}
interface PushEvent {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly user?: string | undefined;
  readonly client: string;
  readonly userAgent?: string | undefined;
  readonly time: number;
}
interface PushOptions extends ProjectOptions, RefreshOptions {
  readonly directory: string;
  readonly reference: ReferenceLike;
  readonly tags?: readonly string[] | undefined;
  readonly access?: RegistryAccess | undefined;
  readonly annotations?: Annotations | undefined;
  readonly git?: boolean | undefined;
  readonly compress?: "none" | "gzip" | undefined;
  readonly force?: boolean | undefined;
  readonly check?: JudgeOptions | false | undefined;
}
interface PushRecord {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest: string;
  readonly size: number;
  readonly user?: string | undefined;
  readonly client?: string | undefined;
  readonly time: string;
}
interface PushResult {
  readonly reference: PinnedReference;
  readonly outcome: "pushed" | "unchanged";
  readonly tags: readonly string[];
  readonly files: number;
  readonly layerBytes: number;
  readonly sentBytes: number;
}
type Reason = {
  readonly code: "in-use";
  readonly by: string;
} | {
  readonly code: "immutable";
} | {
  readonly code: "newest";
  readonly count: number;
} | {
  readonly code: "young";
  readonly olderThan: number;
} | {
  readonly code: "fresh";
} | {
  readonly code: "busy";
} | {
  readonly code: "child" | "referrer" | "subject";
  readonly of: Digest;
} | {
  readonly code: "rule";
} | {
  readonly code: "untagged";
} | {
  readonly code: "last-tag";
  readonly tag: string;
} | {
  readonly code: "parent-gone" | "subject-gone";
  readonly of: Digest;
} | {
  readonly code: "unreferenced";
};
interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}
type ReferenceLike = string | Reference;
interface RefreshOptions extends ClusterChoice {
  readonly refresh?: boolean | "if-known" | undefined;
}
interface Refreshed {
  readonly refreshed: readonly string[];
}
interface RegistryAccess {
  readonly caFile?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly userAgent?: string | undefined;
  readonly credentials?: {
    readonly username: string;
    readonly password: string;
    readonly registry?: string;
  } | undefined;
}
interface RegistryAuth {
  readonly htpasswd?: string | undefined;
  readonly readers?: readonly string[] | undefined;
  readonly anonymous?: Anonymous | undefined;
  readonly failures?: number | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}
interface RegistryContent {
  readonly repositories: number;
  readonly tags: number;
  readonly artifacts: number;
  readonly bytes: number | undefined;
  readonly uploads?: number | undefined;
  readonly disk?: Disk | undefined;
  readonly damage?: string | undefined;
  readonly pushes?: readonly PushRecord[] | undefined;
}
interface RegistryDataOptions extends ProjectOptions {
  readonly dataDirectory?: string | undefined;
}
interface RegistryDownOptions extends ProjectOptions {
  readonly keepData?: boolean | undefined;
}
interface RegistryDownResult {
  readonly stopped: boolean;
  readonly artifacts: number;
}
interface RegistryPruneOptions extends ProjectOptions, ClusterChoice {
  readonly rules?: readonly RetentionRule[] | undefined;
  readonly dataDirectory?: string | undefined;
  readonly graceMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly ignoreCluster?: boolean | undefined;
}
interface RegistryStatusResult extends ProjectRegistry {
  readonly content?: RegistryContent | undefined;
}
interface RegistryToken {
  readonly id: string;
  readonly name: string;
  readonly right: Right;
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
}
interface RegistryUpOptions extends ProjectOptions, LauncherOptions {
  readonly kind?: "embedded" | "docker" | undefined;
  readonly image?: string | undefined;
  readonly port?: number | undefined;
  readonly immutable?: readonly string[] | undefined;
}
declare class RemoteError extends LadingError {
  override readonly name = "RemoteError";
  readonly wire: WireTruth | undefined;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions & {
    readonly wire?: WireTruth | undefined;
  });
}
interface RemovalPlan {
  readonly place: Pick<Reference, "registry" | "repository">;
  readonly access?: RegistryAccess | undefined;
  readonly manifest?: Descriptor | undefined;
  readonly tags: readonly NamedTag[];
  readonly orphans: readonly Digest[];
  readonly tagsKnown: boolean;
  readonly referrers: readonly Descriptor[];
  readonly listed: readonly Descriptor[];
  readonly listing: readonly NamedTag[];
  readonly use: Use;
}
interface RemovalResult {
  readonly removed: boolean;
  readonly plan: RemovalPlan;
}
interface RemoveOptions extends ProjectOptions, ClusterChoice {
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface RepositoryPlan {
  readonly repository: string;
  readonly removed: readonly PruneItem[];
  readonly kept: readonly PruneItem[];
  readonly skipped?: string | undefined;
}
interface RepositoryResult {
  readonly outcome: "applied" | "kept" | "forbidden";
  readonly name: string;
  readonly type?: string | undefined;
}
type ResourceDiff = {
  readonly change: "added" | "removed";
  readonly identity: ResourceIdentity;
  readonly object: ManifestObject;
} | {
  readonly change: "changed";
  readonly identity: ResourceIdentity;
  readonly fields: readonly FieldChange[];
  readonly before: ManifestObject;
  readonly after: ManifestObject;
};
interface ResourceIdentity {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}
interface ResourceIdentity$1 {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}
interface ResourceStatus {
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly status?: SyncStatusCode | undefined;
  readonly health?: {
    readonly status?: HealthStatusCode | undefined;
    readonly message?: string | undefined;
  } | undefined;
  readonly requiresPruning?: boolean | undefined;
}
interface ResourceType {
  readonly apiVersion: string;
  readonly kind: string;
}
interface RetentionOptions {
  readonly rules?: readonly RetentionRule[] | undefined;
  readonly graceMs?: number | undefined;
  readonly intervalMs?: number | undefined;
}
interface RetentionRule {
  readonly repository?: string | undefined;
  readonly tag?: string | undefined;
  readonly keep?: number | undefined;
  readonly olderThanMs?: number | undefined;
  readonly untagged?: boolean | undefined;
  readonly includeImmutable?: boolean | undefined;
}
interface RevokeTokensOptions extends RegistryDataOptions {
  readonly token: string;
}
type Right = "read" | "write";
interface RollbackOptions extends MovingOptions {
  readonly to?: string | undefined;
}
interface RollbackPlan {
  readonly name: string;
  readonly namespace: string;
  readonly from: string;
  readonly targetRevision: string;
  readonly digest: Digest;
  readonly id: number;
  readonly deployedAt: string;
}
interface RollbackResult extends RollbackPlan {
  readonly outcome: "moved" | "unchanged";
  readonly sync?: SyncResult | undefined;
}
interface RunningRegistryServer extends RunningServer {
  readonly ca?: string | undefined;
  readonly metricsUrl?: string | undefined;
}
interface RunningSandbox extends RunningServer {
  readonly kubeconfig: string;
}
interface RunningServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}
interface SaveOptions extends MoveOptions, ChoiceOptions {
  readonly references: readonly string[];
  readonly target: string;
  readonly access?: RegistryAccess | undefined;
}
interface SaveResult extends Moved {
  readonly target: string;
  readonly kind: "tar" | "directory";
  readonly artifacts: readonly SavedArtifact[];
}
interface SavedArtifact {
  readonly reference: string;
  readonly digest: Digest;
  readonly name?: string | undefined;
}
interface ScrubReport {
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedContent[];
  readonly healed: readonly Digest[];
}
interface ServeLimits {
  readonly blobBytes?: number | undefined;
  readonly manifestBytes?: number | undefined;
  readonly headerBytes?: number | undefined;
  readonly uploads?: number | undefined;
  readonly connections?: number | undefined;
  readonly headersMs?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly stallMs?: number | undefined;
  readonly shutdownMs?: number | undefined;
  readonly freeBytes?: number | undefined;
  readonly journalBytes?: number | undefined;
}
interface ServeRegistryOptions extends ProjectOptions, ClusterChoice {
  readonly dataDirectory?: string | undefined;
  readonly port: number;
  readonly host?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly tls?: CertificatePaths | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly auth?: RegistryAuth | undefined;
  readonly limits?: ServeLimits | undefined;
  readonly events?: readonly EventEndpoint[] | undefined;
  readonly metrics?: {
    readonly host: string;
    readonly port: number;
  } | undefined;
  readonly immutable?: readonly string[] | undefined;
  readonly retention?: RetentionOptions | undefined;
  readonly scrubIntervalMs?: number | undefined;
  readonly onPush?: ((event: PushEvent) => void) | undefined;
  readonly onAccess?: ((entry: AccessEntry) => void) | undefined;
  readonly log?: ((entry: LogEntry) => void) | undefined;
}
interface ServeSandboxOptions extends ProjectOptions {
  readonly dataDirectory?: string | undefined;
  readonly port?: number | undefined;
  readonly kubeconfig?: string | undefined;
  readonly log?: ((line: string) => void) | undefined;
}
type Severity = "refuse" | "warn" | "note";
interface SideAccess {
  readonly from?: RegistryAccess | undefined;
  readonly to?: RegistryAccess | undefined;
}
interface SkippedFile {
  readonly path: string;
  readonly reason: "extension" | "subdirectory" | "excluded" | "not-included" | "skip-marker" | "not-a-manifest" | "empty" | "jsonnet" | "dangling-symlink" | "not-a-file" | "dropped" | "unread";
  readonly detail: string;
}
type SourceType = "Directory" | "Kustomize" | "Helm";
interface StatusOptions extends ProjectOptions, ClusterChoice {
  readonly names?: readonly string[] | undefined;
}
interface StatusResult {
  readonly cluster: string;
  readonly applications: readonly ApplicationState[];
}
interface Step {
  update(detail: string): void;
  done(detail?: string): void;
  unchanged(detail?: string): void;
  fail(detail?: string): void;
}
interface StoredCredential {
  readonly kind: "helper" | "file";
  readonly place: string;
}
interface SyncFlowResult {
  readonly name: string;
  readonly from: string;
  readonly targetRevision: string;
  readonly sync: SyncResult;
}
interface SyncOptions extends MovingOptions {
  readonly revision?: string | undefined;
}
interface SyncResult extends ApplicationRef {
  readonly sync: "Synced";
  readonly health: string;
  readonly revision?: string | undefined;
  readonly resources: readonly ResourceStatus[];
  readonly explanations: readonly Explanation[];
  readonly durations: {
    readonly synced: number;
    readonly healthy?: number | undefined;
  };
}
type SyncStatusCode = "Synced" | "OutOfSync" | "Unknown";
interface TagDescription extends Partial<ArtifactDescription> {
  readonly tag: string;
  readonly digest?: Digest | undefined;
  readonly applications: readonly string[];
}
interface TagOptions extends ProjectOptions, RefreshOptions {
  readonly reference: ReferenceLike;
  readonly tags: readonly string[];
  readonly force?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface TagResult {
  readonly reference: PinnedReference;
  readonly tags: readonly string[];
  readonly tagged: readonly string[];
  readonly outcome: "tagged" | "unchanged";
}
interface TagsDescription {
  readonly tags: readonly string[];
  readonly described: readonly TagDescription[];
  readonly users: ArtifactUsers;
}
interface TagsOptions extends ProjectOptions, ClusterChoice {
  readonly repository: ReferenceLike;
  readonly range?: string | undefined;
  readonly filter?: string | undefined;
  readonly limit?: number | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface TreeEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "other";
  readonly size: number;
  readonly linkTarget?: string | undefined;
}
interface TrustOptions extends ProjectOptions, ClusterChoice {
  readonly host: string;
  readonly access?: RegistryAccess | undefined;
}
interface TrustPlan {
  readonly registry: string;
  readonly hosts: readonly string[];
  readonly pem: string;
}
interface TrustResult extends TrustPlan {
  readonly outcome: "changed" | "unchanged";
}
interface UndeployOptions extends ProjectOptions, ClusterChoice {
  readonly name: string;
  readonly keepResources?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}
interface UntagOptions extends RemoveOptions {
  readonly references: readonly ReferenceLike[];
}
interface UpOptions extends ProjectOptions, LauncherOptions, ClusterChoice, ApplicationWish, KindWish {
  readonly directory: string;
  readonly name?: string | undefined;
  readonly repository?: string | undefined;
  readonly registry?: string | undefined;
  readonly tag?: string | undefined;
  readonly defaultTag?: string | undefined;
  readonly port?: number | undefined;
  readonly image?: string | undefined;
  readonly annotations?: Annotations | undefined;
  readonly immutable?: readonly string[] | undefined;
  readonly git?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly access?: RegistryAccess | undefined;
}
interface UpResult {
  readonly name: string;
  readonly push: PushResult;
  readonly targetRevision: string;
  readonly revision: string;
  readonly repoURL: string;
  readonly cluster: string;
  readonly kubeconfig?: string | undefined;
  readonly namespace: string;
  readonly changed: boolean;
  readonly keptRevision?: string | undefined;
  readonly sync?: SyncResult | undefined;
}
interface Use {
  readonly running: readonly string[];
  readonly following: readonly string[];
  readonly history: readonly string[];
  readonly users: ArtifactUsers;
}
declare class UserError extends LadingError {
  override readonly name = "UserError";
}
interface ValidateOptions extends ClusterChoice {
  readonly kubernetesVersion?: string | undefined;
  readonly schemas?: string | undefined;
  readonly server?: boolean | undefined;
  readonly namespace?: string | undefined;
}
interface WireError {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}
interface WireTruth {
  readonly method: string;
  readonly url: string;
  readonly status?: number | undefined;
  readonly errors?: readonly WireError[] | undefined;
  readonly body?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly retryAfter?: number | undefined;
}
declare function check(options: CheckOptions): Promise<CheckResult>;
declare function clusterDown(options?: ProjectOptions): Promise<ClusterDownResult>;
declare function clusterStatus(options?: ProjectOptions): Promise<ClusterStatusResult>;
declare function clusterUp(options?: ClusterUpOptions): Promise<ProjectCluster>;
declare function copy(options: CopyOptions): Promise<CopyArtifactsResult & Refreshed>;
declare function createRegistryToken(options: CreateTokenOptions): Promise<CreatedToken>;
declare function deleteArtifact(options: DeleteOptions): Promise<RemovalResult>;
declare function deploy(options: DeployOptions): Promise<DeployResult>;
declare function deployObjects(options: DeployOptions): Promise<readonly KubeObject[]>;
declare function dev(options: DevOptions): Promise<never>;
declare function diff(options: DiffOptions): Promise<readonly ResourceDiff[]>;
declare const digestBrand: unique symbol;
declare function doctor(options?: DoctorOptions): Promise<readonly Finding[]>;
declare function down(options?: DownOptions): Promise<DownResult>;
declare const errorCodes: {
  readonly ARTIFACT_REFUSED: "no";
  readonly TAG_EXISTS: "no";
  readonly APPLICATION_OWNED: "no";
  readonly SYNC_FAILED: "no";
  readonly APPLICATION_DEGRADED: "no";
  readonly ARGOCD_UNSUPPORTED: "no";
  readonly REVISION_KEPT: "no";
  readonly IN_USE: "no";
  readonly DELETE_UNSUPPORTED: "no";
  readonly JOURNAL_DAMAGED: "no";
  readonly USAGE: "usage";
  readonly REGISTRY_UNKNOWN: "usage";
  readonly REFERENCE_INVALID: "input";
  readonly DIGEST_INVALID: "input";
  readonly DIRECTORY_INVALID: "input";
  readonly DIRECTORY_EMPTY: "input";
  readonly FILE_UNREADABLE: "input";
  readonly FILE_UNSUPPORTED: "input";
  readonly FILE_CHANGED: "input";
  readonly MANIFEST_UNPARSABLE: "input";
  readonly ARTIFACT_INVALID: "input";
  readonly CONFIG_INVALID: "input";
  readonly KUBECONFIG_INVALID: "input";
  readonly STATE_INVALID: "input";
  readonly JOURNAL_MISSING: "input";
  readonly OBJECT_INVALID: "input";
  readonly NAME_TAKEN: "input";
  readonly UNAUTHENTICATED: "denied";
  readonly FORBIDDEN: "denied";
  readonly CREDENTIALS_UNREADABLE: "denied";
  readonly TLS_UNKNOWN_CA: "tls";
  readonly TLS_NAME_MISMATCH: "tls";
  readonly TLS_EXPIRED: "tls";
  readonly TLS_PROTOCOL: "tls";
  readonly CA_UNREADABLE: "tls";
  readonly CERTIFICATE_UNREADABLE: "tls";
  readonly CONNECTION_FAILED: "unavailable";
  readonly REGISTRY_FAILED: "unavailable";
  readonly REGISTRY_PROTOCOL: "unavailable";
  readonly CONTENT_CORRUPT: "unavailable";
  readonly CLUSTER_UNREACHABLE: "unavailable";
  readonly CLUSTER_FAILED: "unavailable";
  readonly ARGOCD_FAILED: "unavailable";
  readonly ARGOCD_NOT_READY: "unavailable";
  readonly NOT_RUNNING: "unavailable";
  readonly NOT_FOUND: "not-found";
  readonly TIMED_OUT: "timeout";
  readonly PORT_TAKEN: "machine";
  readonly DISK_FULL: "machine";
  readonly FILE_UNWRITABLE: "machine";
  readonly TOOL_MISSING: "machine";
  readonly TOOL_FAILED: "machine";
  readonly DOCKER_NOT_RUNNING: "machine";
  readonly SERVER_NOT_STARTED: "machine";
  readonly ALREADY_RUNNING: "machine";
  readonly INTERNAL: "bug";
  readonly INTERRUPTED: "interrupted";
};
declare function formatReference(reference: Reference): string;
declare function forward(options: ForwardOptions): Promise<OpenForwarding>;
declare function history(options: HistoryOptions): Promise<readonly Deployment[]>;
declare function init(options?: InitOptions): Promise<InitResult>;
declare function inspect(options: InspectOptions): Promise<Inspection>;
declare function listRegistryTokens(options?: RegistryDataOptions): Promise<readonly RegistryToken[]>;
declare function load(options: LoadOptions): Promise<LoadResult>;
declare function login(options: LoginOptions): Promise<LoginResult>;
declare function logout(options: LogoutOptions): Promise<readonly StoredCredential[]>;
declare function logs(options?: LogsOptions): Promise<readonly LogLine[]>;
declare function parseReference(text: string, options?: ParseReferenceOptions): Reference;
declare function planRollback(options: RollbackOptions): Promise<RollbackPlan>;
declare function pull(options: PullOptions): Promise<PullResult>;
declare function push(options: PushOptions): Promise<PushResult & Refreshed>;
declare function registryDown(options?: RegistryDownOptions): Promise<RegistryDownResult>;
declare function registryPrune(options?: RegistryPruneOptions): Promise<PruneReport>;
declare function registryScrub(options?: RegistryDataOptions): Promise<ScrubReport>;
declare function registryStatus(options?: ProjectOptions): Promise<RegistryStatusResult>;
declare function registryUp(options?: RegistryUpOptions): Promise<ProjectRegistry>;
declare function revokeRegistryTokens(options: RevokeTokensOptions): Promise<readonly RegistryToken[]>;
declare function rollback(options: RollbackOptions): Promise<RollbackResult>;
declare function save(options: SaveOptions): Promise<SaveResult>;
declare function serveRegistry(options: ServeRegistryOptions): Promise<RunningRegistryServer>;
declare function serveSandbox(options?: ServeSandboxOptions): Promise<RunningSandbox>;
declare function status$1(options?: StatusOptions): Promise<StatusResult>;
declare function sync(options: SyncOptions): Promise<SyncFlowResult>;
declare function tag$1(options: TagOptions): Promise<TagResult & Refreshed>;
declare function tags(options: TagsOptions): Promise<TagsDescription>;
declare function trust(options: TrustOptions): Promise<TrustResult>;
declare function trustObject(options: TrustOptions): Promise<KubeObject>;
declare function undeploy(options: UndeployOptions): Promise<void>;
declare function untag(options: UntagOptions): Promise<RemovalResult>;
declare function up(options: UpOptions): Promise<UpResult>;
declare function upObjects(options: UpOptions): Promise<readonly KubeObject[]>;
