import type { KubeObject } from '../../cluster/index.ts'
import type { Health } from './health-status.ts'
import { isHook } from './hooks.ts'
import { listAt, numberAt, textAt, valueAt } from './object-fields.ts'

/** @see gitops-engine pkg/health/health_pod.go */
export function podHealth(pod: KubeObject): Health {
	const longRunning = isLongRunning(pod)
	const message = textAt(pod, 'status', 'message')
	const containers = listAt(pod, 'status', 'containerStatuses')
	if (longRunning) {
		const waiting = containers.map((each) => valueAt(each, 'state', 'waiting')).filter(isFailedWait)
		if (waiting.length > 0)
			return { status: 'Degraded', message: waiting.map((each) => textAt(each, 'message')).join(', ') }
	}
	switch (textAt(pod, 'status', 'phase')) {
		case 'Pending':
			return { status: 'Progressing', message }
		case 'Succeeded':
			return { status: 'Healthy', message }
		case 'Failed':
			return { status: 'Degraded', message: message === '' ? failureOf(pod) : message }
		case 'Running': {
			if (!longRunning) return { status: 'Progressing', message }
			const ready = listAt(pod, 'status', 'conditions').some(
				(each) => textAt(each, 'type') === 'Ready' && textAt(each, 'status') === 'True',
			)
			if (ready) return { status: 'Healthy', message }
			const crashed = containers.some((each) => valueAt(each, 'lastState', 'terminated') !== undefined)
			return { status: crashed ? 'Degraded' : 'Progressing', message }
		}
		default:
			return { status: 'Unknown', message }
	}
}

/** A pod that restarts for ever is expected to stay up; any other one is expected to end. */
function isLongRunning(pod: KubeObject): boolean {
	if ((textAt(pod, 'spec', 'restartPolicy') || 'Always') === 'Always') return true
	return pod.metadata.annotations?.['argocd.argoproj.io/ignore-restart-policy'] === 'true' && !isHook(pod)
}

function isFailedWait(waiting: unknown): boolean {
	return /^Err|Error$|BackOff$/.test(textAt(waiting, 'reason'))
}

function failureOf(pod: KubeObject): string {
	const containers = [
		...listAt(pod, 'status', 'initContainerStatuses'),
		...listAt(pod, 'status', 'containerStatuses'),
	]
	for (const container of containers) {
		const terminated = valueAt(container, 'state', 'terminated')
		const message = textAt(terminated, 'message')
		if (message !== '') return message
		if (textAt(terminated, 'reason') === 'OOMKilled') return 'OOMKilled'
		const exitCode = numberAt(terminated, 'exitCode') ?? 0
		if (exitCode !== 0) return `container "${textAt(container, 'name')}" failed with exit code ${exitCode}`
	}
	return ''
}
