import { hash } from 'node:crypto'
import * as v from 'valibot'
import type { ResourceIdentity } from '../argocd/index.ts'
import { openSealedFiles } from '../cache/index.ts'
import type { FileInspection, ReleaseRange } from '../validation/index.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a file was found to be: without a fault, so that only its objects' names are worth keeping. */
export interface CleanFile {
	/** Of its bytes, in hex. */
	readonly sha256: string
	readonly resources: readonly ResourceIdentity[]
	/** What its objects bring and refer to, which is judged together with the other files each time. */
	readonly inspection?: Pick<FileInspection, 'uses' | 'brought' | 'namespaces'> | undefined
}

/** What is judged the same again: the same rules, asked in the same way, of the same directory. */
export interface VerdictScope {
	/** Of everything that decides a verdict. */
	readonly rules: string
	readonly serverSide: boolean
	/** What an API server of these releases would say was asked, too. */
	readonly inspect?: ReleaseRange | undefined
	/** Absolute path. */
	readonly root: string
}

/** Verdicts of an earlier check, by the path in the directory. */
export interface VerdictCache {
	read(scope: VerdictScope): ReadonlyMap<string, CleanFile>
	write(scope: VerdictScope, files: ReadonlyMap<string, CleanFile>): void
}

/** Directories of which verdicts are kept. */
const MAX_SCOPES = 32
/** Of the verdicts of one directory, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

const identitySchema = v.object({
	group: v.string(),
	version: v.string(),
	kind: v.string(),
	namespace: v.optional(v.string()),
	name: v.string(),
	file: v.optional(v.string()),
	line: v.optional(v.number()),
})

const referenceSchema = v.object({
	kind: v.picklist(['ConfigMap', 'Secret', 'ServiceAccount']),
	name: v.string(),
	namespace: v.optional(v.string()),
})

const useSchema = v.object({
	...referenceSchema.entries,
	path: v.array(v.union([v.string(), v.number()])),
	place: v.object({
		file: v.optional(v.string()),
		line: v.optional(v.number()),
		item: v.optional(v.number()),
		object: v.string(),
	}),
})

const inspectionSchema = v.object({
	uses: v.array(useSchema),
	brought: v.array(referenceSchema),
	namespaces: v.array(v.string()),
})

const filesSchema = v.record(
	v.string(),
	v.object({
		sha256: v.string(),
		resources: v.array(identitySchema),
		inspection: v.optional(inspectionSchema),
	}),
)

/** Verdicts in the cache directory of the user. Whatever is wrong with it, files are judged anew; nothing is said. */
export function openVerdictCache(env: Environment): VerdictCache {
	const sealed = openSealedFiles({ env, kind: 'verdicts', maxBytes: MAX_BYTES, maxFiles: MAX_SCOPES })
	return {
		read(scope) {
			const body = sealed.read(nameOf(scope))
			const parsed = body && v.safeParse(filesSchema, JSON.parse(body.toString('utf8')))
			return parsed?.success ? new Map(Object.entries(parsed.output)) : new Map()
		},
		write(scope, files) {
			sealed.write(nameOf(scope), () => Buffer.from(JSON.stringify(Object.fromEntries(files))))
		},
	}
}

/** The digest by which a file is known again. */
export function sha256(bytes: Uint8Array): string {
	return hash('sha256', bytes)
}

/** Of the scope's file, which the seal binds to it. */
function nameOf({ rules, serverSide, inspect, root }: VerdictScope): string {
	const scope = [rules, serverSide, inspect?.oldest, inspect?.newest, root]
	return sha256(Buffer.from(JSON.stringify(scope))).slice(0, 32)
}
