import { ASSUMED_ARGOCD_VERSION } from '../../argocd/index.ts'
import { check as checkFlow } from '../../flows/index.ts'
import { formatVerdict, verdictDocument } from '../../output/index.ts'
import { exitCodes } from '../exit-codes.ts'
import type { JudgeFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface CheckFlags extends CommonFlags, RegistryFlags, JudgeFlags {}

export async function check(invocation: Invocation, flags: CheckFlags, what: string): Promise<number> {
	const { output } = invocation
	const version = flags.argocdVersion ?? ASSUMED_ARGOCD_VERSION
	const result = await checkFlow(sessionOf(invocation), what, {
		access: await accessOf(invocation, flags),
		version,
		path: flags.path,
		recurse: flags.recurse,
		serverSide: flags.serverSide,
		cache: flags.cache,
	})
	output.answer({
		text: formatVerdict(result, { what, version, style: output.style }),
		document: verdictDocument(result, { version }),
	})
	return result.verdict.accepted ? 0 : exitCodes.no
}
