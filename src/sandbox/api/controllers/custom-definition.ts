import type { KubeObject } from '../../../cluster/index.ts'
import { at, listAt, textAt, withMetadata } from '../fields.ts'
import { builtIn, keyOf, setCondition, setStatus } from './ownership.ts'
import type { Controller, ControllerContext } from './runtime.ts'

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions'
const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** CustomResourceDefinitions become Established, and take their objects along when they go. */
export function customDefinitionController({ api }: ControllerContext): Controller {
	return {
		affected: ({ key, object, type }) => {
			if (key === DEFINITIONS) return [keyOf(object)]
			if (type !== 'DELETED') return []
			const [group = '', plural = ''] = key.split('/')
			return group === '' ? [] : [{ name: `${plural}.${group}` }]
		},
		reconcile: (key) => {
			const definition = api.store.get(DEFINITIONS, key)
			if (definition === undefined) return
			if (definition.metadata.deletionTimestamp === undefined) establish(definition)
			else cleanUp(definition)
		},
	}

	function establish(definition: KubeObject): void {
		const time = api.time()
		let conditions = listAt(definition, 'status', 'conditions')
		conditions = setCondition(
			conditions,
			{ type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
			{ time },
		)
		conditions = setCondition(
			conditions,
			{
				type: 'Established',
				status: 'True',
				reason: 'InitialNamesAccepted',
				message: 'the initial names have been accepted',
			},
			{ time },
		)
		const storage = listAt(definition, 'spec', 'versions').find((version) => at(version, 'storage') === true)
		const versions = [
			...new Set([...listAt(definition, 'status', 'storedVersions'), textAt(storage, 'name')]),
		]
		const status = { conditions, acceptedNames: at(definition, 'spec', 'names'), storedVersions: versions }
		setStatus(api, builtIn(api, DEFINITIONS), { object: definition, status })
	}

	function cleanUp(definition: KubeObject): void {
		const storageKey = `${textAt(definition, 'spec', 'group') ?? ''}/${textAt(definition, 'spec', 'names', 'plural') ?? ''}`
		const resource = api.catalog.stored(storageKey)
		for (const object of resource ? api.store.list(storageKey) : []) {
			if (resource && object.metadata.deletionTimestamp === undefined) api.delete(resource, keyOf(object))
		}
		if (resource && api.store.list(storageKey).length > 0) return
		api.amend(builtIn(api, DEFINITIONS), keyOf(definition), (live) =>
			withMetadata(live, { finalizers: (live.metadata.finalizers ?? []).filter((each) => each !== CLEANUP) }),
		)
	}
}
