import type { Answer } from './judge.ts'
import { comparable } from './words.ts'

/** A message of Argo CD's, or the objects that it would deploy; neither where nobody can tell. */
export interface Said {
	readonly error?: string
	/** `apiVersion kind name`. */
	readonly objects?: readonly string[]
}

export function named(object: {
	readonly apiVersion: string
	readonly kind: string
	readonly name: string
}): string {
	return `${object.apiVersion} ${object.kind} ${object.name}`
}

export function saidByJudge({ error, objects = [] }: Answer): Said {
	return error === undefined ? { objects: objects.map(named) } : { error }
}

/** Why two do not agree; `undefined` where they do. */
export function disagreement(argocd: Said, ours: Said): string | undefined {
	const there = argocd.error === undefined ? undefined : comparable(argocd.error)
	const here = ours.error === undefined ? undefined : comparable(ours.error)
	if (there !== here) return `\n    Argo CD: ${there ?? ACCEPTS}\n    lading:  ${here ?? ACCEPTS}`
	if (ours.objects === undefined || argocd.objects === undefined) return undefined
	const [theirs, own] = [argocd.objects, ours.objects].map((list) => list.toSorted().join(', '))
	return theirs === own ? undefined : `\n    Argo CD deploys: ${theirs}\n    lading deploys:  ${own}`
}

const ACCEPTS = '(takes it)'
