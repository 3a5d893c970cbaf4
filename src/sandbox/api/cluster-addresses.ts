import type { KubeObject } from '../../cluster/index.ts'
import { at, fieldsAt, fieldsOf, listAt, numberAt, textAt } from './fields.ts'
import type { ServedResource } from './resource.ts'
import { invalid } from './status-error.ts'
import type { Store } from './store.ts'

const SERVICES = '/services'
const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767

/** Gives Services their cluster IPs (of 10.96.0.0/16) and node ports. */
export class ClusterAddresses {
	private readonly store: Store

	constructor(store: Store) {
		this.store = store
	}

	/** A new Service with its addresses; any other object as it is. */
	allocate(resource: ServedResource, object: KubeObject): KubeObject {
		if (resource.storageKey !== SERVICES) return object
		const spec = fieldsAt(object, 'spec')
		if (spec['type'] === 'ExternalName') return object
		const asked = textAt(spec, 'clusterIP')
		if (asked && asked !== 'None' && this.usedAddresses().has(asked)) {
			const message = `Invalid value: ${JSON.stringify(asked)}: failed to allocate IP ${asked}: provided IP is already allocated`
			throw invalid(resource, object.metadata.name, [
				{ reason: 'FieldValueInvalid', message, field: 'spec.clusterIPs' },
			])
		}
		const clusterIP = asked || this.freeAddress()
		return this.withNodePorts({ ...object, spec: { ...spec, clusterIP, clusterIPs: [clusterIP] } })
	}

	/** After an update: the addresses the Service had, where it does not say otherwise. */
	keep(resource: ServedResource, before: KubeObject, after: KubeObject): KubeObject {
		if (resource.storageKey !== SERVICES) return after
		const spec = fieldsAt(after, 'spec')
		if (spec['type'] === 'ExternalName') return after
		const clusterIP = textAt(spec, 'clusterIP') || textAt(before, 'spec', 'clusterIP') || this.freeAddress()
		const had = listAt(before, 'spec', 'ports')
		const ports = listAt(spec, 'ports').map((port) => {
			const same = had.find(
				(old) => at(old, 'port') === at(port, 'port') && at(old, 'protocol') === at(port, 'protocol'),
			)
			const nodePort = numberAt(port, 'nodePort') ?? numberAt(same, 'nodePort')
			return {
				...fieldsOf(port),
				...(nodePort !== undefined && spec['type'] !== 'ClusterIP' && { nodePort }),
			}
		})
		const kept = { ...spec, clusterIP, clusterIPs: [clusterIP], ...(ports.length > 0 && { ports }) }
		return this.withNodePorts({ ...after, spec: kept })
	}

	private withNodePorts(object: KubeObject): KubeObject {
		const spec = fieldsAt(object, 'spec')
		if (spec['type'] !== 'NodePort' && spec['type'] !== 'LoadBalancer') return object
		const used = new Set(
			this.store
				.list(SERVICES)
				.flatMap(({ spec: other }) => listAt(other, 'ports').map((port) => at(port, 'nodePort'))),
		)
		const ports = listAt(spec, 'ports').map((port) => {
			if (numberAt(port, 'nodePort')) return port
			let nodePort = FIRST_NODE_PORT
			while (used.has(nodePort) && nodePort < LAST_NODE_PORT) nodePort++
			used.add(nodePort)
			return { ...fieldsOf(port), nodePort }
		})
		return { ...object, spec: { ...spec, ports } }
	}

	private usedAddresses(): Set<string> {
		return new Set(this.store.list(SERVICES).map((service) => textAt(service, 'spec', 'clusterIP') ?? ''))
	}

	private freeAddress(): string {
		const used = this.usedAddresses()
		for (let number = 2; number < 65_534; number++) {
			const address = `10.96.${number >> 8}.${number & 255}`
			if (!used.has(address)) return address
		}
		return '10.96.255.254'
	}
}
