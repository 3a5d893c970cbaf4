import {
	copyArtifacts,
	type CopyArtifactsResult,
	load as loadFlow,
	type LoadResult,
	type RegistryAccess,
	save as saveFlow,
	type SaveResult,
	type SideAccess,
} from '../../flows/index.ts'
import { UserError } from '../../errors/index.ts'
import { inProject, type ProjectOptions, type RefreshOptions } from '../project.ts'
import { refresh, type Refreshed } from './artifacts.ts'

/** What is moved, and how. */
export interface MoveOptions extends ProjectOptions {
	/** Take signatures, SBOMs and whatever else points at them along. Default true. */
	readonly referrers?: boolean | undefined
	/** Move version tags that have other content. Default false. */
	readonly force?: boolean | undefined
	/** Requests and blobs on their way at once. Default 4. */
	readonly concurrency?: number | undefined
}

/** Callers without types get an answer, too: with none at a time, nothing would ever end. @throws UserError `USAGE` */
function atATime({ concurrency }: MoveOptions): number | undefined {
	if (concurrency === undefined || (Number.isInteger(concurrency) && concurrency > 0)) return concurrency
	throw new UserError('USAGE', 'concurrency is a whole number of at least one', {
		hint: 'Leave it out for 4 at a time.',
	})
}

/** Which artifacts of a repository. */
export interface ChoiceOptions {
	/** All that have a tag. */
	readonly allTags?: boolean | undefined
	/** Those whose tag is a version in this range, as Argo CD reads ranges: `>=1.2 <2`. */
	readonly range?: string | undefined
}

export interface CopyOptions extends MoveOptions, ChoiceOptions, RefreshOptions {
	/** A reference, `oci:DIR[:NAME]` or `oci-archive:FILE[:NAME]`. */
	readonly from: string
	/** As `from`; without a tag, the artifact keeps its own. */
	readonly to: string
	/** Only say what would be done. Default false. */
	readonly dryRun?: boolean | undefined
	readonly access?: SideAccess | undefined
}

export async function copy(options: CopyOptions): Promise<CopyArtifactsResult & Refreshed> {
	return await inProject(options, async (project) => {
		const { from, to, allTags, range, referrers, force, dryRun, access } = options
		const result = await copyArtifacts(project.session, {
			from,
			to,
			allTags,
			range,
			referrers,
			force,
			dryRun,
			concurrency: atATime(options),
			access: { from: project.access(access?.from), to: project.access(access?.to) },
		})
		const isRegistry = !/^oci(?:-archive)?:(?!\/\/)/.test(to)
		if (result.dryRun || !isRegistry) return { ...result, refreshed: [] }
		const pushed = result.artifacts.map(({ reference, digest, tag, outcome }) => ({
			reference: { ...project.reference(reference), digest },
			tags: tag === undefined ? [] : [tag],
			outcome,
		}))
		return { ...result, refreshed: await refresh(project, { pushed, options }) }
	})
}

export interface SaveOptions extends MoveOptions, ChoiceOptions {
	/** One or more. */
	readonly references: readonly string[]
	/** Path: a tar when it ends in `.tar`, else a directory. */
	readonly target: string
	readonly access?: RegistryAccess | undefined
}

export async function save(options: SaveOptions): Promise<SaveResult> {
	return await inProject(options, async ({ session, access }) => {
		const { references, target, allTags, range, referrers, force } = options
		return await saveFlow(session, {
			references,
			target,
			allTags,
			range,
			referrers,
			force,
			concurrency: atATime(options),
			access: access(options.access),
		})
	})
}

export interface LoadOptions extends MoveOptions {
	/** Path of a tar that ends in `.tar`, or of a directory: an OCI layout. */
	readonly source: string
	/** `REGISTRY` or `REGISTRY/PREFIX`: what comes before the repositories that the artifacts were in. */
	readonly prefix?: string | undefined
	/** `OLD=NEW`: the start of a reference, and what stands in its place; the longest that fits counts. */
	readonly map?: readonly string[] | undefined
	/** Only say what would be done. Default false. */
	readonly dryRun?: boolean | undefined
	readonly access?: RegistryAccess | undefined
}

export async function load(options: LoadOptions): Promise<LoadResult> {
	return await inProject(options, async ({ session, access }) => {
		const { source, prefix, map, referrers, force, dryRun } = options
		return await loadFlow(session, {
			source,
			prefix,
			map,
			referrers,
			force,
			dryRun,
			concurrency: atATime(options),
			access: access(options.access),
		})
	})
}
