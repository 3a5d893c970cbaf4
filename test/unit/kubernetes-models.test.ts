import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { builtInSchema, type Field, type TypeSchema } from '../../src/schema/index.ts'

const GENERATED = join(dirname(fileURLToPath(import.meta.resolve('@kubernetes/client-node'))), 'gen')

interface Attribute {
	readonly baseName: string
	readonly type: string
	readonly format: string
}

interface Model {
	readonly attributes: readonly Attribute[]
	readonly required: ReadonlySet<string>
}

const SCALARS = new Set(['string', 'number', 'boolean', 'any', 'Date', 'IntOrString', 'V1MicroTime'])
const models = new Map<string, Model | undefined>()

/** A model, read as text: loading all of them takes longer than the test. */
function modelOf(name: string): Model | undefined {
	if (models.has(name)) return models.get(name)
	let model: Model | undefined
	try {
		const source = readFileSync(join(GENERATED, 'models', `${name}.js`), 'utf8')
		const [, table = '[]'] = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source) ?? []
		const declared = readFileSync(join(GENERATED, 'models', `${name}.d.ts`), 'utf8')
		model = {
			attributes: JSON.parse(table) as Attribute[],
			required: new Set([...declared.matchAll(/^ {4}'([^']+)': /gm)].map(([, field = '']) => field)),
		}
	} catch {
		model = undefined
	}
	models.set(name, model)
	return model
}

/** Every kind that the API classes have a path for: `/apis/apps/v1/…` takes a `V1Deployment`. */
function kinds(): readonly { readonly apiVersion: string; readonly kind: string; readonly model: string }[] {
	const found = new Map<string, { apiVersion: string; kind: string; model: string }>()
	for (const file of readdirSync(join(GENERATED, 'apis')).filter((name) => /V\d\w*Api\.js$/.test(name))) {
		const source = readFileSync(join(GENERATED, 'apis', file), 'utf8')
		const group = /'\/apis?\/((?:[a-z0-9.]+\/)?v\d\w*)\//.exec(source)?.[1]
		if (group === undefined) continue
		for (const [, model = ''] of source.matchAll(/ObjectSerializer\.serialize\(body, "(V\d\w+)"/g)) {
			const kind = model.replace(
				/^(?:Core|Events|Discovery|Flowcontrol|RbacV1)?V\d+(?:(?:alpha|beta)\d+)?/,
				'',
			)
			found.set(`${group} ${kind}`, { apiVersion: group, kind, model })
		}
	}
	return [...found.values()].filter(({ kind }) => !['DeleteOptions', 'Patch'].includes(kind))
}

const inner = (type: string): string => /^(?:Array<|Set<)(.*)>$/.exec(type)?.[1] ?? ''
const valueOf = (type: string): string => /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1] ?? ''

/** What differs between a model and a type, each pair of them looked at once. */
class Comparison {
	readonly differences: string[] = []
	readonly seen = new Set<string>()

	compare(type: string, schema: TypeSchema, path: string): void {
		if (inner(type) !== '') {
			if (schema.kind === 'list') this.compare(inner(type), schema.items, `${path}[]`)
			else this.differ(path, type, schema)
		} else if (valueOf(type) !== '') {
			if (schema.kind === 'map' && schema.values) this.compare(valueOf(type), schema.values, `${path}{}`)
			else this.differ(path, type, schema)
		} else if (SCALARS.has(type)) this.compareScalar(type, schema, path)
		else this.compareModel(type, schema, path)
	}

	private compareScalar(type: string, schema: TypeSchema, path: string): void {
		const is = schema.kind === 'scalar' ? schema.type : schema.kind
		const fits: Readonly<Record<string, readonly string[]>> = {
			string: ['string', 'quantity'],
			number: ['integer', 'number'],
			boolean: ['boolean'],
			any: ['untyped'],
			Date: ['string'],
			V1MicroTime: ['string'],
			IntOrString: ['int-or-string'],
		}
		if (!fits[type]?.includes(is)) this.differ(path, type, schema)
	}

	private compareModel(name: string, schema: TypeSchema, path: string): void {
		const model = modelOf(name)
		if (this.seen.has(name) || model === undefined || schema.kind === 'untyped') return
		this.seen.add(name)
		if (schema.kind !== 'map') {
			this.differ(path, name, schema)
			return
		}
		for (const { baseName, type } of model.attributes) {
			const field: Field | undefined = schema.fields.get(baseName)
			if (field === undefined) this.differences.push(`${name}.${baseName} is not known`)
			else this.compare(type, field.schema, `${name}.${baseName}`)
		}
		for (const field of schema.required) {
			if (!model.required.has(field)) this.differences.push(`${name}.${field} is not required`)
		}
	}

	private differ(path: string, type: string, schema: TypeSchema): void {
		this.differences.push(`${path}: ${type} is ${schema.kind === 'scalar' ? schema.type : schema.kind}`)
	}
}

/** What Kubernetes 1.37 has made otherwise than 1.36, which the client is of. */
const CHANGED = [
	'V1ControllerRevision.data is not required',
	'V1DaemonSet.spec is not required',
	'V1Deployment.spec is not required',
	'V1Device.nodeAllocatableResourceMappings is not known',
	'V1FlowSchema.spec is not required',
	'V1FlowSchemaCondition.type is not required',
	'V1LimitedPriorityLevelConfiguration.limitResponse is not required',
	'V1NodeAllocatableResourceClaimStatus.resources is not known',
	'V1PriorityLevelConfiguration.spec is not required',
	'V1PriorityLevelConfigurationCondition.type is not required',
	'V1ReplicaSet.spec is not required',
	'V1StatefulSet.spec is not required',
	'V1beta1BasicDevice.nodeAllocatableResourceMappings is not known',
	'V1beta2Device.nodeAllocatableResourceMappings is not known',
]

/** The client is made from the same documents as the table, of a release before it, by other people. */
describe('the types of Kubernetes', () => {
	it('are those that the JavaScript client has', () => {
		const comparison = new Comparison()
		const known: string[] = []
		for (const { apiVersion, kind, model } of kinds()) {
			const schema = builtInSchema(apiVersion, kind)
			if (schema === undefined) continue
			known.push(`${apiVersion} ${kind}`)
			comparison.compare(model, schema, kind)
		}
		expect(known).toEqual(
			expect.arrayContaining([
				'v1 Pod',
				'apps/v1 Deployment',
				'networking.k8s.io/v1 Ingress',
				'batch/v1 CronJob',
			]),
		)
		expect(known.length).toBeGreaterThan(60)
		expect(comparison.seen.size).toBeGreaterThan(400)
		expect(comparison.differences.toSorted()).toEqual(CHANGED)
	})
})
