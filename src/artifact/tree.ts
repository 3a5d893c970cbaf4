/** One entry of a layer, as its tar header tells it. */
export interface TreeEntry {
	/** As written in the archive: `/`-separated; may be hostile (`../x`, `/x`, `./x`). */
	readonly path: string
	readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other'
	/** Number of bytes of the content. */
	readonly size: number
	/** Target of a symlink or hard link. */
	readonly linkTarget?: string | undefined
}

/**
 * The files an artifact carries, whatever they come from: a directory about to be
 * packed, a tar, a layer in a registry. `read` gives the content of a file whose
 * name a reader of manifests cares for; it is `undefined` for one too large to hold.
 */
export interface Tree {
	readonly entries: readonly TreeEntry[]
	read(path: string): Uint8Array | undefined
}
