import type { KubeObject } from '../../cluster/index.ts'

/** The annotations of Argo CD the controller reads on deployed objects. */
export const Annotation = {
	trackingId: 'argocd.argoproj.io/tracking-id',
	syncOptions: 'argocd.argoproj.io/sync-options',
	compareOptions: 'argocd.argoproj.io/compare-options',
	syncWave: 'argocd.argoproj.io/sync-wave',
	hook: 'argocd.argoproj.io/hook',
	hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
	ignoreHealthCheck: 'argocd.argoproj.io/ignore-healthcheck',
	refresh: 'argocd.argoproj.io/refresh',
	deletionApproved: 'argocd.argoproj.io/deletion-approved',
	helmHook: 'helm.sh/hook',
	helmHookWeight: 'helm.sh/hook-weight',
	helmHookDeletePolicy: 'helm.sh/hook-delete-policy',
	helmResourcePolicy: 'helm.sh/resource-policy',
} as const

export function annotation(object: KubeObject | undefined, name: string): string | undefined {
	return object?.metadata.annotations?.[name]
}

/** The values of a comma-separated annotation, trimmed; empty ones left out. */
export function annotationValues(object: KubeObject | undefined, name: string): readonly string[] {
	const values = (annotation(object, name) ?? '').split(',').map((value) => value.trim())
	return [...new Set(values)].filter((value) => value !== '')
}

/** Whether a comma-separated annotation holds `option`, such as `Replace=true`. */
export function hasOption(object: KubeObject | undefined, name: string, option: string): boolean {
	return annotationValues(object, name).includes(option)
}

/** The value of `key=value` in a comma-separated annotation or a list of options. */
export function optionValue(options: readonly string[], key: string): string | undefined {
	return options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1)
}

/**
 * Which wave an object belongs to.
 * @see gitops-engine pkg/sync/syncwaves/waves.go
 */
export function syncWave(object: KubeObject): number {
	for (const name of [Annotation.syncWave, Annotation.helmHookWeight]) {
		const text = annotation(object, name)
		if (text !== undefined && /^[+-]?\d+$/.test(text)) return Number(text)
	}
	return 0
}
