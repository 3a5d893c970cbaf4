import { at, type FieldPath, type Fields, isFields, textAt } from '../schema/index.ts'
import { formatField } from './field-path.ts'
import type { ObjectPlace } from './object-fault.ts'

export type ReferencedKind = 'ConfigMap' | 'Secret' | 'ServiceAccount'

/** An object that another one needs, and does not run without. */
export interface Use {
	readonly kind: ReferencedKind
	readonly name: string
	readonly namespace?: string | undefined
	readonly path: FieldPath
	readonly place: ObjectPlace
}

/** An object that is there, or comes of one that is. */
export interface Brought {
	readonly kind: ReferencedKind
	readonly name: string
	readonly namespace?: string | undefined
}

/** Where a kind has the specification of its pods. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
	'/Pod': ['spec'],
	'/ReplicationController': ['spec', 'template', 'spec'],
	'apps/Deployment': ['spec', 'template', 'spec'],
	'apps/ReplicaSet': ['spec', 'template', 'spec'],
	'apps/StatefulSet': ['spec', 'template', 'spec'],
	'apps/DaemonSet': ['spec', 'template', 'spec'],
	'batch/Job': ['spec', 'template', 'spec'],
	'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
	'argoproj.io/Rollout': ['spec', 'template', 'spec'],
}

/** Every cluster has these in every namespace. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['ConfigMap kube-root-ca.crt', 'ServiceAccount default'])

interface Identity {
	readonly group: string
	readonly kind: string
	readonly namespace?: string | undefined
	readonly place: ObjectPlace
}

/** What an object refers to and does not mark as optional. */
export function usesOf(object: Fields, identity: Identity): readonly Use[] {
	const { group, kind, namespace, place } = identity
	const uses: Use[] = []
	const add = (of: ReferencedKind, name: unknown, path: FieldPath): void => {
		if (typeof name !== 'string' || name === '' || ALWAYS_THERE.has(`${of} ${name}`)) return
		uses.push({ kind: of, name, path, place, ...(namespace !== undefined && { namespace }) })
	}
	const podPath = POD_SPECS[`${group}/${kind}`]
	if (podPath !== undefined) addPod(at(object, ...podPath), { path: podPath, add })
	if (kind === 'Ingress' && group === 'networking.k8s.io') {
		each(at(object, 'spec', 'tls'), (entry, index) =>
			add('Secret', textAt(entry, 'secretName'), ['spec', 'tls', index, 'secretName']),
		)
	}
	if (kind === 'ServiceAccount' && group === '') {
		each(at(object, 'imagePullSecrets'), (entry, index) =>
			add('Secret', textAt(entry, 'name'), ['imagePullSecrets', index, 'name']),
		)
	}
	return uses
}

type Add = (kind: ReferencedKind, name: unknown, path: FieldPath) => void

interface Place {
	readonly path: FieldPath
	readonly add: Add
}

function each(list: unknown, visit: (entry: unknown, index: number) => void): void {
	if (!Array.isArray(list)) return
	for (const [index, entry] of list.entries()) visit(entry, index)
}

function addPod(spec: unknown, { path, add }: Place): void {
	if (!isFields(spec)) return
	const account = 'serviceAccountName' in spec ? 'serviceAccountName' : 'serviceAccount'
	add('ServiceAccount', textAt(spec, account), [...path, account])
	each(spec['imagePullSecrets'], (entry, index) =>
		add('Secret', textAt(entry, 'name'), [...path, 'imagePullSecrets', index, 'name']),
	)
	each(spec['volumes'], (volume, index) => addVolume(volume, { path: [...path, 'volumes', index], add }))
	for (const list of ['initContainers', 'containers']) {
		each(spec[list], (container, index) => addContainer(container, { path: [...path, list, index], add }))
	}
}

/** The references that a container or a volume may hold: the field, the kind, and where the name stands. */
const IN_ENV = [
	['configMapKeyRef', 'ConfigMap'],
	['secretKeyRef', 'Secret'],
] as const
const IN_ENV_FROM = [
	['configMapRef', 'ConfigMap'],
	['secretRef', 'Secret'],
] as const

function addContainer(container: unknown, { path, add }: Place): void {
	each(at(container, 'env'), (entry, index) => {
		for (const [field, kind] of IN_ENV)
			addNamed(at(entry, 'valueFrom', field), {
				kind,
				path: [...path, 'env', index, 'valueFrom', field],
				add,
			})
	})
	each(at(container, 'envFrom'), (entry, index) => {
		for (const [field, kind] of IN_ENV_FROM)
			addNamed(at(entry, field), { kind, path: [...path, 'envFrom', index, field], add })
	})
}

