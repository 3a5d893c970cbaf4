import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { isSystemError, UserError } from '../errors/index.ts'
import { parseManifests } from './parse-manifests.ts'

export type RenderTool = 'kustomize' | 'helm'

/** Largest kustomization or chart file that is read, in bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** Most directories one kustomization may bring in. */
const MAX_DIRECTORIES = 500

const KUSTOMIZATIONS: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** Fields that hold files or directories, or run something. */
const LOADED_FIELDS: readonly string[] = ['resources', 'bases', 'components', 'crds', 'configurations']
const PLUGIN_FIELDS: readonly string[] = [
	'generators',
	'transformers',
	'validators',
	'helmCharts',
	'helmChartInflationGenerator',
]

/**
 * Refuses before anything runs what would need the network, run a plugin, or read
 * outside `root`, in which the directory lies.
 * @throws UserError `FILE_UNSUPPORTED`, `MANIFEST_UNPARSABLE`, `FILE_UNREADABLE`
 */
export function checkRenderInputs(
	directory: string,
	{ tool, root }: { readonly tool: RenderTool; readonly root: string },
): void {
	const start = realpathSync(directory)
	if (tool === 'helm') checkChart(start)
	else checkKustomization(start, realpathSync(root))
}

function readFields(path: string): Readonly<Record<string, unknown>> {
	try {
		if (statSync(path).size > MAX_FILE_BYTES) throw refused(path, 'it is too large')
		const [document] = parseManifests(readFileSync(path), path)
		const value = document?.value
		return typeof value === 'object' && value !== null && !Array.isArray(value)
			? (value as Readonly<Record<string, unknown>>)
			: {}
	} catch (error) {
		if (isSystemError(error)) {
			throw new UserError('FILE_UNREADABLE', `cannot read ${path}: ${error.code ?? ''}`, { cause: error })
		}
		throw error
	}
}

function readFieldsIfAny(path: string): Readonly<Record<string, unknown>> {
	try {
		return readFields(path)
	} catch (error) {
		if (error instanceof UserError && error.code === 'FILE_UNREADABLE') return {}
		throw error
	}
}

function refused(path: string, what: string): UserError {
	return new UserError('FILE_UNSUPPORTED', `${path} is not rendered: ${what}`, {
		hint: 'Argo CD renders it in the cluster; only what needs no network and no plugin is rendered here.',
	})
}

function strings(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []
}

function checkKustomization(start: string, root: string): void {
	const seen = new Set<string>()
	const pending = [start]
	for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
		if (seen.has(directory)) continue
		seen.add(directory)
		if (seen.size > MAX_DIRECTORIES) throw refused(start, `more than ${MAX_DIRECTORIES} directories`)
		const file = kustomizationIn(directory)
		if (file === undefined) continue
		const fields = readFields(file)
		for (const field of PLUGIN_FIELDS) {
			if (fields[field] !== undefined) throw refused(file, `its ${field} may run a plugin`)
		}
		const address = remoteFile(fields)
		if (address !== undefined) throw refused(file, `it loads ${JSON.stringify(address)} from the network`)
		for (const { field, path } of LOADED_FIELDS.flatMap((field) =>
			strings(fields[field]).map((path) => ({ field, path })),
		)) {
			const target = localTarget(resolve(directory, path))
			if (target === undefined)
				throw refused(file, `${field} has ${JSON.stringify(path)}, which is not in the directory`)
			if (outside(root, target.path))
				throw refused(file, `${field} has ${JSON.stringify(path)}, which is outside the directory`)
			if (target.directory) pending.push(target.path)
		}
	}
}

/** Fields, at any depth, whose text names a file; kustomize fetches one that is an address. */
const FILE_FIELDS: ReadonlySet<string> = new Set(['path', 'files', 'env', 'envs', 'patchesStrategicMerge'])

function remoteFile(value: unknown, field = ''): string | undefined {
	if (typeof value === 'string') {
		return FILE_FIELDS.has(field) && /(?:^|=)\s*https?:\/\//i.test(value) ? value : undefined
	}
	if (typeof value !== 'object' || value === null) return undefined
	for (const [key, each] of Object.entries(value)) {
		const found = remoteFile(each, Array.isArray(value) ? field : key)
		if (found !== undefined) return found
	}
	return undefined
}

function kustomizationIn(directory: string): string | undefined {
	let entries: readonly Dirent[]
	try {
		entries = readdirSync(directory, { withFileTypes: true })
	} catch {
		return undefined
	}
	const name = KUSTOMIZATIONS.find((each) => entries.some((entry) => entry.name === each))
	return name === undefined ? undefined : join(directory, name)
}

/** What is not there would be fetched: kustomize takes any other text for an address. */
function localTarget(path: string): { readonly path: string; readonly directory: boolean } | undefined {
	try {
		const real = realpathSync(path)
		return { path: real, directory: statSync(real).isDirectory() }
	} catch (error) {
		if (isSystemError(error)) return undefined
		throw error
	}
}

function outside(root: string, path: string): boolean {
	const local = relative(root, path)
	return local === '..' || local.startsWith('../') || local.startsWith('..\\')
}

/** Helm's template takes dependencies from `charts/` only; what is declared must stand there. */
function checkChart(root: string): void {
	const chart = join(root, 'Chart.yaml')
	const fields = readFields(chart)
	const requirements = readFieldsIfAny(join(root, 'requirements.yaml'))
	const declared = [fields, requirements].flatMap((each: Readonly<Record<string, unknown>>) =>
		Array.isArray(each['dependencies']) ? (each['dependencies'] as readonly unknown[]) : [],
	)
	const present = chartsIn(join(root, 'charts'))
	for (const dependency of declared) {
		const name =
			typeof dependency === 'object' && dependency !== null && 'name' in dependency
				? dependency.name
				: undefined
		if (typeof name === 'string' && present.some((each) => each === name || each.startsWith(`${name}-`)))
			continue
		throw refused(
			chart,
			`its dependency ${JSON.stringify(name ?? null)} is not in charts/ (helm dependency build fetches it)`,
		)
	}
}

function chartsIn(directory: string): readonly string[] {
	try {
		return readdirSync(directory)
	} catch (error) {
		if (isSystemError(error, 'ENOENT')) return []
		throw error
	}
}
