// Writes src/sandbox/api/patch/kubernetes-schema.ts from the OpenAPI v3 documents of Kubernetes:
//
//   node scripts/generate-schema.mjs [VERSION | DIRECTORY]
//
// VERSION (default v1.37.2) is fetched as the Go module k8s.io/kubernetes, so `go` must be on
// PATH; DIRECTORY is an unpacked source tree. The output is a pure function of the documents.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DEFAULT_VERSION = 'v1.37.2'
const OUTPUT = join(import.meta.dirname, '../src/sandbox/api/patch/kubernetes-schema.ts')
const REF = '#/components/schemas/'

/** Definitions whose JSON form the OpenAPI document cannot say, or says by `oneOf`. */
const SPECIAL = new Map([
	['io.k8s.apimachinery.pkg.api.resource.Quantity', 'q'],
	['io.k8s.apimachinery.pkg.util.intstr.IntOrString', 'x'],
	['io.k8s.apimachinery.pkg.runtime.RawExtension', 'u'],
	['io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1', 'u'],
])

const SCALARS = new Map([
	['string', 's'],
	['integer', 'i'],
	['number', 'n'],
	['boolean', 'b'],
])

/** @typedef {Record<string, any>} Schema */

/** @param {string} source @returns {string} */
function sourceDirectory(source) {
	if (existsSync(source)) return source
	const answer = execFileSync('go', ['mod', 'download', '-json', `k8s.io/kubernetes@${source}`], {
		encoding: 'utf8',
		maxBuffer: 1 << 20,
	})
	return JSON.parse(answer).Dir
}

/** Every definition of every group, by name. @param {string} directory @returns {Map<string, Schema>} */
function readDefinitions(directory) {
	const folder = join(directory, 'api/openapi-spec/v3')
	/** @type {Map<string, Schema>} */
	const definitions = new Map()
	for (const file of readdirSync(folder).sort()) {
		const schemas = JSON.parse(readFileSync(join(folder, file), 'utf8')).components?.schemas ?? {}
		for (const [name, schema] of Object.entries(schemas)) definitions.set(name, schema)
	}
	return definitions
}

/** @param {Map<string, Schema>} definitions */
function buildTable(definitions) {
	/** @type {unknown[]} */
	const nodes = []
	/** @type {Map<string, number>} */
	const interned = new Map()
	/** @type {Map<string, number>} */
	const named = new Map()

	/** @param {unknown} node @returns {number} */
	const intern = (node) => {
		const key = JSON.stringify(node)
		const index = interned.get(key) ?? nodes.push(node) - 1
		interned.set(key, index)
		return index
	}

	/** @param {string} name @returns {number} */
	const definition = (name) => {
		const known = named.get(name)
		if (known !== undefined) return known
		const schema = definitions.get(name)
		if (schema === undefined) throw new Error(`no definition ${name}`)
		const special = SPECIAL.get(name)
		if (special !== undefined || schema.properties === undefined) {
			const index = special === undefined ? type(schema) : intern({ t: special })
			named.set(name, index)
			return index
		}
		const index = nodes.push(null) - 1 // the number is needed first: definitions are recursive
		named.set(name, index)
		nodes[index] = object(schema)
		return index
	}

	/** @param {Schema} schema */
	const object = (schema) => ({
		t: 'm',
		...(schema['x-kubernetes-map-type'] === 'atomic' && { a: 1 }),
		...(schema.required && { r: schema.required }),
		f: Object.fromEntries(Object.entries(schema.properties).map(([name, of]) => [name, field(of)])),
	})

	/** What stands at a field and not at its type. @param {Schema} schema */
	const field = (schema) => {
		const index = type(schema)
		const atomic = referenceOf(schema) !== undefined && schema['x-kubernetes-map-type'] === 'atomic'
		const extra = {
			...(schema.default !== undefined && { d: schema.default }),
			...(schema['x-kubernetes-patch-strategy'] && { p: schema['x-kubernetes-patch-strategy'] }),
			...(schema['x-kubernetes-patch-merge-key'] && { k: schema['x-kubernetes-patch-merge-key'] }),
			...(atomic && { a: 1 }),
		}
		return Object.keys(extra).length === 0 ? index : [index, intern(extra)]
	}

	/** @param {Schema} schema @returns {string | undefined} */
	const referenceOf = (schema) =>
		(schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0].$ref : undefined))?.slice(REF.length)

	/** @param {Schema} schema @returns {number} */
	const type = (schema) => {
		const reference = referenceOf(schema)
		if (reference !== undefined) return definition(reference)
		const scalar = SCALARS.get(schema.type)
		if (scalar !== undefined) return intern({ t: scalar, ...(schema.format && { o: schema.format }) })
		if (schema.type === 'array') {
			return intern({
				t: 'l',
				e: type(schema.items),
				...(schema['x-kubernetes-list-type'] && { l: schema['x-kubernetes-list-type'] }),
				...(schema['x-kubernetes-list-map-keys'] && { k: schema['x-kubernetes-list-map-keys'] }),
			})
		}
		if (schema.type === 'object' && schema.properties) return intern(object(schema))
		if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
			return intern({
				t: 'm',
				...(schema['x-kubernetes-map-type'] === 'atomic' && { a: 1 }),
				e: type(schema.additionalProperties),
			})
		}
		return intern({ t: 'u' })
	}

	/** @type {Record<string, Record<string, number>>} */
	const kinds = {}
	for (const name of [...definitions.keys()].sort()) {
		const versions = definitions.get(name)?.['x-kubernetes-group-version-kind'] ?? []
		// DeleteOptions and WatchEvent are of every group: no resource of their own
		if (versions.length !== 1) continue
		const { group, version, kind } = versions[0]
		const apiVersion = group === '' ? version : `${group}/${version}`
		kinds[apiVersion] = { ...kinds[apiVersion], [kind]: definition(name) }
	}
	definition('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
	return { nodes, kinds, meta: named.get('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') }
}

const source = process.argv[2] ?? DEFAULT_VERSION
const table = JSON.stringify(buildTable(readDefinitions(sourceDirectory(source))))
const literal = table.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
writeFileSync(
	OUTPUT,
	`/**
 * The types of Kubernetes' API as one JSON document: generated from its OpenAPI v3 documents by
 * scripts/generate-schema.mjs, read by built-in-schema.ts. A string, because parsing JSON is
 * faster than evaluating the same literal, and only who asks for a type pays for it.
 */
export const KUBERNETES_SCHEMA: string =
	'${literal}'
`,
)
console.log(`${OUTPUT}: ${table.length} bytes`)
