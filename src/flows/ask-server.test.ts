import { describe, expect, it } from 'vitest'
import { type DeployedResource, resourcesOf } from '../argocd/index.ts'
import type { ApplyOptions, Cluster, KubeObject } from '../cluster/index.ts'
import { RemoteError } from '../errors/index.ts'
import { askServer } from './ask-server.ts'

interface No {
	readonly reason: string
	readonly message: string
	readonly causes?: readonly { readonly reason: string; readonly message: string; readonly field: string }[]
}

const errorOf = ({ reason, message, causes }: No): RemoteError =>
	new RemoteError(reason === 'Forbidden' ? 'FORBIDDEN' : 'CLUSTER_FAILED', message, {
		wire: {
			method: 'PATCH',
			url: 'https://cluster/',
			errors: [{ code: reason, message, detail: causes && { causes } }],
		},
	})

/** A server that says what a function says, and remembers how it was asked. */
function server(judge: (object: KubeObject) => No | undefined): { cluster: Cluster; asked: ApplyOptions[] } {
	const asked: ApplyOptions[] = []
	const apply: Cluster['apply'] = async (object, options) => {
		asked.push(options)
		const no = judge(object)
		if (no !== undefined) throw errorOf(no)
		return await Promise.resolve(object)
	}
	return { cluster: { apply } as unknown as Cluster, asked }
}

const pod: readonly DeployedResource[] = resourcesOf(
	{
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'a' },
		spec: { containers: [{ name: 'web', imagee: 'x', image: 'y' }], nodes: 1 },
	},
	{ file: 'a.yaml', line: 1 },
)

async function ask(judge: (object: KubeObject) => No | undefined): Promise<readonly string[]> {
	const faults = await askServer(pod, { cluster: server(judge).cluster, namespace: 'shop', inspections: [] })
	return faults.map(({ rule, path, message }) => `${rule.code} ${path.join('.')}: ${message}`)
}

const invalid: No = {
	reason: 'Invalid',
	message: 'Pod "a" is invalid: …',
	causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: "y"', field: 'spec.containers[0].image' }],
}
const INVALID =
	'server-refused spec.containers.0.image: spec.containers[0].image: the API server says: Invalid value: "y"'

describe('askServer', () => {
	it('asks for a strict dry run, in the namespace of the Application', async () => {
		const { cluster, asked } = server(() => undefined)
		expect(await askServer(pod, { cluster, namespace: 'shop', inspections: [] })).toEqual([])
		expect(asked).toEqual([
			expect.objectContaining({ dryRun: true, fieldValidation: 'Strict', force: true, namespace: 'shop' }),
		])
	})

	it('tells every field that is not known, and what the server says behind them', async () => {
		const strict = await ask(({ spec }) => {
			const unknown = JSON.stringify(spec).includes('imagee')
			const message =
				'strict decoding error: unknown field "spec.containers[0].imagee", unknown field "spec.nodes"'
			return unknown ? { reason: 'BadRequest', message } : invalid
		})
		const told = [
			'server-field-unknown spec.containers.0.imagee: spec.containers[0].imagee: the API server says: unknown field "spec.containers[0].imagee"',
			'server-field-unknown spec.nodes: spec.nodes: the API server says: unknown field "spec.nodes"',
			INVALID,
		]
		expect(strict).toEqual(told)
		// Server-side apply names one at a time.
		const typed = await ask(({ spec }) => {
			const text = JSON.stringify(spec)
			const field = text.includes('imagee') ? '.spec.containers[name="web"].imagee' : '.spec.nodes'
			const message = `failed to create typed patch object (/a; v1, Kind=Pod): ${field}: field not declared in schema`
			return /imagee|nodes/.test(text) ? { reason: 'InternalError', message } : invalid
		})
		expect(typed.map((text) => text.split(':')[0])).toEqual(told.map((text) => text.split(':')[0]))
	})

	it('takes what cannot be there yet for a note', async () => {
		expect(await ask(() => ({ reason: 'NotFound', message: 'namespaces "shop" not found' }))).toEqual([
			'server-not-asked : its namespace shop is not in the cluster yet',
		])
		expect(await ask(() => ({ reason: 'NoKindMatch', message: 'no matches for kind Pod' }))).toEqual([
			'server-refused : the API server has no Pod of v1',
		])
	})

	it('fails where nothing may be asked, or the server is not there', async () => {
		await expect(ask(() => ({ reason: 'Forbidden', message: 'no' }))).rejects.toMatchObject({
			code: 'FORBIDDEN',
		})
		await expect(ask(() => ({ reason: 'Unauthorized', message: 'no' }))).rejects.toThrow('no')
	})
})
