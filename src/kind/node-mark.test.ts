import { describe, expect, it } from 'vitest'
import type { Container } from './docker.ts'
import { markedNodes } from './node-mark.ts'

function node(name: string, mark?: string): Container {
	const role = name.includes('balancer') ? 'external-load-balancer' : 'control-plane'
	const mounts = mark === undefined ? ['/var'] : ['/var', `/opt/lading/${mark}`]
	return { name, mounts, labels: { 'io.x-k8s.kind.role': role } } as Partial<Container> as Container
}

describe('markedNodes', () => {
	it.each<[string, readonly Container[], readonly string[]]>([
		['none', [], []],
		['its own', [node('a', 'm1'), node('b', 'm1')], ['a', 'b']],
		['none of others', [node('a'), node('b', 'm2')], []],
		['its own beside others', [node('a'), node('b', 'm1')], ['b']],
		['the load balancer with all of its nodes', [node('a', 'm1'), node('balancer')], ['a', 'balancer']],
		['not the load balancer of others', [node('a', 'm1'), node('b'), node('balancer')], ['a']],
		['not a load balancer alone, which may be anyone’s', [node('balancer')], []],
	])('finds %s', (_, nodes, found) => {
		expect(markedNodes(nodes, 'm1').map(({ name }) => name)).toEqual(found)
	})
})
