import { builtInVersionsOf } from './built-in-schema.ts'
import { KUBERNETES_LIFECYCLE } from './kubernetes-lifecycle.ts'

/** A release of Kubernetes, `N` of 1.N. */
export type Release = number

/** When a version of a kind is there. */
export interface Lifecycle {
	/** Absent where it has always been there. */
	readonly introduced?: Release | undefined
	readonly deprecated?: Release | undefined
	/** The first release that does not have it; may lie in the future. */
	readonly removed?: Release | undefined
	/** What to use instead: an apiVersion and a kind that are there to stay. */
	readonly replacement?: { readonly apiVersion: string; readonly kind: string } | undefined
}

type Row = readonly [introduced?: Release, deprecated?: Release, removed?: Release, replacement?: string]

let parsed: Readonly<Record<string, Readonly<Record<string, Row>>>> | undefined

function rowOf(apiVersion: string, kind: string): Row | undefined {
	// the one trusted document here: generated, and part of the program
	parsed ??= JSON.parse(KUBERNETES_LIFECYCLE) as NonNullable<typeof parsed>
	const kinds = Object.hasOwn(parsed, apiVersion) ? parsed[apiVersion] : undefined
	return kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
}

/**
 * When a version of a kind of Kubernetes came and goes; `undefined` where it has always been there
 * and stays, and for kinds that are not part of Kubernetes.
 * @see https://kubernetes.io/docs/reference/using-api/deprecation-guide/
 */
export function lifecycleOf(apiVersion: string, kind: string): Lifecycle | undefined {
	const row = rowOf(apiVersion, kind)
	if (row === undefined) return undefined
	const [introduced = 0, deprecated = 0, removed = 0] = row
	const replacement = replacementOf(apiVersion, kind)
	return {
		...(introduced > 0 && { introduced }),
		...(deprecated > 0 && { deprecated }),
		...(removed > 0 && { removed, replacement }),
	}
}

/** A replacement may itself have been replaced since. */
function replacementOf(apiVersion: string, kind: string): Lifecycle['replacement'] {
	let found: { readonly apiVersion: string; readonly kind: string } | undefined
	for (let row = rowOf(apiVersion, kind); row?.[2]; row = found && rowOf(found.apiVersion, found.kind)) {
		const [nextVersion, nextKind] = row[3]?.split(' ') ?? []
		const before = found?.apiVersion ?? apiVersion
		if (nextVersion === undefined || nextKind === undefined || nextVersion === before) {
			return newestOf(groupOf(before), found?.kind ?? kind)
		}
		// Some name the list of their kind.
		found = { apiVersion: nextVersion, kind: nextKind.replace(/List$/, '') }
	}
	return found
}

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))

function newestOf(group: string, kind: string): Lifecycle['replacement'] {
	const stable = builtInVersionsOf(kind).find(
		(apiVersion) => groupOf(apiVersion) === group && /(?:^|\/)v\d+$/.test(apiVersion),
	)
	return stable === undefined ? undefined : { apiVersion: stable, kind }
}
