import type { ArtifactFacts } from '../argocd/index.ts'
import { isManifestName, parseInParallel, parseManifests } from '../manifests/index.ts'

/** Facts whose files are read once, and a parser that knows the large part of them already. */
export interface ParsedAhead {
	readonly facts: ArtifactFacts
	readonly parse: typeof parseManifests
}

export interface ParseAheadOptions {
	readonly path?: string | undefined
	readonly recurse?: boolean | undefined
	readonly signal?: AbortSignal | undefined
}

/** Fewer files are parsed faster one after the other. */
const MANY_FILES = 50

/** More than Argo CD takes of a directory is refused without a look into it, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

/** These decide that the directory is rendered, and not parsed. */
const RENDERED = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization|Chart\.yaml)$/

/** Parses ahead, on two threads, what a check of many files is going to ask for. */
export async function parseAhead(facts: ArtifactFacts, options: ParseAheadOptions): Promise<ParsedAhead> {
	const { tree } = facts
	if (!tree) return { facts, parse: parseManifests }
	const isAsked = askedFor(options)
	const asked = tree.entries.filter(({ type, path }) => type === 'file' && isAsked(path))
	const size = asked.reduce((sum, entry) => sum + entry.size, 0)
	if (asked.length < MANY_FILES || size > MAX_BYTES || asked.some(({ path }) => RENDERED.test(path))) {
		return { facts, parse: parseManifests }
	}
	const contents = new Map(asked.map(({ path }) => [path, tree.read(path)]))
	const files = [...contents].flatMap(([path, bytes]) => (bytes ? [{ path, bytes }] : []))
	return {
		facts: { ...facts, tree: { ...tree, read: (path) => contents.get(path) ?? tree.read(path) } },
		parse: await parseInParallel(files, { signal: options.signal }),
	}
}

function askedFor({ path = '.', recurse }: ParseAheadOptions): (file: string) => boolean {
	const prefix = path === '.' ? '' : `${path.replace(/^\.\//, '').replace(/\/+$/, '')}/`
	return (file) =>
		isManifestName(file) &&
		file.startsWith(prefix) &&
		(recurse === true || !file.slice(prefix.length).includes('/'))
}
