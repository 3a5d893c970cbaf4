import { resolve } from 'node:path'
import { scrubRegistry } from '../../flows/index.ts'
import { formatScrub } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { sessionOf } from '../session.ts'

export interface RegistryScrubFlags extends CommonFlags {
	readonly data?: string
}

export async function registryScrub(invocation: Invocation, { data }: RegistryScrubFlags): Promise<number> {
	const { output, cwd } = invocation
	const dataDirectory = data === undefined ? undefined : resolve(cwd, data)
	const report = await scrubRegistry(sessionOf(invocation), { dataDirectory })
	output.answer({ text: formatScrub(report, output.style), document: { scrub: report } })
	return report.damaged.length > 0 ? exitCodes.no : 0
}
