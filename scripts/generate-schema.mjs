// Writes src/schema/kubernetes-schema.ts from the OpenAPI v3 documents of Kubernetes, which know
// every field, and from the Go types, which know what values an enumeration has:
//
//   node scripts/generate-schema.mjs [VERSION] [--print]
//
// VERSION (default v1.37.2) is fetched as the Go modules k8s.io/kubernetes and k8s.io/api, so `go`
// must be on PATH. The output is a pure function of them; --print writes it to stdout instead.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DEFAULT_VERSION = 'v1.37.2'
const OUTPUT = join(import.meta.dirname, '../src/schema/kubernetes-schema.ts')
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

/** Required by the documents, and taken by the API server without: their zero value means something. */
const TOLERATED = new Set([
	'io.k8s.api.batch.v1.PodFailurePolicy rules',
	'io.k8s.api.core.v1.HTTPHeader value',
	'io.k8s.api.core.v1.LimitRangeSpec limits',
	'io.k8s.api.core.v1.PreferredSchedulingTerm preference',
	'io.k8s.api.networking.v1.NetworkPolicySpec podSelector',
	'io.k8s.api.storage.v1.CSIDriver spec',
	'io.k8s.api.storage.v1.CSINodeSpec drivers',
	'io.k8s.api.storage.v1.TokenRequest audience',
	'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion served',
])

/** @param {string} module @returns {string} */
function sourceDirectory(module) {
	const answer = execFileSync('go', ['mod', 'download', '-json', module], {
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

/**
 * The values of every field whose Go type is marked `+enum`, by `DEFINITION FIELD`.
 * @param {string} directory @returns {Map<string, string[]>}
 */
function readEnums(directory) {
	/** @type {Map<string, string[]>} */
	const values = new Map()
	/** @type {[string, string][]} */
	const fields = []
	for (const group of readdirSync(directory, { withFileTypes: true }).filter((entry) =>
		entry.isDirectory(),
	)) {
		for (const version of readdirSync(join(directory, group.name)).filter((name) =>
			/^v\d+((alpha|beta)\d+)?$/.test(name),
		)) {
			const place = `${group.name}/${version}`
			const text = readFileSync(join(directory, place, 'types.go'), 'utf8')
			const imported = new Map(
				[...text.matchAll(/^\s*(\w+) "k8s\.io\/api\/(\S+)"/gm)].map(([, alias, path]) => [alias, path]),
			)
			/** @param {string} type */
			const qualified = (type) => {
				const [alias, name] = type.includes('.') ? type.split('.') : [undefined, type]
				return `${alias === undefined ? place : imported.get(alias)}.${name}`
			}
			for (const [, name] of text.matchAll(/^\/\/ \+enum\n(?:\/\/.*\n)*type (\w+) string/gm))
				values.set(qualified(name), [])
			for (const [, type, value, cast, casted] of text.matchAll(
				/^\s*\w+(?:\s+(\w+)\s*=\s*"([^"]*)"|\s*=\s*(\w+)\("([^"]*)"\))/gm,
			))
				values.get(qualified(type ?? cast))?.push(value ?? casted)
			// A constant that is made of another one is not understood, and so all of its type are not.
			for (const [, type, cast] of text.matchAll(/^\s*\w+(?:\s+(\w+)\s*=\s*[^"\s]|\s*=\s*(\w+)\([^")])/gm))
				values.delete(qualified(type ?? cast))
			let struct = ''
			for (const line of text.split('\n')) {
				struct = /^type (\w+) struct/.exec(line)?.[1] ?? struct
				const [, type, json] = /^\s+\w+\s+(?:\[\]|\*)*([\w.]+)\s+`json:"([^",]+)/.exec(line) ?? []
				if (type) fields.push([`io.k8s.api.${group.name}.${version}.${struct} ${json}`, qualified(type)])
			}
		}
	}
	return new Map(
		fields.flatMap(([field, type]) => (values.get(type)?.length ? [[field, values.get(type) ?? []]] : [])),
	)
}

/** @param {Map<string, Schema>} definitions @param {Map<string, string[]>} enums */
function buildTable(definitions, enums) {
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
		nodes[index] = object(schema, name)
		return index
	}

	/** @param {Schema} schema @param {string} [name] */
	const object = (schema, name) => {
		const required = (schema.required ?? []).filter((field) => !TOLERATED.has(`${name} ${field}`))
		return {
			t: 'm',
			...(schema['x-kubernetes-map-type'] === 'atomic' && { a: 1 }),
			...(required.length > 0 && { r: required }),
			f: Object.fromEntries(
				Object.entries(schema.properties).map(([key, of]) => [key, field(of, enums.get(`${name} ${key}`))]),
			),
		}
	}

	/** What stands at a field and not at its type. @param {Schema} schema @param {string[]} [values] */
	const field = (schema, values) => {
		const index = type(schema, values)
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

	/** @param {Schema} schema @param {string[]} [values] @returns {number} */
	const type = (schema, values) => {
		const reference = referenceOf(schema)
		if (reference !== undefined) return definition(reference)
		const scalar = SCALARS.get(schema.type)
		if (scalar !== undefined)
			return intern({ t: scalar, ...(schema.format && { o: schema.format }), ...(values && { v: values }) })
		if (schema.type === 'array') {
			return intern({
				t: 'l',
				e: type(schema.items, values),
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

const printed = process.argv.includes('--print')
const version = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? DEFAULT_VERSION
const definitions = readDefinitions(sourceDirectory(`k8s.io/kubernetes@${version}`))
const enums = readEnums(sourceDirectory(`k8s.io/api@${version.replace(/^v1/, 'v0')}`))
const table = JSON.stringify({ version: version.slice(1), ...buildTable(definitions, enums) })
const literal = table.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
const source = `/**
 * The types of Kubernetes' API as one JSON document: generated from its OpenAPI v3 documents and
 * its Go types by scripts/generate-schema.mjs, read by built-in-schema.ts. A string, because
 * parsing JSON is faster than evaluating the same literal, and only who asks for a type pays for it.
 */
export const KUBERNETES_SCHEMA: string =
	'${literal}'
`
if (printed) process.stdout.write(source)
else {
	writeFileSync(OUTPUT, source)
	console.log(`${OUTPUT}: ${table.length} bytes`)
}
