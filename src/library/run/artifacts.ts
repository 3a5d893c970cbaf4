import {
	ASSUMED_ARGOCD_VERSION,
	type Finding,
	type ResourceIdentity,
	type SkippedFile,
	type SourceType,
} from '../../argocd/index.ts'
import {
	check as checkFlow,
	type ClusterChoice,
	diff as diffFlow,
	type Inspection,
	inspect as inspectFlow,
	pull as pullFlow,
	type PullResult,
	push as pushFlow,
	type PushResult,
	refreshFollowers,
	type RegistryAccess,
	tagArtifact,
	type TagResult,
	UNTOLD_AGENT,
	type ValidateOptions as FlowValidateOptions,
} from '../../flows/index.ts'
import type { ResourceDiff } from '../../manifests/index.ts'
import type { Annotations, PinnedReference } from '../../oci/index.ts'
import {
	inProject,
	type Project,
	type ProjectOptions,
	type ReferenceLike,
	type RefreshOptions,
} from '../project.ts'

/** As which Application an artifact is judged. */
export interface JudgeOptions {
	/** Version of Argo CD. Default: the newest one that the rules were seen on. */
	readonly version?: string | undefined
	/** Path inside the artifact. Default `.`. */
	readonly path?: string | undefined
	/** Whether subdirectories are deployed, too. Default false. */
	readonly recurse?: boolean | undefined
	/** Whether the Application applies server-side. Default: it is not known. */
	readonly serverSide?: boolean | undefined
	/** Use and keep verdicts on files that were checked before. Default true. */
	readonly cache?: boolean | undefined
}

export interface PushOptions extends ProjectOptions, RefreshOptions {
	/** Path of the manifests. */
	readonly directory: string
	/** Where to: with a tag, without a digest. */
	readonly reference: ReferenceLike
	/** Further tags. */
	readonly tags?: readonly string[] | undefined
	readonly access?: RegistryAccess | undefined
	/** Of the artifact's manifest. */
	readonly annotations?: Annotations | undefined
	/** Annotate with revision, time and source of the git commit. Default false. */
	readonly git?: boolean | undefined
	/** Default `none`: gzip costs time, and its bytes depend on the compressor. */
	readonly compress?: 'none' | 'gzip' | undefined
	/** Move a version tag that has other content. Default false. */
	readonly force?: boolean | undefined
	/** As which Application it is judged; `false` parses and checks nothing. Default: as a plain one. */
	readonly check?: JudgeOptions | false | undefined
}

export interface Refreshed {
	/** Names of the Applications that were refreshed. */
	readonly refreshed: readonly string[]
}

export async function push(options: PushOptions): Promise<PushResult & Refreshed> {
	return await inProject(options, async (project) => {
		const { access, annotations, tags, git, compress, force, check } = options
		const result = await pushFlow(project.session, {
			directory: project.at(options.directory),
			reference: project.reference(options.reference),
			access: { ...project.access(access), ...(options.refresh === false && { userAgent: UNTOLD_AGENT }) },
			annotations,
			tags,
			git,
			compress,
			force,
			check,
		})
		return { ...result, refreshed: await refresh(project, { pushed: [result], options }) }
	})
}

/** Refreshes what follows, where that is asked for. @returns names of Applications */
export async function refresh(
	{ session, cluster }: Project,
	{
		pushed,
		options,
	}: { readonly pushed: Parameters<typeof refreshFollowers>[1]; readonly options: RefreshOptions },
): Promise<readonly string[]> {
	if (!options.refresh) return []
	return await refreshFollowers(session, pushed, {
		...cluster(options),
		demanded: options.refresh !== 'if-known',
	})
}

/** How the objects of an artifact are validated, as an API server would. */
export interface ValidateOptions extends ClusterChoice {
	/** `1.32`. Default: that of `cluster` where one is named, else every release that Argo CD runs on today. */
	readonly kubernetesVersion?: string | undefined
	/** Path of a directory of CustomResourceDefinitions, beside those in the artifact. */
	readonly schemas?: string | undefined
	/** Let the API server of the cluster judge every object, by a dry run that changes nothing. Default false. */
	readonly server?: boolean | undefined
	/** Namespace of objects that name none, for the dry run. Default `default`. */
	readonly namespace?: string | undefined
}

export interface CheckOptions extends ProjectOptions, JudgeOptions {
	/** A directory, a tar file, or an artifact: what stands at that path comes before what is in a registry. */
	readonly what: string
	/** Also what an API server would say of each object; false leaves that out. Default: without asking a cluster. */
	readonly validate?: ValidateOptions | false | undefined
	readonly access?: RegistryAccess | undefined
}