function addVolume(volume: unknown, { path, add }: Place): void {
	addNamed(at(volume, 'configMap'), { kind: 'ConfigMap', path: [...path, 'configMap'], add })
	addNamed(at(volume, 'secret'), { kind: 'Secret', path: [...path, 'secret'], add, field: 'secretName' })
	addNamed(at(volume, 'csi', 'nodePublishSecretRef'), {
		kind: 'Secret',
		path: [...path, 'csi', 'nodePublishSecretRef'],
		add,
	})
	each(at(volume, 'projected', 'sources'), (source, index) => {
		const here = [...path, 'projected', 'sources', index]
		addNamed(at(source, 'configMap'), { kind: 'ConfigMap', path: [...here, 'configMap'], add })
		addNamed(at(source, 'secret'), { kind: 'Secret', path: [...here, 'secret'], add })
	})
}

function addNamed(
	reference: unknown,
	{ kind, path, add, field = 'name' }: Place & { readonly kind: ReferencedKind; readonly field?: string },
): void {
	if (at(reference, 'optional') === true) return
	add(kind, textAt(reference, field), [...path, field])
}

/**
 * Objects that operators make of another: where its name stands in it, else it has the same name.
 * @see https://external-secrets.io/latest/api/externalsecret/
 * @see https://cert-manager.io/docs/usage/certificate/
 * @see https://github.com/bitnami-labs/sealed-secrets
 */
const MAKERS: Readonly<Record<string, readonly string[]>> = {
	'bitnami.com/SealedSecret': ['spec', 'template', 'metadata', 'name'],
	'external-secrets.io/ExternalSecret': ['spec', 'target', 'name'],
	'cert-manager.io/Certificate': ['spec', 'secretName'],
}

/** What an object brings that others may refer to. */
export function broughtBy(
	object: Fields,
	{ group, kind, namespace }: Omit<Identity, 'place'>,
): readonly Brought[] {
	const name = textAt(object, 'metadata', 'name') ?? ''
	const space = namespace === undefined ? {} : { namespace }
	if (group === '' && (kind === 'ConfigMap' || kind === 'Secret' || kind === 'ServiceAccount')) {
		return [{ kind, name, ...space }]
	}
	// cert-manager makes the Secrets of an Ingress that says so.
	if (group === 'networking.k8s.io' && kind === 'Ingress' && hasIssuer(object)) {
		const brought: Brought[] = []
		each(at(object, 'spec', 'tls'), (entry) =>
			brought.push({ kind: 'Secret', name: textAt(entry, 'secretName') ?? '', ...space }),
		)
		return brought
	}
	const path = MAKERS[`${group}/${kind}`]
	return path === undefined ? [] : [{ kind: 'Secret', name: textAt(object, ...path) ?? name, ...space }]
}

function hasIssuer(object: Fields): boolean {
	const annotations = at(object, 'metadata', 'annotations')
	return (
		isFields(annotations) &&
		['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer', 'kubernetes.io/tls-acme'].some(
			(key) => key in annotations,
		)
	)
}

/** Objects without a namespace go where the Application goes, which is not known: it fits every one. */
function fits(use: Use, brought: Brought): boolean {
	return use.namespace === undefined || brought.namespace === undefined || use.namespace === brought.namespace
}

/** Each object that is referred to and not there, with the first place and how many there are. */
export function missingReferences(
	uses: readonly Use[],
	brought: readonly Brought[],
): readonly { readonly use: Use; readonly count: number }[] {
	const there = new Map<string, Brought[]>()
	for (const each of brought) {
		const key = `${each.kind} ${each.name}`
		const same = there.get(key)
		if (same === undefined) there.set(key, [each])
		else same.push(each)
	}
	const missing = new Map<string, { use: Use; count: number }>()
	for (const use of uses) {
		if (there.get(`${use.kind} ${use.name}`)?.some((each) => fits(use, each)) === true) continue
		const key = `${use.kind} ${use.namespace ?? ''}/${use.name}`
		const known = missing.get(key)
		if (known === undefined) missing.set(key, { use, count: 1 })
		else known.count++
	}
	return [...missing.values()]
}

/** `spec.volumes[0].secret.secretName refers to Secret tls, which the artifact does not contain`. */
export function describeMissing({ use, count }: { readonly use: Use; readonly count: number }): string {
	const others = count === 1 ? '' : ` (${count} references)`
	return `${formatField(use.path)} refers to ${use.kind} ${use.name}, which the artifact does not contain${others}`
}
