import { UserError } from '../errors/index.ts'

/** A span of Argo CD versions: from (included) to below (excluded); without `below` it is open. */
export interface VersionRange {
	readonly from: string
	readonly below?: string | undefined
}

/** The version whose behaviour is assumed where none is known. */
export const ASSUMED_ARGOCD_VERSION = '3.6.1'
/** The oldest version lading deploys to: below it extra layers break an artifact. */
export const OLDEST_SUPPORTED_ARGOCD = '3.1.6'
/** The first version with sources of the scheme `oci://`. */
export const FIRST_OCI_ARGOCD = '3.1.0'

export type ArgocdSupport =
	| { readonly status: 'supported'; readonly note?: string }
	| { readonly status: 'too-old'; readonly reason: string }
	| { readonly status: 'unknown'; readonly reason: string }

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/

type Parts = readonly [number, number, number]

function partsOf(version: string): Parts | undefined {
	const match = VERSION.exec(version.trim())
	return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined
}

/** @throws UserError `USAGE` for what is no version: no rule would hold for it, and all be well */
export function refuseUnknownVersion(version: string = ASSUMED_ARGOCD_VERSION): void {
	if (partsOf(version) !== undefined) return
	throw new UserError('USAGE', `"${version}" is not a version of Argo CD`, { hint: 'Write it as 3.6.1.' })
}

function comparePlain(left: Parts, right: Parts): number {
	return left[0] - right[0] || left[1] - right[1] || left[2] - right[2]
}

/** Whether a version of Argo CD lies in one of the ranges. A suffix such as `+abc` or `-rc1` does not count. */
export function inVersionRanges(version: string, ranges: readonly VersionRange[]): boolean {
	const parts = partsOf(version)
	if (parts === undefined) return false
	return ranges.some(({ from, below }) => {
		const low = partsOf(from)
		const high = below === undefined ? undefined : partsOf(below)
		return (
			low !== undefined &&
			comparePlain(parts, low) >= 0 &&
			(high === undefined || comparePlain(parts, high) < 0)
		)
	})
}

const NEEDS_TYPED_SECRET: readonly VersionRange[] = [{ from: '3.4.4', below: '3.6.0' }]

/** Whether lading deploys through this version of Argo CD, and what to mind. */
export function supportedArgoCd(version: string): ArgocdSupport {
	const parts = partsOf(version)
	if (parts === undefined) return { status: 'unknown', reason: `"${version}" is not a version of Argo CD` }
	const since = (oldest: string): boolean => inVersionRanges(version, [{ from: oldest }])
	if (!since(FIRST_OCI_ARGOCD)) {
		return {
			status: 'too-old',
			reason: `Argo CD ${version} does not know oci:// sources; they came with ${FIRST_OCI_ARGOCD}`,
		}
	}
	if (!since(OLDEST_SUPPORTED_ARGOCD)) {
		return {
			status: 'too-old',
			reason: `Argo CD ${version} takes only artifacts with exactly one layer in all, and refuses symlinks; lading supports ${OLDEST_SUPPORTED_ARGOCD} and later`,
		}
	}
	if (inVersionRanges(version, NEEDS_TYPED_SECRET)) {
		return {
			status: 'supported',
			note: `Argo CD ${version} reads an oci:// source as Git where the repository has no Secret of type oci; lading always makes one`,
		}
	}
	return { status: 'supported' }
}
