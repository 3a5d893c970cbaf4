import { parentPort, workerData } from 'node:worker_threads'
import type { ReleaseRange } from '../validation/index.ts'
import { createJudge, type InspectedFile } from './judge-one.ts'
import { SharedFileReader, type SharedFiles } from './shared-files.ts'

/** What the second thread gets. */
export interface JudgeRequest extends SharedFiles {
	readonly serverSide: boolean | undefined
	/** Also what an API server of these releases would say of each object. */
	readonly inspect: ReleaseRange | undefined
}

/** What it found about some of the files, by their numbers; `last` when no file is left. */
export interface JudgeAnswer {
	readonly judged: readonly (readonly [number: number, judged: InspectedFile])[]
	readonly last: boolean
}

/** Answers are put together, so that few messages are needed. */
const FILES_PER_ANSWER = 100

/** The second thread of {@link file://./judge-ahead.ts}. */
async function run(request: JudgeRequest): Promise<void> {
	const reader = new SharedFileReader(request)
	const judge = await createJudge(request)
	let judged: [number, InspectedFile][] = []
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
		judged.push([number, judge({ path, bytes })])
		if (judged.length >= FILES_PER_ANSWER) send(false)
	}
	send(true)
}

await run(workerData)
