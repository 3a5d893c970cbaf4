import { LadingError } from '../errors/index.ts'
import { argocdChecks } from './argocd-checks.ts'
import type { Check, DoctorContext, Finding } from './check.ts'
import { kindChecks } from './kind-checks.ts'
import { machineChecks } from './machine-checks.ts'
import { registryChecks } from './registry-checks.ts'

/** Every check there is, in the order in which they are told. */
export const checks: readonly Check[] = [...machineChecks, ...kindChecks, ...registryChecks, ...argocdChecks]

/** Runs every check; one that cannot look says so and keeps no other from it. */
export async function diagnose(context: DoctorContext): Promise<readonly Finding[]> {
	const all = await Promise.all(
		checks.map(async ({ name, run }): Promise<readonly Finding[]> => {
			try {
				return await run(context)
			} catch (error) {
				context.signal?.throwIfAborted()
				if (!(error instanceof LadingError)) throw error
				return [{ check: name, status: 'skipped', seen: `could not look: ${error.message}`, fix: error.hint }]
			}
		}),
	)
	return all.flat()
}
