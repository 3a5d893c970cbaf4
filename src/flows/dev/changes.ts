import { ASSUMED_ARGOCD_VERSION } from '../../argocd/index.ts'
import { LadingError, UserError } from '../../errors/index.ts'
import { diffResources, type ManifestObject, type ResourceDiff } from '../../manifests/index.ts'
import type { Digest, PinnedReference, Reference } from '../../oci/index.ts'
import { builtInTypes } from '../built-in-types.ts'
import { subjectObjects } from '../diff-sides.ts'
import type { RegistryAccess } from '../registries.ts'
import type { Session } from '../session.ts'
import { readArtifact } from '../subject.ts'

export interface ChangesOptions {
	readonly access?: RegistryAccess | undefined
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
}

interface Version {
	/** Absent for the one before the first. */
	readonly digest: Digest | undefined
	readonly objects: readonly ManifestObject[]
}

/** What a version changes, against the one that was pushed before it. */
export interface Changes {
	readonly from?: Digest | undefined
	readonly differences: readonly ResourceDiff[]
}

/** Remembers the objects of the version pushed last, to say what the next one changes. */
export class VersionChanges {
	readonly #options: ChangesOptions
	#last: Version | undefined

	constructor(options: ChangesOptions) {
		this.#options = options
	}

	/** Learns what the tag names before anything is pushed to it. What cannot be read is not known, no more. */
	async begin(session: Session, reference: Reference): Promise<void> {
		try {
			this.#last = await this.#read(session, reference)
		} catch (error) {
			if (!(error instanceof LadingError) || session.signal?.aborted === true) throw error
			const isFirst = error instanceof UserError && error.code === 'NOT_FOUND'
			this.#last = isFirst ? { digest: undefined, objects: [] } : undefined
		}
	}

	/**
	 * What a version changes; `undefined` where that is not known.
	 * @throws as reading an artifact
	 */
	async next(session: Session, reference: PinnedReference): Promise<Changes | undefined> {
		const before = this.#last
		if (before?.digest === reference.digest) return undefined
		this.#last = undefined
		const version = await this.#read(session, reference)
		this.#last = version
		if (before === undefined) return undefined
		return {
			from: before.digest,
			differences: diffResources(before.objects, version.objects, { typesOf: builtInTypes }),
		}
	}

	async #read(session: Session, reference: Reference): Promise<Version> {
		const { access, path, recurse } = this.#options
		const subject = await readArtifact(session, reference, { access, version: ASSUMED_ARGOCD_VERSION })
		const { objects } = await subjectObjects(session, subject, { path, recurse, what: 'what was pushed' })
		return { digest: subject.descriptor.digest, objects }
	}
}
