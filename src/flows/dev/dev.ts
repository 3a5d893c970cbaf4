import { refuseApplicationName } from '../../argocd/index.ts'
import { UserError } from '../../errors/index.ts'
import { readManifestSet, watchDirectory } from '../../manifests/index.ts'
import { type Annotations, formatReference, isTag, parseReference, type Reference } from '../../oci/index.ts'
import { parseTagPattern } from '../../registry/server/index.ts'
import { refuseOwned } from '../../sync/index.ts'
import { bringUp, type BringUpOptions } from '../bring-up.ts'
import { isLocalCluster } from '../chosen-cluster.ts'
import type { ConnectedCluster } from '../clusters.ts'
import type { ApplicationWish } from '../deploy.ts'
import { CLUSTER_REGISTRY } from '../local-registry.ts'
import { readReference, type RegistryAccess, UNTOLD_AGENT } from '../registries.ts'
import type { Session } from '../session.ts'
import { VersionChanges } from './changes.ts'
import type { DevEvent } from './event.ts'
import { type Clock, followSaves } from './follow-saves.ts'
import { ParsableManifests } from './parsable-manifests.ts'
import { SaveWorker } from './work-on-save.ts'

export interface DevOptions extends BringUpOptions, ApplicationWish {
	/** Directory of the manifests. */
	readonly directory: string
	/** Tag that every save moves; `dev`. */
	readonly tag?: string | undefined
	/** Move an Application that follows something else also where the cluster is not this project's own. */
	readonly force?: boolean | undefined
	readonly access?: RegistryAccess | undefined
	readonly annotations?: Annotations | undefined
	readonly onEvent: (event: DevEvent) => void
	/** Milliseconds of a clock that never goes back, and its timers. */
	readonly clock?: Clock | undefined
}

const DEFAULT_TAG = 'dev'

const systemClock: Clock = {
	now: () => performance.now(),
	after(milliseconds, task) {
		const timer = setTimeout(task, milliseconds)
		return () => clearTimeout(timer)
	},
}

/**
 * Brings up what is missing, and then has everything that is saved in a directory run: until the
 * session's signal aborts. What is wrong with a save, a registry or a cluster is an event.
 * @throws UserError `INTERRUPTED` with what is left, `USAGE`, `REVISION_KEPT`, `APPLICATION_OWNED`, those of `up`
 */
export async function dev(session: Session, options: DevOptions): Promise<never> {
	const { signal } = session
	const { name, directory, tag = DEFAULT_TAG, clock = systemClock, onEvent } = options
	refuseApplicationName(name)
	refuseFixedTag(tag, options)
	await requireDirectory(directory, signal)
	const { target, repository } = await session.workspace.exclusive(
		async () => await bringUp(session, options),
		{ signal },
	)
	const reference = readReference(session, `${repository}:${tag}`)
	const previousRevision = await previousRevisionOf(session, target, { options, reference })
	const access: RegistryAccess = { ...options.access, userAgent: UNTOLD_AGENT }
	const { path, recurse, serverSide } = options
	const worker = new SaveWorker(session, target, {
		name,
		reference,
		wish: options,
		access,
		clock,
		push: {
			directory,
			reference,
			access,
			annotations: options.annotations,
			check: { path, recurse, serverSide },
		},
		manifests: new ParsableManifests({ directory, path, recurse }),
		changes: new VersionChanges({ access, path, recurse }),
		onEvent(event) {
			if (signal?.aborted !== true) onEvent(event)
		},
	})
	onEvent({
		event: 'started',
		name,
		directory,
		reference: formatReference(reference),
		cluster: target.name,
		namespace: options.namespace ?? name,
		previousRevision,
	})
	await followSaves({
		watch: (onHint) => watchDirectory(directory, { onHint }),
		work: async (save) => await worker.work(save),
		clock,
		signal,
	})
	throw interrupted({ session, target, options, reference, previousRevision, pushed: worker.pushed })
}

/** A tag that is moved with every save must not be one that people take for a version. */
function refuseFixedTag(tag: string, { name, repository = name, immutable = [] }: DevOptions): void {
	if (!isTag(tag)) {
		throw new UserError('REFERENCE_INVALID', `"${tag}" is not a tag`, {
			hint: 'A tag has 1 to 128 letters, digits, "_", "." and "-" and starts with none of the last two.',
		})
	}
	const place = parseReference(repository, { defaultRegistry: CLUSTER_REGISTRY }).repository
	const isVersion = parseTagPattern('semver')(place, tag)
	const pattern = immutable.find((each) => parseTagPattern(each)(place, tag))
	if (!isVersion && pattern === undefined) return
	throw new UserError(
		'USAGE',
		isVersion
			? `${tag} is a version, and every save would move it`
			: `the tag ${tag} is one that is pushed once (${pattern}), and every save would move it`,
		{ hint: `Choose a tag that may be moved, such as ${repository}:${DEFAULT_TAG}` },
	)
}

/** What is in it may be wrong, and is an event then; but it must be there. */
async function requireDirectory(directory: string, signal: AbortSignal | undefined): Promise<void> {
	try {
		await readManifestSet(directory, { signal })
	} catch (error) {
		if (!(error instanceof UserError) || error.code === 'DIRECTORY_INVALID') throw error
	}
}

/**
 * What the Application followed before; `undefined` where there is none, or it follows the tag already.
 * @throws UserError `APPLICATION_OWNED`, `REVISION_KEPT`
 */
async function previousRevisionOf(
	session: Session,
	target: ConnectedCluster,
	{ options, reference }: { readonly options: DevOptions; readonly reference: Reference },
): Promise<string | undefined> {
	const { name } = options
	const ref = { name, namespace: target.argocdNamespace }
	const present = await target.argocd.applications.get(ref, { signal: session.signal })
	if (present === undefined) return undefined
	refuseOwned(present)
	const revision = present.spec.source?.targetRevision ?? ''
	if (revision === reference.tag) return undefined
	if (options.force !== true && !isLocalCluster(session, target.name)) {
		throw new UserError('REVISION_KEPT', `the Application ${name} of ${target.name} follows ${revision}`, {
			hint: `Take another name: --name ${name}-dev – or have it follow the tag ${reference.tag} from now on: --force`,
		})
	}
	return revision
}

interface Left {
	readonly session: Session
	readonly target: ConnectedCluster
	readonly options: DevOptions
	readonly reference: Reference
	readonly previousRevision: string | undefined
	readonly pushed: string | undefined
}

function interrupted({ session, target, options, reference, previousRevision, pushed }: Left): UserError {
	const { name, directory } = options
	const isLocal = isLocalCluster(session, target.name)
	const remove = isLocal ? 'lading down removes it all' : `lading undeploy ${name} removes it`
	return new UserError('INTERRUPTED', `interrupted: nobody follows ${directory} any more`, {
		details: [
			pushed === undefined
				? 'nothing was pushed'
				: `${formatReference(reference)} is ${pushed}, and the Application ${name} of ${target.name} follows it`,
			...(isLocal ? ['the registry and the cluster of this project run on'] : []),
		],
		hint:
			previousRevision === undefined || pushed === undefined
				? `The same command goes on from there; ${remove}.`
				: `lading sync ${name} ${previousRevision} puts the Application back to where it was; ${remove}.`,
	})
}
