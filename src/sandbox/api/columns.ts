import type { KubeObject } from '../../cluster/index.ts'
import type { CellColumn } from './cell-column.ts'
import { podColumns } from './pod-columns.ts'
import { ageOf, humanDuration } from './duration.ts'
import { at, fieldsAt, listAt, numberAt, textAt, textsAt } from './fields.ts'
import { formatSelector } from './selectors.ts'

const NONE = '<none>'

const nameColumn: CellColumn = { name: 'Name', cell: (object) => object.metadata.name }
const ageColumn: CellColumn = {
	name: 'Age',
	cell: (object, now) => ageOf(object.metadata.creationTimestamp, now),
}
const createdAt: CellColumn = {
	name: 'Created At',
	cell: ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
}

function text(name: string, path: string, wide?: true): CellColumn {
	return { name, ...(wide && { wide }), cell: (object) => shown(at(object, ...path.split('.'))) }
}

function count(name: string, path: string): CellColumn {
	return { name, type: 'integer', cell: (object) => numberAt(object, ...path.split('.')) ?? 0 }
}

function shown(value: unknown): string {
	if (value === undefined || value === null || value === '') return NONE
	return typeof value === 'string' ? value : JSON.stringify(value)
}

function joined(values: readonly unknown[], empty = NONE): string {
	return values.length === 0 ? empty : values.map(shown).join(',')
}

const containers = (path: string): readonly CellColumn[] => {
	const of = (object: KubeObject, field: string): string =>
		listAt(object, ...path.split('.'), 'containers')
			.map((each) => textAt(each, field) ?? '')
			.join(',')
	return [
		{ name: 'Containers', wide: true, cell: (object) => of(object, 'name') },
		{ name: 'Images', wide: true, cell: (object) => of(object, 'image') },
	]
}
const workloadContainers = containers('spec.template.spec')
const selector: CellColumn = {
	name: 'Selector',
	wide: true,
	cell: (object) => formatSelector(at(object, 'spec', 'selector')) || NONE,
}

/** Nothing is counted in the sandbox: only what is allowed is shown. */
function quota(object: KubeObject, { limits }: { readonly limits: boolean }): string {
	return Object.entries(textsAt(object, 'spec', 'hard'))
		.filter(([resource]) => resource.startsWith('limits.') === limits)
		.map(([resource, hard]) => `${resource}: 0/${hard}`)
		.join(', ')
}

function apiServiceTarget(object: KubeObject): string {
	const name = textAt(object, 'spec', 'service', 'name')
	return name === undefined ? 'Local' : `${textAt(object, 'spec', 'service', 'namespace') ?? ''}/${name}`
}

function availability(object: KubeObject): string {
	const condition = listAt(object, 'status', 'conditions').find(
		(each) => textAt(each, 'type') === 'Available',
	)
	const status = textAt(condition, 'status') ?? 'Unknown'
	return status === 'True' ? status : `${status} (${textAt(condition, 'reason') ?? 'Sandbox'})`
}

function servicePorts(object: KubeObject): string {
	return joined(
		listAt(object, 'spec', 'ports').map((port) => {
			const nodePort = numberAt(port, 'nodePort')
			const number = numberAt(port, 'port') ?? 0
			return `${number}${nodePort ? `:${nodePort}` : ''}/${textAt(port, 'protocol') ?? 'TCP'}`
		}),
	)
}

function externalAddress(object: KubeObject): string {
	const type = textAt(object, 'spec', 'type')
	if (type === 'ExternalName') return textAt(object, 'spec', 'externalName') ?? NONE
	const addresses = listAt(object, 'status', 'loadBalancer', 'ingress').map(
		(ingress) => textAt(ingress, 'ip') ?? textAt(ingress, 'hostname') ?? '',
	)
	const all = [...addresses, ...listAt(object, 'spec', 'externalIPs')]
	if (all.length > 0) return joined(all)
	return type === 'LoadBalancer' ? '<pending>' : NONE
}