/** Whether Argo CD takes it, and what it would deploy. */
export interface CheckResult {
	readonly accepted: boolean
	/** Version of Argo CD whose rules these are. */
	readonly argocdVersion: string
	/** Of an artifact in a registry. */
	readonly reference?: PinnedReference | undefined
	/** Absent where there was no content to look at. */
	readonly sourceType?: SourceType | undefined
	/** Those of severity `refuse` are why it is not accepted. */
	readonly findings: readonly Finding[]
	readonly resources: readonly ResourceIdentity[]
	/** Files that would not be deployed, and why. */
	readonly skipped: readonly SkippedFile[]
}

export async function check(options: CheckOptions): Promise<CheckResult> {
	return await inProject(options, async (project) => {
		const { version = ASSUMED_ARGOCD_VERSION, path, recurse, serverSide, cache } = options
		const { subject, verdict } = await checkFlow(project.session, options.what, {
			access: project.access(options.access),
			version,
			path,
			recurse,
			serverSide,
			cache,
			validate: validationOf(project, options.validate),
		})
		const { accepted, sourceType, findings, resources, skipped } = verdict
		return {
			accepted,
			argocdVersion: version,
			...(subject.kind === 'artifact' && {
				reference: { ...subject.reference, digest: subject.descriptor.digest },
			}),
			sourceType,
			findings,
			resources: resources.map(({ group, version: apiVersion, kind, namespace, name, file, line }) => ({
				group,
				version: apiVersion,
				kind,
				namespace,
				name,
				file,
				line,
			})),
			skipped,
		}
	})
}

function validationOf(
	{ at, cluster }: Project,
	validate: CheckOptions['validate'],
): FlowValidateOptions | false | undefined {
	if (validate === undefined || validate === false) return validate
	const { kubernetesVersion, schemas, server, namespace } = validate
	return {
		kubernetesVersion,
		schemas: schemas === undefined ? undefined : at(schemas),
		server,
		namespace,
		cluster: validate.cluster === undefined ? undefined : cluster(validate),
	}
}

export interface DiffOptions extends ProjectOptions, ClusterChoice {
	/** A directory, a tar file, an artifact, `live:NAME` (what runs) or `NAME@ID` (what was deployed then). */
	readonly before: string
	readonly after: string
	/** Path inside both sides. Default `.`. */
	readonly path?: string | undefined
	/** Also what stands in subdirectories. Default true. */
	readonly recurse?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export async function diff(options: DiffOptions): Promise<readonly ResourceDiff[]> {
	return await inProject(options, async (project) => {
		const { before, after, path, recurse, access } = options
		const { differences } = await diffFlow(project.session, [before, after], {
			...project.cluster(options),
			path,
			recurse,
			access: project.access(access),
		})
		return differences
	})
}

export interface InspectOptions extends ProjectOptions {
	readonly reference: ReferenceLike
	readonly access?: RegistryAccess | undefined
}

export async function inspect(options: InspectOptions): Promise<Inspection> {
	return await inProject(options, async (project) => {
		const { session, reference, access } = project
		return await inspectFlow(session, reference(options.reference), access(options.access))
	})
}

export interface PullOptions extends InspectOptions {
	/** Where the files are written to; made where it is missing. */
	readonly directory: string
	/**
	 * Write into a directory that is not empty: files of the same name are replaced one by one, after all has been
	 * fetched and verified; other files stay, and `otherFiles` says how many. Default false.
	 */
	readonly force?: boolean | undefined
}

export async function pull(options: PullOptions): Promise<PullResult> {
	return await inProject(options, async ({ session, at, reference, access }) => {
		return await pullFlow(session, {
			reference: reference(options.reference),
			directory: at(options.directory),
			force: options.force,
			access: access(options.access),
		})
	})
}

export interface TagOptions extends ProjectOptions, RefreshOptions {
	/** What shall be named: by tag or by digest. */
	readonly reference: ReferenceLike
	/** One or more. */
	readonly tags: readonly string[]
	/** Move version tags that have other content. Default false. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export async function tag(options: TagOptions): Promise<TagResult & Refreshed> {
	return await inProject(options, async (project) => {
		const { tags, force } = options
		const result = await tagArtifact(project.session, {
			reference: project.reference(options.reference),
			tags,
			force,
			access: project.access(options.access),
		})
		return { ...result, refreshed: await refresh(project, { pushed: [result], options }) }
	})
}
