import {
	type JudgedFile,
	judgeFile,
	type ManifestFile,
	type ResourceIdentity,
	withoutObjects,
} from '../argocd/index.ts'
import { type ParsedDocument, parseManifests } from '../manifests/index.ts'
import type { FileInspection, ReleaseRange } from '../validation/index.ts'

/** What a file is by itself, and what an API server would say of its objects where that was asked. */
export interface InspectedFile extends JudgedFile<ResourceIdentity> {
	/** Absent where it was not asked, or where the file makes no object. */
	readonly inspection?: FileInspection | undefined
}

export type InspectingJudge = (file: ManifestFile) => InspectedFile

export interface CreateJudgeOptions {
	readonly serverSide: boolean | undefined
	/** Also what an API server of these releases would say of each object. */
	readonly inspect: ReleaseRange | undefined
}

/** A judge of single files. Kubernetes' types are loaded only where they are asked for. */
export async function createJudge({ serverSide, inspect }: CreateJudgeOptions): Promise<InspectingJudge> {
	if (inspect === undefined)
		return (file) => withoutObjects(judgeFile(file, { parse: parseManifests, serverSide }))
	const { inspectFile } = await import('../validation/index.ts')
	return (file) => {
		let documents: readonly ParsedDocument[] = []
		const parse = (bytes: Uint8Array, path: string): readonly ParsedDocument[] =>
			(documents = parseManifests(bytes, path))
		const judged = withoutObjects(judgeFile(file, { parse, serverSide }))
		if (judged.outcome.kind !== 'resources') return judged
		return { ...judged, inspection: inspectFile(documents, { file: file.path, releases: inspect }) }
	}
}
