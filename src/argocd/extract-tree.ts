import type { Tree, TreeEntry } from '../artifact/index.ts'
import { unreachable } from '../errors/index.ts'
import { baseName, cleanPath, joinPath, parentPath, relativePath } from './go-path.ts'
import { ArgocdLimit } from './limits.ts'
import { inVersionRanges, type VersionRange } from './version.ts'

/** Versions that extract through an os.Root; the others join paths and compare prefixes. @see argo-cd util/io/files/tar.go */
export const rootedExtraction: readonly VersionRange[] = [
	{ from: '3.3.16', below: '3.4.0' },
	{ from: '3.4.11', below: '3.5.0' },
	{ from: '3.5.5' },
]
/** Versions that keep symlinks absolute on disk, and then refuse every one of them. */
export const absoluteSymlinks: readonly VersionRange[] = [{ from: '3.1.0', below: '3.1.6' }]

export type ExtractedNode =
	| { readonly type: 'directory' }
	/** `entry` is the path by which the content is read from the tree. */
	| { readonly type: 'file'; readonly size: number; readonly entry: string }
	/** `target` is cleaned and relative to the root. */
	| { readonly type: 'symlink'; readonly target: string }

/** What lies on the repo-server's disk after extraction, by cleaned path; the root is `.`. */
export type ExtractedFiles = ReadonlyMap<string, ExtractedNode>

export type ExtractionFault =
	| { readonly rule: 'path-escape'; readonly file: string; readonly argocdMessage: string }
	| {
			readonly rule: 'symlink-escape'
			readonly file: string
			readonly target: string
			readonly argocdMessage: string
	  }
	| {
			readonly rule: 'symlink-unsupported'
			readonly file: string
			readonly target: string
			readonly argocdMessage: string
	  }
	| { readonly rule: 'symlink-before-directory'; readonly file: string; readonly argocdMessage: string }
	| { readonly rule: 'path-through-symlink'; readonly file: string; readonly argocdMessage: string }
	| { readonly rule: 'entry-name'; readonly file: string; readonly argocdMessage: string }
	| { readonly rule: 'path-conflict'; readonly file: string; readonly argocdMessage: string }
	| { readonly rule: 'extracted-size'; readonly file: string; readonly argocdMessage: string }
	/** The limit falls between two entries: Argo CD deploys what came before, and prunes the rest. */
	| { readonly rule: 'extracted-size-silent'; readonly file: string }

export interface Extraction {
	readonly files: ExtractedFiles
	/** The first fault ends the extraction. */
	readonly fault?: ExtractionFault | undefined
	/** Entries Argo CD leaves out without a word. */
	readonly dropped: readonly TreeEntry[]
	/** The entries fill Argo CD's limit to the byte, so that it would not notice what follows. */
	readonly endsAtLimit: boolean
}

interface State {
	readonly files: Map<string, ExtractedNode>
	/** By path as it was written, links and all: where a directory that was made or found really is. Never changes. */
	readonly made: Map<string, string>
	readonly rooted: boolean
}

const BLOCK = 512
/** NAME_MAX of Linux, in bytes. */
const NAME_BYTES = 255
const isTooLong = (name: string): boolean =>
	name.length * 3 > NAME_BYTES && Buffer.byteLength(name) > NAME_BYTES
/** Stands for the temporary directory that Argo CD names in its messages. */
const DESTINATION = '/tmp/<path>'

/** Extracts the entries of a layer as a version of Argo CD would, without touching a disk. */
export function extractTree(tree: Tree, version: string): Extraction {
	const state: State = {
		files: new Map([['.', { type: 'directory' }]]),
		made: new Map(),
		rooted: inVersionRanges(version, rootedExtraction),
	}
	const dropped: TreeEntry[] = []
	let offset = 0
	for (const entry of tree.entries) {
		const header = offset
		offset += BLOCK + (entry.type === 'file' ? Math.ceil(entry.size / BLOCK) * BLOCK : 0)
		const fault =
			sizeFault(entry, { header, end: header + BLOCK + (entry.type === 'file' ? entry.size : 0) }) ??
			placeEntry(state, entry)
		if (fault !== undefined) return { files: state.files, fault, dropped, endsAtLimit: false }
		if (entry.type === 'hardlink' || entry.type === 'other') dropped.push(entry)
	}
	const endsAtLimit = offset === ArgocdLimit.extractedBytes
	const linked = [...state.files].find(([, node]) => node.type === 'symlink')
	if (linked !== undefined && inVersionRanges(version, absoluteSymlinks)) {
		const [file, node] = linked
		return {
			files: state.files,
			dropped,
			endsAtLimit,
			fault: {
				rule: 'symlink-unsupported',
				file,
				target: node.type === 'symlink' ? node.target : '',
				argocdMessage: outOfBounds(file),
			},
		}
	}
	return { files: state.files, dropped, endsAtLimit }
}

