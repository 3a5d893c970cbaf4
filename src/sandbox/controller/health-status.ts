import type { HealthStatusCode } from '../../argocd/index.ts'

export interface Health {
	readonly status: HealthStatusCode
	readonly message?: string | undefined
}

/** From best to worst. @see gitops-engine pkg/health/health.go healthOrder */
const ORDER: readonly HealthStatusCode[] = [
	'Healthy',
	'Suspended',
	'Progressing',
	'Missing',
	'Degraded',
	'Unknown',
]

export function isWorse(current: HealthStatusCode, candidate: HealthStatusCode): boolean {
	return ORDER.indexOf(candidate) > ORDER.indexOf(current)
}