function nodeStatus(object: KubeObject): string {
	const ready = listAt(object, 'status', 'conditions').find(
		(condition) => textAt(condition, 'type') === 'Ready',
	)
	const status = textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady'
	return at(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

const ROLE_LABEL = 'node-role.kubernetes.io/'

function nodeRoles(object: KubeObject): string {
	const roles = Object.keys(textsAt(object, 'metadata', 'labels')).filter((label) =>
		label.startsWith(ROLE_LABEL),
	)
	return joined(roles.map((label) => label.slice(ROLE_LABEL.length)))
}

function nodeAddress(type: string): (object: KubeObject) => string {
	return (object) =>
		textAt(
			listAt(object, 'status', 'addresses').find((each) => textAt(each, 'type') === type),
			'address',
		) ?? NONE
}

function jobDuration(object: KubeObject, now: Date): string {
	const start = Date.parse(textAt(object, 'status', 'startTime') ?? '')
	if (Number.isNaN(start)) return ''
	const end = Date.parse(textAt(object, 'status', 'completionTime') ?? '')
	return humanDuration((Number.isNaN(end) ? now.getTime() : end) - start)
}

function jobStatus(object: KubeObject): string {
	const holds = (type: string): boolean =>
		listAt(object, 'status', 'conditions').some(
			(condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
		)
	if (holds('Complete')) return 'Complete'
	if (holds('Failed')) return 'Failed'
	if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
	return holds('Suspended') ? 'Suspended' : 'Running'
}

function subjects(kind: string): (object: KubeObject) => string {
	return (object) =>
		listAt(object, 'subjects')
			.filter((subject) => textAt(subject, 'kind') === kind)
			.map(
				(subject) =>
					(kind === 'ServiceAccount' ? `${textAt(subject, 'namespace') ?? ''}/` : '') +
					(textAt(subject, 'name') ?? ''),
			)
			.join(', ')
}

const roleBinding: readonly CellColumn[] = [
	nameColumn,
	{
		name: 'Role',
		cell: (object) => `${textAt(object, 'roleRef', 'kind') ?? ''}/${textAt(object, 'roleRef', 'name') ?? ''}`,
	},
	ageColumn,
	{ name: 'Users', wide: true, cell: subjects('User') },
	{ name: 'Groups', wide: true, cell: subjects('Group') },
	{ name: 'ServiceAccounts', wide: true, cell: subjects('ServiceAccount') },
]

const event: readonly CellColumn[] = [
	{
		name: 'Last Seen',
		cell: (object, now) => ageOf(textAt(object, 'lastTimestamp') ?? object.metadata.creationTimestamp, now),
	},
	text('Type', 'type'),
	text('Reason', 'reason'),
	{
		name: 'Object',
		cell: (object) =>
			`${(textAt(object, 'involvedObject', 'kind') ?? '').toLowerCase()}/${textAt(object, 'involvedObject', 'name') ?? ''}`,
	},
	text('Subobject', 'involvedObject.fieldPath', true),
	text('Source', 'source.component', true),
	{ name: 'Message', cell: (object) => (textAt(object, 'message') ?? '').trim() },
	{ name: 'First Seen', wide: true, cell: (object, now) => ageOf(textAt(object, 'firstTimestamp'), now) },
	{ name: 'Count', type: 'integer', wide: true, cell: (object) => numberAt(object, 'count') ?? 1 },
	{ ...nameColumn, wide: true },
]

function endpointAddresses(object: KubeObject): string {
	return joined(
		listAt(object, 'subsets').flatMap((subset) => {
			const ports = listAt(subset, 'ports').map((port) => numberAt(port, 'port') ?? 0)
			return listAt(subset, 'addresses').flatMap((address) =>
				ports.map((port) => `${textAt(address, 'ip') ?? ''}:${port}`),
			)
		}),
	)
}

function keys(...fields: readonly string[]): (object: KubeObject) => number {
	return (object) => fields.reduce((sum, field) => sum + Object.keys(fieldsAt(object, field)).length, 0)
}

function ready(object: KubeObject): string {
	return `${numberAt(object, 'status', 'readyReplicas') ?? 0}/${numberAt(object, 'spec', 'replicas') ?? 0}`
}

const COLUMNS: Readonly<Record<string, readonly CellColumn[]>> = {
	'/pods': podColumns(ageColumn),
	'/events': event,
	'/namespaces': [nameColumn, text('Status', 'status.phase'), ageColumn],
	'/configmaps': [nameColumn, { name: 'Data', type: 'integer', cell: keys('data', 'binaryData') }, ageColumn],
	'/secrets': [
		nameColumn,
		text('Type', 'type'),
		{ name: 'Data', type: 'integer', cell: keys('data') },
		ageColumn,
	],
	'/endpoints': [nameColumn, { name: 'Endpoints', cell: endpointAddresses }, ageColumn],
	'/services': [
		nameColumn,
		text('Type', 'spec.type'),
		text('Cluster-IP', 'spec.clusterIP'),
		{ name: 'External-IP', cell: externalAddress },
		{ name: 'Port(s)', cell: servicePorts },
		ageColumn,
		{
			name: 'Selector',
			wide: true,
			cell: (object) => formatSelector({ matchLabels: at(object, 'spec', 'selector') }) || NONE,
		},
	],
	'/nodes': [
		nameColumn,
		{ name: 'Status', cell: nodeStatus },
		{ name: 'Roles', cell: nodeRoles },
		ageColumn,
		text('Version', 'status.nodeInfo.kubeletVersion'),
		{ name: 'Internal-IP', wide: true, cell: nodeAddress('InternalIP') },
		{ name: 'External-IP', wide: true, cell: nodeAddress('ExternalIP') },
		text('OS-Image', 'status.nodeInfo.osImage', true),
		text('Kernel-Version', 'status.nodeInfo.kernelVersion', true),
		text('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', true),
	],
	'/persistentvolumeclaims': [
		nameColumn,
		text('Status', 'status.phase'),
		{ name: 'Volume', cell: (object) => textAt(object, 'spec', 'volumeName') ?? '' },
		{ name: 'Capacity', cell: (object) => textAt(object, 'status', 'capacity', 'storage') ?? '' },
		{ name: 'Access Modes', cell: (object) => joined(listAt(object, 'spec', 'accessModes'), '') },
		{ name: 'StorageClass', cell: (object) => textAt(object, 'spec', 'storageClassName') ?? '' },
		ageColumn,
	],
	'apps/deployments': [
		nameColumn,
		{ name: 'Ready', cell: ready },
		count('Up-to-date', 'status.updatedReplicas'),
		count('Available', 'status.availableReplicas'),
		ageColumn,
		...workloadContainers,
		selector,
	],
	'apps/replicasets': [
		nameColumn,
		count('Desired', 'spec.replicas'),
		count('Current', 'status.replicas'),
		count('Ready', 'status.readyReplicas'),
		ageColumn,
		...workloadContainers,
		selector,
	],
	'apps/statefulsets': [nameColumn, { name: 'Ready', cell: ready }, ageColumn, ...workloadContainers],
	'apps/daemonsets': [
		nameColumn,
		count('Desired', 'status.desiredNumberScheduled'),
		count('Current', 'status.currentNumberScheduled'),
		count('Ready', 'status.numberReady'),
		count('Up-to-date', 'status.updatedNumberScheduled'),
		count('Available', 'status.numberAvailable'),
		{
			name: 'Node Selector',
			cell: (object) =>
				formatSelector({ matchLabels: at(object, 'spec', 'template', 'spec', 'nodeSelector') }) || NONE,
		},
		ageColumn,
		...workloadContainers,
		selector,
	],
	'batch/jobs': [
		nameColumn,
		{ name: 'Status', cell: jobStatus },
		{
			name: 'Completions',
			cell: (object) =>
				`${numberAt(object, 'status', 'succeeded') ?? 0}/${numberAt(object, 'spec', 'completions') ?? 1}`,
		},
		{ name: 'Duration', cell: jobDuration },
		ageColumn,
		...workloadContainers,
		selector,
	],
	'batch/cronjobs': [
		nameColumn,
		text('Schedule', 'spec.schedule'),
		text('Timezone', 'spec.timeZone'),
		{ name: 'Suspend', cell: (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False') },
		{ name: 'Active', type: 'integer', cell: (object) => listAt(object, 'status', 'active').length },
		{
			name: 'Last Schedule',
			cell: (object, now) => {
				const last = textAt(object, 'status', 'lastScheduleTime')
				return last === undefined ? NONE : ageOf(last, now)
			},
		},
		ageColumn,
		...containers('spec.jobTemplate.spec.template.spec'),
	],
	'networking.k8s.io/ingresses': [
		nameColumn,
		text('Class', 'spec.ingressClassName'),
		{
			name: 'Hosts',
			cell: (object) =>
				joined(
					listAt(object, 'spec', 'rules').map((rule) => textAt(rule, 'host') ?? '*'),
					'*',
				),
		},
		{ name: 'Address', cell: (object) => externalAddress(object).replace(NONE, '') },
		{ name: 'Ports', cell: (object) => (listAt(object, 'spec', 'tls').length > 0 ? '80, 443' : '80') },
		ageColumn,
	],
	'networking.k8s.io/ingressclasses': [
		nameColumn,
		text('Controller', 'spec.controller'),
		text('Parameters', 'spec.parameters.name'),
		ageColumn,
	],
	'networking.k8s.io/networkpolicies': [
		nameColumn,
		{ name: 'Pod-Selector', cell: (object) => formatSelector(at(object, 'spec', 'podSelector')) || NONE },
		ageColumn,
	],
	'/resourcequotas': [
		nameColumn,
		{ name: 'Request', cell: (object) => quota(object, { limits: false }) },
		{ name: 'Limit', cell: (object) => quota(object, { limits: true }) },
		ageColumn,
	],
	'apps/controllerrevisions': [
		nameColumn,
		{
			name: 'Controller',
			cell: (object) => {
				const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true)
				return owner === undefined ? NONE : `${owner.kind.toLowerCase()}.apps/${owner.name}`
			},
		},
		{ name: 'Revision', type: 'integer', cell: (object) => numberAt(object, 'revision') ?? 0 },
		ageColumn,
	],
	'policy/poddisruptionbudgets': [
		nameColumn,
		{ name: 'Min Available', cell: (object) => shown(at(object, 'spec', 'minAvailable') ?? 'N/A') },
		{ name: 'Max Unavailable', cell: (object) => shown(at(object, 'spec', 'maxUnavailable') ?? 'N/A') },
		count('Allowed Disruptions', 'status.disruptionsAllowed'),
		ageColumn,
	],
	'rbac.authorization.k8s.io/roles': [nameColumn, createdAt],
	'rbac.authorization.k8s.io/clusterroles': [nameColumn, createdAt],
	'rbac.authorization.k8s.io/rolebindings': roleBinding,
	'rbac.authorization.k8s.io/clusterrolebindings': roleBinding,
	'storage.k8s.io/storageclasses': [
		nameColumn,
		text('Provisioner', 'provisioner'),
		text('ReclaimPolicy', 'reclaimPolicy'),
		text('VolumeBindingMode', 'volumeBindingMode'),
		{
			name: 'AllowVolumeExpansion',
			type: 'boolean',
			cell: (object) => at(object, 'allowVolumeExpansion') === true,
		},
		ageColumn,
	],
	'coordination.k8s.io/leases': [nameColumn, text('Holder', 'spec.holderIdentity'), ageColumn],
	'discovery.k8s.io/endpointslices': [
		nameColumn,
		text('AddressType', 'addressType'),
		{
			name: 'Ports',
			cell: (object) =>
				joined(
					listAt(object, 'ports').map((port) => at(port, 'port')),
					'<unset>',
				),
		},
		{
			name: 'Endpoints',
			cell: (object) =>
				joined(
					listAt(object, 'endpoints').flatMap((endpoint) => listAt(endpoint, 'addresses')),
					'<unset>',
				),
		},
		ageColumn,
	],
	'apiextensions.k8s.io/customresourcedefinitions': [nameColumn, createdAt],
	'apiregistration.k8s.io/apiservices': [
		nameColumn,
		{ name: 'Service', cell: apiServiceTarget },
		{ name: 'Available', cell: availability },
		ageColumn,
	],
	'autoscaling/horizontalpodautoscalers': [
		nameColumn,
		{
			name: 'Reference',
			cell: (object) =>
				`${textAt(object, 'spec', 'scaleTargetRef', 'kind') ?? ''}/${textAt(object, 'spec', 'scaleTargetRef', 'name') ?? ''}`,
		},
		{ name: 'Targets', cell: () => '<unknown> (sandbox)' },
		text('MinPods', 'spec.minReplicas'),
		count('MaxPods', 'spec.maxReplicas'),
		count('Replicas', 'status.currentReplicas'),
		ageColumn,
	],
	'scheduling.k8s.io/priorityclasses': [
		nameColumn,
		count('Value', 'value'),
		{ name: 'Global-Default', type: 'boolean', cell: (object) => at(object, 'globalDefault') === true },
		ageColumn,
	],
}

/** What `kubectl get` shows of a built-in type. */
export function columnsOf(storageKey: string): readonly CellColumn[] {
	return COLUMNS[storageKey] ?? [nameColumn, ageColumn]
}