export function outOfBounds(file: string): string {
	return `oci image contains out-of-bounds symlinks. file: ${file}`
}

function sizeFault(
	entry: TreeEntry,
	{ header, end }: { readonly header: number; readonly end: number },
): ExtractionFault | undefined {
	const limit = ArgocdLimit.extractedBytes
	if (end <= limit) return undefined
	if (header === limit) return { rule: 'extracted-size-silent', file: entry.path }
	const doing = header + BLOCK > limit ? 'error while iterating on tar reader' : 'error writing tgz file'
	return { rule: 'extracted-size', file: entry.path, argocdMessage: `${doing}: unexpected EOF` }
}

function placeEntry(state: State, entry: TreeEntry): ExtractionFault | undefined {
	const name = state.rooted
		? cleanPath(entry.path).replace(/^\//, '')
		: joinPath('.', entry.path.replace(/^\/+/, ''))
	if (name === '' || name === '.') return undefined
	const escapes = name === '..' || name.startsWith('../')
	if (escapes && !state.rooted) {
		return {
			rule: 'path-escape',
			file: entry.path,
			argocdMessage: `illegal filepath in archive: ${joinPath(DESTINATION, entry.path)}`,
		}
	}
	switch (entry.type) {
		case 'directory':
			return makeDirectories(state, { name, file: entry.path })
		case 'symlink':
			return placeSymlink(state, { name, entry })
		case 'file':
			return placeFile(state, { name, entry })
		case 'hardlink':
		case 'other':
			return undefined
		default:
			return unreachable(entry.type)
	}
}

interface Placement {
	readonly name: string
	readonly entry: TreeEntry
}

/** Makes a directory and its parents; a link to a directory inside the tree is followed. */
function makeDirectories(
	state: State,
	{ name, file }: { readonly name: string; readonly file: string },
): ExtractionFault | undefined {
	const { files, made, rooted } = state
	if (made.has(name)) return undefined
	if (name === '..' || name.startsWith('../')) {
		return {
			rule: 'path-escape',
			file,
			argocdMessage: `error creating nested folders: mkdirat ${name}: path escapes from parent`,
		}
	}
	const parts = name === '.' ? [] : name.split('/')
	let path = ''
	let parent = '.'
	for (let count = 1; count <= parts.length; count += 1) {
		path = count === 1 ? name.slice(0, parts[0]?.length) : `${path}/${parts[count - 1]}`
		const known = made.get(path)
		if (known !== undefined) {
			parent = known
			continue
		}
		const direct = joinPath(parent, parts[count - 1] ?? '')
		const real = made.get(direct) ?? resolveInTree(files, direct)
		const node = files.get(real)
		parent = real
		if (node?.type === 'directory') {
			made.set(path, real).set(direct, real)
			continue
		}
		const link = files.get(path)?.type === 'symlink'
		const call = rooted ? `mkdirat ${path}` : `mkdir ${DESTINATION}/${path}`
		if (isTooLong(parts[count - 1] ?? '')) {
			return {
				rule: 'entry-name',
				file,
				argocdMessage: `error creating nested folders: ${call}: file name too long`,
			}
		}
		if (rooted && link && count < parts.length && linkedAncestor(files, real) === undefined) {
			// A link to nothing on the way makes the directories it names.
			makeDirectories(state, { name: real, file })
			continue
		}
		if (link) {
			return {
				rule: 'path-through-symlink',
				file,
				argocdMessage: `error creating nested folders: ${call}: file exists`,
			}
		}
		if (linkedAncestor(files, real) !== undefined) {
			return {
				rule: 'path-through-symlink',
				file,
				argocdMessage: `error creating nested folders: ${call}: too many levels of symbolic links`,
			}
		}
		if (node !== undefined) {
			return {
				rule: 'path-conflict',
				file,
				argocdMessage: `error creating nested folders: ${inTheWay(path, { rooted, last: count === parts.length })}`,
			}
		}
		files.set(real, { type: 'directory' })
		made.set(path, real)
	}
	return undefined
}

function inTheWay(
	path: string,
	{ rooted, last }: { readonly rooted: boolean; readonly last: boolean },
): string {
	if (!rooted) return `mkdir ${DESTINATION}/${path}: not a directory`
	return last ? `mkdirat ${path}: file exists` : `openat ${path}: not a directory`
}

function placeFile(state: State, { name, entry }: Placement): ExtractionFault | undefined {
	const fault = makeDirectories(state, { name: parentPath(name), file: entry.path })
	if (fault !== undefined) return fault
	if (name === '..') {
		return {
			rule: 'path-escape',
			file: entry.path,
			argocdMessage: 'error creating file "..": openat ..: path escapes from parent',
		}
	}
	const real = resolveInTree(state.files, name)
	const longName = isTooLong(baseName(name)) ? 'file name too long' : undefined
	const problem = longName ?? writeProblem(state.files, real)
	if (problem !== undefined) {
		const call = state.rooted
			? `"${name}": openat ${name}`
			: `"${DESTINATION}/${name}": open ${DESTINATION}/${name}`
		return {
			rule: longName === undefined ? 'path-conflict' : 'entry-name',
			file: entry.path,
			argocdMessage: `error creating file ${call}: ${problem}`,
		}
	}
	state.files.set(real, { type: 'file', size: entry.size, entry: entry.path })
	return undefined
}

/** Why a file cannot be written at a path whose links were followed. */
function writeProblem(files: ExtractedFiles, real: string): string | undefined {
	if (linkedAncestor(files, real) !== undefined) return 'too many levels of symbolic links'
	if (files.get(real)?.type === 'directory') return 'is a directory'
	return files.get(parentPath(real))?.type === 'directory' ? undefined : 'no such file or directory'
}

function placeSymlink(state: State, { name, entry }: Placement): ExtractionFault | undefined {
	const { files, rooted } = state
	const file = entry.path
	const link = entry.linkTarget ?? ''
	const parent = parentPath(name)
	if (rooted) {
		if (name.startsWith('../')) {
			return {
				rule: 'path-escape',
				file,
				argocdMessage: 'error checking symlink parent "..": statat ..: path escapes from parent',
			}
		}
		const ancestor = linkedAncestor(files, parent)
		if (ancestor !== undefined) {
			return {
				rule: 'path-through-symlink',
				file,
				argocdMessage: `illegal symlink parent directory "${ancestor}" for "${name}"`,
			}
		}
		const fault = makeDirectories(state, { name: parent, file })
		if (fault !== undefined) return fault
	}
	const target = joinPath(parent, cleanPath(link).replace(/^\/+/, ''))
	// Before os.Root, a link to the root itself counted as one out of it.
	if (target === '..' || target.startsWith('../') || (!rooted && target === '.')) {
		return {
			rule: 'symlink-escape',
			file,
			target: link,
			argocdMessage: rooted
				? `error checking symlink "${target}" target: statat ${target}: path escapes from parent`
				: `illegal filepath in symlink: ${joinPath(`${DESTINATION}/${parent}`, link)}`,
		}
	}
	const relative = relativePath(parent, target)
	if (name === '..') {
		return {
			rule: 'path-escape',
			file,
			argocdMessage: `error creating symlink: symlinkat ${relative} ..: path escapes from parent`,
		}
	}
	if (files.get(resolveInTree(files, parent))?.type !== 'directory') {
		return {
			rule: 'symlink-before-directory',
			file,
			argocdMessage: `error creating symlink: symlink ${relative} ${DESTINATION}/${name}: no such file or directory`,
		}
	}
	if (files.has(name)) {
		const call = rooted ? `symlinkat ${relative} ${name}` : `symlink ${relative} ${DESTINATION}/${name}`
		return { rule: 'path-conflict', file, argocdMessage: `error creating symlink: ${call}: file exists` }
	}
	files.set(name, { type: 'symlink', target })
	return undefined
}

function linkedAncestor(files: ExtractedFiles, directory: string): string | undefined {
	if (directory === '.') return undefined
	const parts = directory.split('/')
	for (let count = 1; count <= parts.length; count += 1) {
		const path = parts.slice(0, count).join('/')
		if (files.get(path)?.type === 'symlink') return path
	}
	return undefined
}

const MAX_LINKS = 40
/** Longest path of Linux, in bytes: links that turn in circles are not followed beyond it. */
const MAX_PATH = 4096

/** Path with every link on the way followed; where a link dangles or turns in circles, where it got to. */
export function resolveInTree(files: ExtractedFiles, path: string): string {
	let current = path
	for (let links = 0; links < MAX_LINKS && current.length < MAX_PATH; links += 1) {
		const link = linkedAncestor(files, current)
		if (link === undefined) return current
		const node = files.get(link)
		if (node?.type !== 'symlink') return current
		const rest = current.slice(link.length + 1)
		current = rest === '' ? node.target : joinPath(node.target, rest)
	}
	return current
}
