import { isPodReady, podsOf, podTrouble } from '../cluster/index.ts'
import { LadingError } from '../errors/index.ts'
import type { NodeFacts, Seen } from '../kind/index.ts'
import type { Check, DoctorContext, Finding } from './check.ts'

const LITTLE_BYTES = 2_000_000_000
const TOO_LITTLE_BYTES = 500_000_000

/** What can be wrong with Docker, a kind cluster and the registry in a container. */
export const kindChecks: readonly Check[] = [
	{ name: 'docker', run: ({ kind }) => (kind ? tool('docker', kind.docker) : []) },
	{ name: 'kind', run: ({ kind }) => (kind?.kind ? tool('kind', kind.kind) : []) },
	{ name: 'kind-cluster', run: checkNodes },
	{ name: 'registry-container', run: checkContainer },
	{ name: 'registry-network', run: checkNetwork },
	{ name: 'registry-name', run: checkName },
	{ name: 'cluster-dns', run: checkDns },
]

function tool(name: string, seen: Seen<string>): readonly Finding[] {
	if (seen.ok) return [{ check: name, status: 'ok', seen: `${name} ${seen.value}` }]
	return [{ check: name, status: 'fault', seen: seen.error.message, fix: seen.error.hint }]
}

function checkNodes({ kind }: DoctorContext): readonly Finding[] {
	if (kind?.cluster === undefined) return []
	const { name, nodes } = kind.cluster
	const base = { check: 'kind-cluster', subject: name }
	const fix = `lading cluster up --cluster kind:${name}`
	if (nodes.length === 0)
		return [
			{ ...base, status: 'fault', seen: `there is no kind cluster ${name}`, why: 'it was removed', fix },
		]
	const found = nodes.flatMap((node) => checkNode(node, { base, fix }))
	return found.length > 0
		? found
		: [{ ...base, status: 'ok', seen: nodes.map((node) => node.name).join(', ') }]
}

function checkNode(
	node: NodeFacts,
	{ base, fix }: { readonly base: Pick<Finding, 'check' | 'subject'>; readonly fix: string },
): readonly Finding[] {
	if (!node.running) return [{ ...base, status: 'fault', seen: `the node ${node.name} does not run`, fix }]
	const found: Finding[] = []
	if (!node.readsCerts) {
		found.push({
			...base,
			status: 'warn',
			seen: `the containerd of ${node.name} reads no certs.d`,
			why: 'pods cannot use images of the local registry; Argo CD is not concerned',
			fix: 'Make the cluster with lading, or with config_path: https://kind.sigs.k8s.io/docs/user/local-registry/',
		})
	}
	if (node.freeBytes !== undefined && node.freeBytes < LITTLE_BYTES) {
		found.push({
			...base,
			status: node.freeBytes < TOO_LITTLE_BYTES ? 'fault' : 'warn',
			seen: `${Math.floor(node.freeBytes / 1_000_000)} MB free where ${node.name} keeps its images`,
			why: 'images can no longer be pulled, and pods are evicted',
			// What is stopped, and what a volume holds, is somebody's.
			fix: 'docker image prune && docker builder prune',
		})
	}
	return found
}

/** What a log says at its end is mostly that it was asked to stop. */
const COMPLAINT = /level=(?:error|fatal|panic)|\b(?:panic|fatal)\b|configuration error/i

function checkContainer({ kind }: DoctorContext): readonly Finding[] {
	if (kind?.registry === undefined) return []
	const { name, container, log } = kind.registry
	const base = { check: 'registry-container', subject: name }
	if (container?.running === true) return [{ ...base, status: 'ok', seen: `${name} runs ${container.image}` }]
	const last = container?.error || log.findLast((line) => COMPLAINT.test(line))
	const seen =
		container === undefined
			? `there is no container ${name}`
			: `${name} does not run: ${container.status}, with exit code ${container.exitCode}`
	return [
		{
			...base,
			status: 'fault',
			seen,
			why:
				container === undefined ? 'it was removed; its content is kept in its volume' : last?.slice(0, 300),
			fix: 'lading registry up',
		},
	]
}

function checkNetwork({ kind }: DoctorContext): readonly Finding[] {
	const container = kind?.registry?.container
	if (kind?.cluster === undefined || container?.running !== true) return []
	const base = { check: 'registry-network', subject: container.name }
	if (container.networks.includes(kind.network))
		return [{ ...base, status: 'ok', seen: `it is on the network ${kind.network}` }]
	return [
		{
			...base,
			status: 'fault',
			seen: `${container.name} is not on the network ${kind.network}`,
			why: 'the nodes and the pods do not find it',
			fix: `docker network connect ${kind.network} ${container.name}`,
		},
	]
}

function checkName({ kind }: DoctorContext): readonly Finding[] {
	const container = kind?.registry?.container
	// One that does not run or is not attached has no name: that is told already.
	if (container?.running !== true || !container.networks.includes(kind?.network ?? '')) return []
	return (kind?.cluster?.nodes ?? [])
		.filter(({ resolves }) => resolves !== undefined)
		.map((node) =>
			node.resolves === true
				? { check: 'registry-name', subject: node.name, status: 'ok', seen: `it finds ${container.name}` }
				: {
						check: 'registry-name',
						subject: node.name,
						status: 'fault',
						seen: `the node ${node.name} does not find the name ${container.name}`,
						why: 'its DNS is not Docker’s: see its /etc/resolv.conf',
						fix: `docker restart ${node.name}`,
					},
		)
}

/** The pods ask CoreDNS, and it asks the node. */
async function checkDns({
	kind,
	cluster,
	kubectl = 'kubectl',
	signal,
}: DoctorContext): Promise<readonly Finding[]> {
	if (kind?.cluster === undefined || cluster === undefined || cluster instanceof LadingError) return []
	const base = { check: 'cluster-dns', subject: 'coredns' }
	const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'coredns', namespace: 'kube-system' }
	const dns = await cluster.get(ref, { signal })
	if (dns === undefined) return [{ ...base, status: 'skipped', seen: 'there is no Deployment coredns' }]
	const pods = await podsOf(cluster, dns, { signal })
	if (pods.some(isPodReady)) return [{ ...base, status: 'ok', seen: 'the cluster’s DNS is ready' }]
	return [
		{
			...base,
			status: 'fault',
			seen: pods.length === 0 ? 'the cluster’s DNS has no pod' : 'the cluster’s DNS is not ready',
			why: pods.map(podTrouble).find((each) => each !== undefined) ?? 'no pod finds the registry’s name',
			fix:
				pods.length === 0
					? `${kubectl} scale -n kube-system deployment coredns --replicas 2`
					: `${kubectl} rollout restart -n kube-system deployment coredns`,
		},
	]
}
