import { inspect as inspectFlow, readReference } from '../../flows/index.ts'
import { formatInspection, inspectionDocument } from '../../output/index.ts'
import type { RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, sessionOf } from '../session.ts'

export interface InspectFlags extends CommonFlags, RegistryFlags {}

export async function inspect(invocation: Invocation, flags: InspectFlags, text: string): Promise<void> {
	const session = sessionOf(invocation)
	const inspection = await inspectFlow(
		session,
		readReference(session, text),
		await accessOf(invocation, flags),
	)
	invocation.output.answer({
		text: formatInspection(inspection, invocation.output.style),
		document: inspectionDocument(inspection),
	})
}
