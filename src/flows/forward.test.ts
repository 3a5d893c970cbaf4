import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../cluster/index.ts'
import { readPorts } from './forward.ts'

const service = (...ports: readonly { readonly port: number; readonly name?: string }[]): KubeObject => ({
	apiVersion: 'v1',
	kind: 'Service',
	metadata: { name: 'shop' },
	spec: { ports },
})
const web = service({ port: 80, name: 'http' })
const two = service({ port: 80, name: 'http' }, { port: 9090, name: 'metrics' })

describe('readPorts', () => {
	it.each([
		[undefined, web, { local: undefined, port: 80 }],
		['8082:80', web, { local: 8082, port: 80 }],
		[':80', web, { local: 0, port: 80 }],
		['80', web, { local: undefined, port: 80 }],
		['8082:http', web, { local: 8082, port: 80 }],
		['metrics', two, { local: undefined, port: 9090 }],
	])('reads %j', (text, object, expected) => expect(readPorts(text, object)).toEqual(expected))

	it.each([
		[undefined, two, 'has 2 ports'],
		['8082:81', web, 'has no port 81'],
		['x:80', web, '"x:80" are no ports'],
		['8082:80:90', web, 'are no ports'],
		['70000:80', web, '70000 is not a port'],
		['', web, 'are no ports'],
	])('refuses %j', (text, object, message) => {
		expect(() => readPorts(text, object)).toThrow(
			expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
		)
	})
})
