import type { KubeObject } from '../../../cluster/index.ts'
import { at, fieldsAt, numberAt, textsAt } from '../fields.ts'
import type { ObjectApi } from '../object-api.ts'
import { builtIn, canonical, keyOf, ownedBy, ownerReference } from './ownership.ts'

const REVISIONS = 'apps/controllerrevisions'

/**
 * Keeps what the pod template of a StatefulSet or DaemonSet was, as `kubectl rollout
 * history` and `undo` read it: the template in use has the highest revision.
 */
export function noteRevision(
	api: ObjectApi,
	set: KubeObject,
	{ name, hash }: { readonly name: string; readonly hash: string },
): void {
	const { namespace } = set.metadata
	const all = ownedBy(api, REVISIONS, set).toSorted((a, b) => revisionOf(a) - revisionOf(b))
	const highest = all.at(-1)
	const current = all.find((revision) => revision.metadata.name === name)
	const revision = (highest === undefined ? 0 : revisionOf(highest)) + 1
	if (current === undefined) {
		const template = fieldsAt(set, 'spec', 'template')
		// As the patch that undo sends, with its keys in order.
		const data: unknown = JSON.parse(canonical({ spec: { template: { ...template, $patch: 'replace' } } }))
		const metadata = {
			name,
			labels: { ...textsAt(template, 'metadata', 'labels'), 'controller-revision-hash': hash },
			annotations: changeCause(set),
			ownerReferences: [ownerReference(set)],
		}
		api.create(builtIn(api, REVISIONS), { metadata, data, revision }, { namespace, unowned: true })
	} else if (current !== highest) {
		api.amend(builtIn(api, REVISIONS), keyOf(current), (live) => ({ ...live, revision }))
	}
	const limit = numberAt(set, 'spec', 'revisionHistoryLimit') ?? 10
	const old = all.filter((each) => each !== current)
	for (const each of old.slice(0, Math.max(0, old.length - limit))) {
		api.delete(builtIn(api, REVISIONS), keyOf(each))
	}
}

function revisionOf(revision: KubeObject): number {
	const number = at(revision, 'revision')
	return typeof number === 'number' ? number : 0
}

function changeCause(set: KubeObject): Readonly<Record<string, string>> {
	const cause = set.metadata.annotations?.['kubernetes.io/change-cause']
	return cause === undefined ? {} : { 'kubernetes.io/change-cause': cause }
}
