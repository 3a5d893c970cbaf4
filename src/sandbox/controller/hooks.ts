import type { KubeObject } from '../../cluster/index.ts'
import { Annotation, annotation, annotationValues } from './annotations.ts'

/** Keeps a hook there until its phase is over. @see gitops-engine pkg/sync/hook/hook.go */
export const HOOK_FINALIZER = 'argocd.argoproj.io/hook-finalizer'

export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail'
type HookType = SyncPhase | 'Skip'
export type DeletePolicy = 'HookSucceeded' | 'HookFailed' | 'BeforeHookCreation'

const HOOK_TYPES: ReadonlyMap<string, HookType> = new Map(
	(['PreSync', 'Sync', 'PostSync', 'SyncFail', 'Skip'] as const).map((type) => [type, type]),
)

const HELM_TYPES: ReadonlyMap<string, HookType> = new Map([
	['pre-install', 'PreSync'],
	['pre-upgrade', 'PreSync'],
	['post-install', 'PostSync'],
	['post-upgrade', 'PostSync'],
])

const DELETE_POLICIES: ReadonlyMap<string, DeletePolicy> = new Map(
	(['HookSucceeded', 'HookFailed', 'BeforeHookCreation'] as const).map((policy) => [policy, policy]),
)

const HELM_DELETE_POLICIES: ReadonlyMap<string, DeletePolicy> = new Map([
	['before-hook-creation', 'BeforeHookCreation'],
	['hook-succeeded', 'HookSucceeded'],
	['hook-failed', 'HookFailed'],
])

/** The values of an annotation that `known` knows, each once. */
function known<T>(object: KubeObject, name: string, values: ReadonlyMap<string, T>): readonly T[] {
	const found = new Set<T>()
	for (const text of annotationValues(object, name)) {
		const value = values.get(text)
		if (value !== undefined) found.add(value)
	}
	return [...found]
}

/** Helm's types count only where Argo CD's annotation names none. */
function hookTypes(object: KubeObject): readonly HookType[] {
	const own = known(object, Annotation.hook, HOOK_TYPES)
	return own.length > 0 ? own : known(object, Annotation.helmHook, HELM_TYPES)
}

/** `argocd.argoproj.io/hook: Skip` and nothing else: never applied, never compared. */
export function isSkipped(object: KubeObject): boolean {
	const types = hookTypes(object)
	return types.length === 1 && types[0] === 'Skip'
}

export function isHook(object: KubeObject): boolean {
	if (annotation(object, Annotation.hook) !== undefined) return !isSkipped(object)
	const helm = annotation(object, Annotation.helmHook)
	return helm !== undefined && helm !== 'crd-install'
}

/** A hook of a type this sync does not run, such as Helm's `test`. @see gitops-engine pkg/sync/ignore */
export function isIgnoredHook(object: KubeObject): boolean {
	return isHook(object) && hookTypes(object).length === 0
}

/** In which phases an object is applied. */
export function syncPhases(object: KubeObject): readonly SyncPhase[] {
	if (isSkipped(object)) return []
	if (!isHook(object)) return ['Sync']
	return hookTypes(object).filter((type): type is SyncPhase => type !== 'Skip')
}

export function deletePolicies(hook: KubeObject): readonly DeletePolicy[] {
	const policies = [
		...known(hook, Annotation.hookDeletePolicy, DELETE_POLICIES),
		...known(hook, Annotation.helmHookDeletePolicy, HELM_DELETE_POLICIES),
	]
	return policies.length > 0 ? policies : ['BeforeHookCreation']
}
