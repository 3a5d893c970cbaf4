import { lstatSync, readFileSync } from 'node:fs'
import { isSystemError, UserError } from '../../errors/index.ts'
import { isManifestName, type ManifestEntry, parseManifests, readManifestSet } from '../../manifests/index.ts'
import type { Session } from '../session.ts'

export interface ParsableOptions {
	readonly directory: string
	/** Path inside the directory that is deployed; `.`. */
	readonly path?: string | undefined
	/** Whether what stands in subdirectories is deployed too. */
	readonly recurse?: boolean | undefined
}

/** Argo CD does not read a file that has this in it. */
const SKIP_MARKER = '+argocd:skip-file-rendering'
/** Larger files are no manifests to Argo CD, in bytes. */
const MAX_BYTES = 10_000_000

/**
 * Refuses manifests that do not parse, also those that Argo CD would pass over: who is writing one
 * has not finished. What was parsed and has not changed since is not read again.
 */
export class ParsableManifests {
	readonly #options: ParsableOptions
	/** What a file was when it parsed, by its path. */
	#parsed = new Map<string, string>()

	constructor(options: ParsableOptions) {
		this.#options = options
	}

	/** @throws UserError `MANIFEST_UNPARSABLE` with file, line and column; those of reading a directory */
	async require({ signal }: Session): Promise<void> {
		const { entries } = await readManifestSet(this.#options.directory, { signal })
		const parsed = new Map<string, string>()
		const faults: UserError[] = []
		for (const { path, absolute } of deployedFiles(entries, this.#options)) {
			const state = stateOf(absolute)
			if (state === undefined) continue
			const fault = this.#parsed.get(path) === state ? undefined : faultOf(path, absolute)
			if (fault === undefined) parsed.set(path, state)
			else faults.push(fault)
		}
		this.#parsed = parsed
		const [first, ...others] = faults
		if (first === undefined) return
		throw new UserError('MANIFEST_UNPARSABLE', first.message, {
			details: [
				...first.details,
				...others.flatMap(({ message, details }) => [message, ...details.map((line) => `  ${line}`)]),
			],
			hint: first.hint ?? 'Mend the file: it is pushed as soon as it is saved.',
			cause: first,
		})
	}
}

/** The files that Argo CD, or Kustomize for it, would read; templates of Helm are no YAML. */
function deployedFiles(
	entries: readonly ManifestEntry[],
	{ path = '.', recurse }: ParsableOptions,
): readonly ManifestEntry[] {
	const prefix = path === '.' ? '' : `${path.replace(/^\.\//, '').replace(/\/+$/, '')}/`
	const files = entries.filter(({ type }) => type === 'file')
	const charts = files.flatMap((each) =>
		/(?:^|\/)Chart\.yaml$/.test(each.path) ? [each.path.slice(0, -'Chart.yaml'.length)] : [],
	)
	const isRendered = files.some(({ path: each }) =>
		/^(?:kustomization\.ya?ml|Kustomization)$/.test(each.startsWith(prefix) ? each.slice(prefix.length) : ''),
	)
	return files.filter(({ path: each, size }) => {
		if (!isManifestName(each) || each.endsWith('.jsonnet') || size > MAX_BYTES) return false
		if (charts.some((chart) => each.startsWith(`${chart}templates/`))) return false
		if (isRendered) return true
		return each.startsWith(prefix) && (recurse === true || !each.slice(prefix.length).includes('/'))
	})
}

/** Another text for another content; `undefined` for a file that is gone. */
function stateOf(absolute: string): string | undefined {
	try {
		const { ino, size, mtimeNs, ctimeNs } = lstatSync(absolute, { bigint: true })
		return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
	} catch (error) {
		if (isSystemError(error)) return undefined
		throw error
	}
}

function faultOf(path: string, absolute: string): UserError | undefined {
	try {
		const bytes = readFileSync(absolute)
		if (!bytes.includes(SKIP_MARKER)) parseManifests(bytes, path)
		return undefined
	} catch (error) {
		if (error instanceof UserError) return error
		// Gone in between, or not to be read: who packs it says so.
		if (isSystemError(error)) return undefined
		throw error
	}
}
