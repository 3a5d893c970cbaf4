import type { RemovalPlan } from '../flows/index.ts'
import { type Descriptor, formatReference } from '../oci/index.ts'
import { countOf } from './size.ts'
import { createStyle, printableLine, type Style } from './style.ts'

const MAX_LISTED = 20

/** What would go, and what that leaves behind: one fact a line. */
export function formatRemoval(plan: RemovalPlan, style: Style = createStyle(false)): string {
	const { place, manifest, tags, orphans, tagsKnown, referrers, listed, listing, use } = plan
	const lines: string[] = []
	const name = printableLine(formatReference(place))
	if (manifest) {
		lines.push(`${style.bold('deletes')} ${name}@${manifest.digest}`)
		if (tags.length > 0)
			lines.push(`  with ${countOf(tags.length, 'tag')}: ${some(tags.map(({ tag }) => tag))}`)
	} else
		lines.push(
			`${style.bold('takes away')} ${countOf(tags.length, 'tag')} of ${name}: ${some(tags.map(({ tag }) => tag))}`,
		)
	for (const digest of orphans)
		lines.push(`  no tag${tagsKnown ? '' : ' that was looked at'} names ${digest} any more`)
	if (!tagsKnown) lines.push('  there are too many tags to look at each: others may name the same')
	if (referrers.length > 0)
		lines.push(
			`  ${countOf(referrers.length, 'referrer')} would ${manifest ? 'point at nothing' : 'be out of reach'}: ${some(referrers.map(describe))}`,
		)
	if (listed.length > 0)
		lines.push(`  what it lists stays, by digest only: ${some(listed.map(({ digest }) => digest))}`)
	if (listing.length > 0)
		lines.push(
			`  ${style.red('in use')}: ${countOf(listing.length, 'tag')} of an index that lists it: ${some(listing.map(({ tag }) => tag))}`,
		)
	for (const each of use.running)
		lines.push(`  ${style.red('in use')}: the Application ${printableLine(each)} runs it`)
	for (const each of use.following)
		lines.push(`  ${style.red('in use')}: the Application ${printableLine(each)} asks for a tag that goes`)
	for (const each of use.history)
		lines.push(`  the Application ${printableLine(each)} could not be rolled back to it`)
	if (use.users.kind === 'no-cluster')
		lines.push('  no cluster is known: whether an Application runs it was not asked')
	if (use.users.kind === 'unknown')
		lines.push(`  whether an Application runs it is not known: ${printableLine(use.users.error.message)}`)
	return lines.join('\n')
}

function describe({ digest, artifactType, mediaType }: Descriptor): string {
	return `${digest.slice(0, 19)} (${artifactType ?? mediaType})`
}

function some(names: readonly string[]): string {
	const shown = names
		.slice(0, MAX_LISTED)
		.map((name) => printableLine(name))
		.join(', ')
	return names.length > MAX_LISTED ? `${shown} and ${names.length - MAX_LISTED} more` : shown
}

export function removalDocument({
	place,
	manifest,
	use,
	access: _,
	...plan
}: RemovalPlan): Readonly<Record<string, unknown>> {
	const { users, ...applications } = use
	return {
		...place,
		...(manifest && { digest: manifest.digest }),
		...plan,
		applications: { known: users.kind === 'known', ...applications },
	}
}
