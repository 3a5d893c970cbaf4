/** Why a path was left out: by the built-in list, or by a line of an ignore file of the directory. */
export type IgnoreReason =
	| 'default'
	| {
			/** Path of the ignore file, relative to the directory. */
			readonly file: string
			/** Line in it, from 1. */
			readonly line: number
			readonly pattern: string
	  }

export interface IgnoredPath {
	/** A directory ends in `/` and stands for everything below it. */
	readonly path: string
	readonly reason: IgnoreReason
}

export interface ManifestEntry {
	/** `/`-separated and relative to the directory, without `./`. */
	readonly path: string
	/** Path on this machine. */
	readonly absolute: string
	readonly type: 'file' | 'directory' | 'symlink'
	/** Number of bytes; 0 for what is no file. */
	readonly size: number
	/** Of a symlink: relative, inside the directory. */
	readonly linkTarget?: string | undefined
}

/** The files of a directory that are to be packed. */
export interface ManifestSet {
	/** Absolute path of the directory. */
	readonly root: string
	/** Sorted by the bytes of their UTF-8 path, so that a directory comes before what is in it. */
	readonly entries: readonly ManifestEntry[]
	readonly ignored: readonly IgnoredPath[]
	/** When the last of its files changed, in milliseconds since 1970; `undefined`: that is not known. */
	readonly newestMs?: number | undefined
	/** Full sentences. */
	readonly warnings: readonly string[]
}
