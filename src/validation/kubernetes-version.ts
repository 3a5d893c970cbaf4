import { UserError } from '../errors/index.ts'
import { builtInVersion, type Release } from '../schema/index.ts'

/** The oldest release of Kubernetes that an Argo CD with OCI sources was tested with by its makers. */
const OLDEST_RELEASE: Release = 30

/** The releases that a cluster may have; both ends count. */
export interface ReleaseRange {
	readonly oldest: Release
	readonly newest: Release
}

/** Where no version is named: whatever an Argo CD of today runs on. */
export function assumedReleases(): ReleaseRange {
	return { oldest: OLDEST_RELEASE, newest: releaseOf(builtInVersion()) ?? OLDEST_RELEASE }
}

/** Whether a cluster may have what is not known here. */
export function isNewerThanKnown({ newest }: ReleaseRange): boolean {
	return newest > (releaseOf(builtInVersion()) ?? newest)
}

/** `1.32`, `v1.32.4`, `1.32.4+k3s1` as a release. @throws UserError `USAGE` */
export function parseKubernetesVersion(text: string): ReleaseRange {
	const release = releaseOf(text)
	if (release !== undefined) return { oldest: release, newest: release }
	throw new UserError('USAGE', `"${text}" is not a version of Kubernetes`, { hint: 'Write it as 1.32.' })
}

function releaseOf(text: string): Release | undefined {
	const minor = /^v?1\.(\d{1,3})(?:$|[.+-])/.exec(text)?.[1]
	return minor === undefined ? undefined : Number(minor)
}
