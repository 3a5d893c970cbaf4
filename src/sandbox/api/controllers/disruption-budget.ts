import type { KubeObject } from '../../../cluster/index.ts'
import { amountOf } from '../amount.ts'
import { at, listAt } from '../fields.ts'
import { selectorMatches } from '../../../schema/index.ts'
import { builtIn, isReady, keyOf, PODS, setCondition, setStatus } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const BUDGETS = 'policy/poddisruptionbudgets'

/** PodDisruptionBudgets count the pods that they protect. */
export function disruptionBudgetController({ api }: ControllerContext): Controller {
	return {
		affected: ({ key, object, type }) => {
			if (key === BUDGETS) return type === 'DELETED' ? [] : [keyOf(object)]
			return key === PODS ? api.store.list(BUDGETS, object.metadata.namespace).map(keyOf) : []
		},
		reconcile: (key) => {
			const budget = api.store.get(BUDGETS, key)
			if (budget !== undefined) count(budget)
		},
	}

	function count(budget: KubeObject): void {
		const selector = at(budget, 'spec', 'selector')
		const pods = api.store
			.list(PODS, budget.metadata.namespace)
			.filter((pod) => selector !== undefined && selectorMatches(selector, pod.metadata.labels ?? {}))
		const expectedPods = pods.length
		const currentHealthy = pods.filter(isReady).length
		const most = at(budget, 'spec', 'maxUnavailable')
		const least = at(budget, 'spec', 'minAvailable')
		const desiredHealthy =
			most === undefined
				? amountOf(least ?? 1, { of: expectedPods, up: true })
				: Math.max(0, expectedPods - amountOf(most, { of: expectedPods, up: true }))
		const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
		const condition =
			disruptionsAllowed > 0
				? ({ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' } as const)
				: ({ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' } as const)
		setStatus(api, builtIn(api, BUDGETS), {
			object: budget,
			status: {
				observedGeneration: budget.metadata.generation,
				disruptionsAllowed,
				currentHealthy,
				desiredHealthy,
				expectedPods,
				conditions: setCondition(listAt(budget, 'status', 'conditions'), condition, { time: api.time() }),
			},
		})
	}
}
