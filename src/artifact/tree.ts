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
 * What is wrong with the bytes of a layer, as far as a reader of tars can tell. The
 * entries before the fault are in the tree all the same. `inFile`: the fault lies in the
 * content of an entry, and not between two of them.
 */
export type TreeProblem =
	/** The media type says gzip, the bytes do not start like it. */
	| { readonly kind: 'not-gzip'; readonly isEmpty?: boolean | undefined }
	/** Starts like gzip, and breaks later. */
	| { readonly kind: 'gzip-corrupt'; readonly inFile?: boolean | undefined }
	| { readonly kind: 'gzip-truncated'; readonly inFile?: boolean | undefined }
	/** A header that no tar has: not a tar, or a broken one. */
	| { readonly kind: 'not-tar'; readonly detail?: string | undefined }
	/** An entry's name is longer, or lies deeper, than any file system takes. */
	| { readonly kind: 'name-too-long' }
	/** Ends within a header or a file; also a gzip (or anything) of under 512 bytes that is said to be a tar. */
	| { readonly kind: 'tar-truncated'; readonly inFile?: boolean | undefined }
	/** More than `limit` bytes when unpacked. */
	| { readonly kind: 'too-large'; readonly limit: number }
	| { readonly kind: 'too-many-entries'; readonly limit: number }

/**
 * The files an artifact carries, whatever they come from: a directory about to be
 * packed, a tar, a layer in a registry. `read` gives the content of a file whose
 * name a reader of manifests cares for; it is `undefined` for one too large to hold.
 */
export interface Tree {
	readonly entries: readonly TreeEntry[]
	/** Absent for a directory, and for a layer that reads to its end. */
	readonly problem?: TreeProblem | undefined
	read(path: string): Uint8Array | undefined
	/** Of a directory: where a file lies on this machine. */
	locate?(path: string): string | undefined
	/** Of a directory: takes what somebody else read of a file, so that it is read once. */
	keep?(path: string, bytes: Uint8Array): void
}
