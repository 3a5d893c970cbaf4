import type { Tree } from '../artifact/index.ts'
import { type ExtractedFiles, extractTree, resolveInTree } from './extract-tree.ts'
import { compileGlob } from './go-glob.ts'
import { baseName, cleanPath, compareNames } from './go-path.ts'
import { ArgocdLimit } from './limits.ts'
import { type Judge, judgeFile } from './judge-file.ts'
import type { Breach } from './manifest-facts.ts'
import type { GenerationError, ManifestFile, ParseDocuments } from './manifest-file.ts'
import type { DeployedResource, ResourceIdentity } from './resource.ts'
import { ASSUMED_ARGOCD_VERSION } from './version.ts'

export interface SkippedFile {
	readonly path: string
	readonly reason:
		| 'extension'
		| 'subdirectory'
		| 'excluded'
		| 'not-included'
		| 'skip-marker'
		| 'not-a-manifest'
		| 'empty'
		| 'jsonnet'
		| 'dangling-symlink'
		| 'not-a-file'
		| 'dropped'
		| 'unread'
	/** A few words for people. */
	readonly detail: string
}

interface WalkOptions {
	/** Directory inside the artifact; `.`. */
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly include?: string | undefined
	readonly exclude?: string | undefined
}

export interface DirectoryOptions extends WalkOptions {
	readonly parse: ParseDocuments
	/** Version of Argo CD; 3.6.1. */
	readonly version?: string | undefined
}

export interface Generated<R extends ResourceIdentity = DeployedResource> {
	readonly resources: readonly R[]
	readonly skipped: readonly SkippedFile[]
	/** All faults found, in Argo CD's order: it stops at the first. */
	readonly errors: readonly GenerationError[]
}

/**
 * What Argo CD's Directory source makes of an artifact.
 * @see argo-cd reposerver/repository/repository.go findManifests
 */
export function generateDirectory(tree: Tree, options: DirectoryOptions): Generated {
	const { files } = extractTree(tree, options.version ?? ASSUMED_ARGOCD_VERSION)
	const fault = pathFault(files, options.path ?? '.')
	if (fault !== undefined) return { resources: [], skipped: [], errors: [fault] }
	const { resources, skipped, errors } = generateFromFiles(tree, {
		...options,
		files,
		judge: (file) => judgeFile(file, options),
	})
	return { resources, skipped, errors }
}

/** Like {@link generateDirectory}, for a layer that was extracted already and has the directory. */
export function generateFromFiles<R extends ResourceIdentity>(
	tree: Tree,
	options: WalkOptions & { readonly files: ExtractedFiles; readonly judge: Judge<R> },
): Generated<R> & { readonly breaches: readonly Breach[] } {
	const walk = walkManifests(tree, { ...options, root: cleanPath(options.path ?? '.') })
	const resources: R[] = []
	const breaches: Breach[] = []
	const skipped: SkippedFile[] = [...walk.skipped]
	const errors: GenerationError[] = [...walk.errors]
	for (const candidate of walk.candidates) {
		const { outcome, breaches: found } = options.judge(candidate)
		switch (outcome.kind) {
			case 'resources':
				for (const resource of outcome.resources) resources.push(resource)
				for (const breach of found) breaches.push(breach)
				break
			case 'skipped':
				skipped.push({ path: candidate.path, reason: outcome.reason, detail: outcome.detail })
				break
			case 'error':
				errors.push(outcome.error)
				break
		}
	}
	return { resources, skipped, errors, breaches }
}

/** Argo CD's refusal of `source.path`. @see argo-cd util/app/path/path.go */
export function pathFault(files: ExtractedFiles, path: string): GenerationError | undefined {
	const fault = (rule: GenerationError['rule'], detail: string, words: string): GenerationError => ({
		rule,
		file: path,
		detail,
		argocdMessage: `${path}: ${words}`,
		grpcCode: 'Unknown',
	})
	if (path.startsWith('/')) return fault('path-absolute', 'it is absolute', 'app path is absolute')
	const clean = cleanPath(path)
	if (clean === '..' || clean.startsWith('../')) {
		return fault('path-outside', 'it leads out of the artifact', 'app path outside root')
	}
	const node = files.get(resolveInTree(files, clean))
	if (node === undefined || node.type === 'symlink') {
		return fault('path-missing', 'the artifact has no such directory', 'app path does not exist')
	}
	if (node.type === 'file') return fault('path-not-directory', 'it is a file', 'app path is not a directory')
	return undefined
}

interface Walk {
	readonly candidates: readonly ManifestFile[]
	readonly skipped: readonly SkippedFile[]
	readonly errors: readonly GenerationError[]
}

type RootedOptions = WalkOptions & { readonly files: ExtractedFiles; readonly root: string }

