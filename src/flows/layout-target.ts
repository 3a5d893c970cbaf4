import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { besideOf, writeLayoutArchive } from '../artifact/index.ts'
import { createLayoutStore, type LayoutEntry, type LayoutStore } from '../content/index.ts'
import { isSystemError, UserError } from '../errors/index.ts'
import { tellLeftovers } from './leftovers.ts'
import type { Progress } from './progress.ts'

export interface LayoutTargetOptions {
	readonly kind: 'layout' | 'archive'
	/** As the user wrote the path. */
	readonly shown: string
	/** Replace what is there. */
	readonly force?: boolean | undefined
	readonly signal?: AbortSignal | undefined
	/** Told of what killed processes have left there. */
	readonly progress: Progress
}

/** An OCI image layout that is being made: nothing is at its place before it is whole. */
export interface LayoutTarget {
	readonly store: LayoutStore
	/** Names its artifacts and moves it to its place. */
	finish(entries: readonly LayoutEntry[]): Promise<void>
	/** Takes away what was not finished. */
	discard(): void
}

/** What a layout's directory holds; the last three are of oras, and of docker's own archives. */
const LAYOUT_NAMES: ReadonlySet<string> = new Set([
	'oci-layout',
	'index.json',
	'blobs',
	'ingest',
	'manifest.json',
	'repositories',
])

/**
 * Begins a layout at a path that is free, or is given up with `force`: a tar, or a directory that is a layout.
 * @throws UserError `NAME_TAKEN`, `FILE_UNWRITABLE`
 */
export function createLayoutTarget(path: string, options: LayoutTargetOptions): LayoutTarget {
	const { kind, shown, force, signal } = options
	refuseTaken(path, options)
	tellLeftovers(options.progress, path)
	const beside = besideOf(path)
	const tar = `${beside}.tar`
	makeDirectory(beside, shown)
	const store = createLayoutStore(beside, { durable: kind === 'layout' })
	return {
		store,
		async finish(entries) {
			await store.seal(entries)
			signal?.throwIfAborted()
			if (kind === 'archive') await writeLayoutArchive(beside, tar, { signal, consume: true })
			signal?.throwIfAborted()
			refuseTaken(path, options)
			if (kind === 'archive') renameSync(tar, path)
			else replaceDirectory(beside, path)
		},
		discard() {
			rmSync(beside, { recursive: true, force: true })
			rmSync(tar, { force: true })
		},
	}

	function refuseTaken(target: string, of: LayoutTargetOptions): void {
		const found = typeAt(target)
		if (found === 'absent' || (found === 'empty' && of.kind === 'layout')) return
		const isOther = (found === 'file') !== (of.kind === 'archive')
		if (isOther) {
			const what = found === 'file' ? 'a file' : 'a directory'
			throw new UserError('NAME_TAKEN', `${of.shown} is ${what}`, {
				hint: 'A name that ends in .tar is a file, any other a directory.',
			})
		}
		// What is replaced is removed: a project, or a home, is never meant.
		if (found === 'full' && !isLayout(target)) {
			throw new UserError('NAME_TAKEN', `${of.shown} is not empty, and no OCI image layout`, {
				hint: 'Name a directory that is new, empty, or such a layout; --force replaces no other.',
			})
		}
		if (force === true) return
		throw new UserError('NAME_TAKEN', `${of.shown} is there already`, {
			hint: 'Give another name, or --force to replace it.',
		})
	}
}

function typeAt(path: string): 'absent' | 'file' | 'empty' | 'full' {
	const stats = statSync(path, { throwIfNoEntry: false })
	if (!stats) return 'absent'
	if (!stats.isDirectory()) return 'file'
	return readdirSync(path).length === 0 ? 'empty' : 'full'
}

function isLayout(path: string): boolean {
	const names = readdirSync(path)
	return names.includes('oci-layout') && names.every((name) => LAYOUT_NAMES.has(name))
}

function makeDirectory(path: string, shown: string): void {
	try {
		mkdirSync(path)
	} catch (error) {
		if (!isSystemError(error)) throw error
		const why = error.code === 'ENOENT' ? 'its directory does not exist' : String(error.code)
		throw new UserError('FILE_UNWRITABLE', `${shown} cannot be written: ${why}`, { cause: error })
	}
}

/** What was there is moved aside first, and back if the new one cannot take its place. */
function replaceDirectory(from: string, to: string): void {
	const aside = `${from}.old`
	const isThere = typeAt(to) !== 'absent'
	if (isThere) renameSync(to, aside)
	try {
		renameSync(from, to)
	} catch (error) {
		if (isThere) renameSync(aside, to)
		throw error
	}
	rmSync(aside, { recursive: true, force: true })
}
