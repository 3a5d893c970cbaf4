import { parentPort, workerData } from 'node:worker_threads'
import { judgeFile, type JudgedFile, type ResourceIdentity, withoutObjects } from '../argocd/index.ts'
import { parseManifests } from '../manifests/index.ts'
import { SharedFileReader, type SharedFiles } from './shared-files.ts'

/** What the second thread gets. */
export interface JudgeRequest extends SharedFiles {
	readonly serverSide: boolean | undefined
}

/** What it found about some of the files, by their numbers; `last` when no file is left. */
export interface JudgeAnswer {
	readonly judged: readonly (readonly [number: number, judged: JudgedFile<ResourceIdentity>])[]
	readonly last: boolean
}

/** Answers are put together, so that few messages are needed. */
const FILES_PER_ANSWER = 100

/** The second thread of {@link file://./judge-ahead.ts}. */
function run(request: JudgeRequest): void {
	const reader = new SharedFileReader(request)
	const options = { parse: parseManifests, serverSide: request.serverSide }
	let judged: [number, JudgedFile<ResourceIdentity>][] = []
	const send = (last: boolean): void => {
		const answer: JudgeAnswer = { judged, last }
		// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
		parentPort?.postMessage(answer)
		judged = []
	}
	for (let number = reader.next(); number !== undefined; number = reader.next()) {
		const bytes = reader.read(number)
		const path = request.files[number]?.path
		if (bytes === undefined || path === undefined) continue
		judged.push([number, withoutObjects(judgeFile({ path, bytes }, options))])
		if (judged.length >= FILES_PER_ANSWER) send(false)
	}
	send(true)
}

run(workerData)