const MANIFEST = /\.(?:yaml|yml|json|jsonnet)$/
const SKIP_MARKER = '+argocd:skip-file-rendering'

function walkManifests(tree: Tree, options: RootedOptions): Walk {
	const candidates: ManifestFile[] = []
	const skipped: SkippedFile[] = []
	const errors: GenerationError[] = []
	const filter = compileFilter(options)
	let total = 0
	for (const path of walkFiles(options)) {
		const found = lookAt({ tree, path, options, filter })
		if (found === undefined) continue
		if ('rule' in found) {
			errors.push(found)
			continue
		}
		if ('reason' in found) {
			skipped.push(found)
			continue
		}
		total += found.size
		if (total > ArgocdLimit.directoryManifestBytes) {
			errors.push({
				rule: 'directory-size',
				file: path,
				detail: 'the manifests up to this one pass the limit',
				argocdMessage: 'failed to get potentially valid manifests: exceeded max combined manifest file size',
				grpcCode: 'Unknown',
			})
			break
		}
		candidates.push({ path, bytes: found.bytes })
	}
	return { candidates, skipped, errors }
}

interface Filter {
	readonly include: ((path: string) => boolean) | undefined
	readonly exclude: ((path: string) => boolean) | undefined
}

function compileFilter({ include = '', exclude = '' }: WalkOptions): Filter {
	// A pattern that does not compile matches nothing, as Argo CD has it.
	const compile = (pattern: string): ((path: string) => boolean) | undefined =>
		pattern === '' ? undefined : (compileGlob(pattern) ?? (() => false))
	return { include: compile(include), exclude: compile(exclude) }
}

/** Paths of all that is no directory, in the order of Go's filepath.Walk. */
function walkFiles({ files, root }: RootedOptions): readonly string[] {
	if (files.get(root)?.type !== 'directory') return []
	const prefix = root === '.' ? '' : `${root}/`
	return [...files]
		.filter(([path, node]) => node.type !== 'directory' && path.startsWith(prefix))
		.map(([path]) => path.split('/'))
		.toSorted(comparePaths)
		.map((parts) => parts.join('/'))
}

function comparePaths(left: readonly string[], right: readonly string[]): number {
	for (let index = 0; ; index += 1) {
		const a = left[index]
		const b = right[index]
		if (a === undefined || b === undefined) return left.length - right.length
		const order = compareNames(a, b)
		if (order !== 0) return order
	}
}

interface Look {
	readonly tree: Tree
	readonly path: string
	readonly options: RootedOptions
	readonly filter: Filter
}

function linkLoop(file: string, relative: string): GenerationError {
	return {
		rule: 'symlink-loop',
		file,
		detail: 'it leads back to itself',
		argocdMessage: `failed to get potentially valid manifests: invalid manifest file "/tmp/<path>/${file}": failed to evaluate symlink at "${relative}": EvalSymlinks: too many links`,
		grpcCode: 'Unknown',
	}
}

/** @see argo-cd reposerver/repository/repository.go getPotentiallyValidManifestFile */
function lookAt({
	tree,
	path,
	options,
	filter,
}: Look): SkippedFile | GenerationError | { readonly bytes: Uint8Array; readonly size: number } | undefined {
	const skip = (reason: SkippedFile['reason'], detail: string): SkippedFile => ({ path, reason, detail })
	const { files, root } = options
	const relative = root === '.' ? path : path.slice(root.length + 1)
	const manifest = MANIFEST.test(baseName(path))
	if (relative.includes('/') && options.recurse !== true) {
		return manifest ? skip('subdirectory', 'subdirectories are read with directory.recurse only') : undefined
	}
	if (!manifest) return skip('extension', 'only .yaml, .yml, .json and .jsonnet are read')
	const node = files.get(resolveInTree(files, path))
	if (node === undefined) return skip('dangling-symlink', 'the symlink leads nowhere')
	if (node.type === 'symlink') return linkLoop(path, relative)
	if (node.type === 'directory') return skip('not-a-file', 'it is a symlink to a directory')
	if (filter.exclude?.(relative) === true)
		return skip('excluded', `directory.exclude is ${options.exclude ?? ''}`)
	if (filter.include?.(relative) === false)
		return skip('not-included', `directory.include is ${options.include ?? ''}`)
	if (node.size > ArgocdLimit.directoryManifestBytes) return { bytes: new Uint8Array(), size: node.size }
	const bytes = tree.read(node.entry)
	if (bytes === undefined) return skip('unread', 'it was too large to look into')
	if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(SKIP_MARKER)) {
		return skip('skip-marker', `it says ${SKIP_MARKER}`)
	}
	if (path.endsWith('.jsonnet')) return skip('jsonnet', 'Argo CD evaluates it; lading does not')
	return { bytes, size: node.size }
}
