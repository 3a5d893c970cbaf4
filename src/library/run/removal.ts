import {
	type ClusterChoice,
	describeTags,
	planDelete,
	planUntag,
	refuseInUse,
	type RegistryAccess,
	removeArtifacts,
	type RemovalPlan,
	type TagsDescription,
} from '../../flows/index.ts'
import { UserError } from '../../errors/index.ts'
import { inProject, type Project, type ProjectOptions, type ReferenceLike } from '../project.ts'

export interface TagsOptions extends ProjectOptions, ClusterChoice {
	/** A repository: a reference without tag and digest. */
	readonly repository: ReferenceLike
	/** Only versions in this range, as Argo CD reads ranges. */
	readonly range?: string | undefined
	/** Only tags that match, such as `v1.*`. */
	readonly filter?: string | undefined
	/** How many tags are looked at, one or more requests each; 0: none, their names are all. Default 50. */
	readonly limit?: number | undefined
	readonly access?: RegistryAccess | undefined
}

export async function tags(options: TagsOptions): Promise<TagsDescription> {
	return await inProject(options, async (project) => {
		const reference = project.reference(options.repository)
		if (reference.tag !== undefined || reference.digest !== undefined)
			throw new UserError('USAGE', 'the reference names one artifact, and tags lists those of a repository', {
				hint: 'Leave out tag and digest.',
			})
		const { range, filter, limit } = options
		return await describeTags(project.session, reference, {
			range,
			filter,
			limit,
			access: project.access(options.access),
			cluster: project.cluster(options),
		})
	})
}

export interface RemoveOptions extends ProjectOptions, ClusterChoice {
	/** Only say what would go. Default false. */
	readonly dryRun?: boolean | undefined
	/** Also what Applications of the cluster run or ask for, and where that is not known. Default false. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export interface RemovalResult {
	/** Whether it was carried out: false in a dry run. */
	readonly removed: boolean
	readonly plan: RemovalPlan
}

export interface UntagOptions extends RemoveOptions {
	/** One or more tags of one repository. */
	readonly references: readonly ReferenceLike[]
}

export async function untag(options: UntagOptions): Promise<RemovalResult> {
	return await inProject(options, async (project) => {
		const plan = await planUntag(
			project.session,
			options.references.map((each) => project.reference(each)),
			{ access: project.access(options.access), cluster: project.cluster(options) },
		)
		return await carryOut(project, plan, options)
	})
}

export interface DeleteOptions extends RemoveOptions {
	/** By tag or by digest: the manifest goes, with every tag that names it. */
	readonly reference: ReferenceLike
}

export async function deleteArtifact(options: DeleteOptions): Promise<RemovalResult> {
	return await inProject(options, async (project) => {
		const plan = await planDelete(project.session, project.reference(options.reference), {
			access: project.access(options.access),
			cluster: project.cluster(options),
		})
		return await carryOut(project, plan, options)
	})
}

async function carryOut(
	{ session }: Project,
	plan: RemovalPlan,
	{ dryRun, force }: RemoveOptions,
): Promise<RemovalResult> {
	// Whoever gave the access has it: what is handed out carries no password.
	const { access: _, ...shown } = plan
	if (dryRun === true) return { removed: false, plan: shown }
	if (force !== true) refuseInUse(plan)
	await removeArtifacts(session, plan)
	return { removed: true, plan: shown }
}
