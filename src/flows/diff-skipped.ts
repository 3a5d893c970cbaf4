import { posix } from 'node:path'
import {
	type ArtifactFacts,
	ASSUMED_ARGOCD_VERSION,
	extractTree,
	resolveInTree,
	type SkippedFile,
} from '../argocd/index.ts'
import { type Digest, digestOf } from '../oci/index.ts'

/** A file of one side whose objects are not known here, and so not compared. */
export interface SkippedOfSide extends SkippedFile {
	readonly side: 'before' | 'after'
	/** What becomes of the file; absent where that is not known, as what it imports may differ. */
	readonly change?: 'added' | 'changed' | 'removed' | undefined
}

/** A file that is not looked into. */
export interface Unread {
	readonly file: SkippedFile
	/** Below the directory that is compared. */
	readonly name: string
	/** Of its bytes; absent where they are not known. */
	readonly digest: Digest | undefined
	/** Of all that it may import; absent where it imports nothing. */
	readonly imports: Digest | undefined
}

/** Without this word no file of jsonnet takes in another, which may have any name. */
const IMPORT = 'import'

export function unreadOf(
	{ tree }: ArtifactFacts,
	{ skipped, path = '.' }: { readonly skipped: readonly SkippedFile[]; readonly path?: string | undefined },
): readonly Unread[] {
	if (tree === undefined || skipped.length === 0) return []
	const { files } = extractTree(tree, ASSUMED_ARGOCD_VERSION)
	const contentOf = (name: string): Uint8Array | undefined => {
		const node = files.get(resolveInTree(files, name))
		return node?.type === 'file' ? tree.read(node.entry) : undefined
	}
	let whole: Digest | undefined
	const digestOfAll = (): Digest =>
		(whole ??= digestOf(
			Buffer.from(
				JSON.stringify(
					[...files.keys()].toSorted().map((name) => [name, digestOf(contentOf(name) ?? new Uint8Array())]),
				),
			),
		))
	return skipped.map((file) => {
		const bytes = contentOf(file.path)
		return {
			file,
			name: posix.relative(path, file.path),
			digest: bytes && digestOf(bytes),
			imports: bytes && Buffer.from(bytes).includes(IMPORT) ? digestOfAll() : undefined,
		}
	})
}

/** Those of both sides that are not the same; `undefined` is a side without files. */
export function skippedOf(
	before: readonly Unread[] | undefined,
	after: readonly Unread[] | undefined,
): readonly SkippedOfSide[] {
	return [
		...differing(before, { side: 'before', others: after }),
		...differing(after, { side: 'after', others: before }),
	]
}

function differing(
	unread: readonly Unread[] = [],
	{ side, others }: { readonly side: SkippedOfSide['side']; readonly others: readonly Unread[] | undefined },
): readonly SkippedOfSide[] {
	const byName = new Map(others?.map((other) => [other.name, other]))
	return unread.flatMap(({ file, name, digest, imports }) => {
		const other = byName.get(name)
		if (others === undefined) return [{ ...file, side }]
		if (!other)
			return [{ ...file, side, change: side === 'before' ? ('removed' as const) : ('added' as const) }]
		if (digest === undefined || other.digest === undefined) return [{ ...file, side }]
		if (digest !== other.digest) return [{ ...file, side, change: 'changed' as const }]
		return imports === other.imports ? [] : [{ ...file, side }]
	})
}
