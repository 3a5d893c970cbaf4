import { UserError } from '../errors/index.ts'
import { formatReference, type Reference } from '../oci/index.ts'
import { connectRegistry, type RegistryAccess } from './registries.ts'
import type { Session } from './session.ts'

/** All tags of a repository: versions first and newest first, then the others by name. */
export async function listTags(
	session: Session,
	reference: Reference,
	access?: RegistryAccess,
): Promise<readonly string[]> {
	const connection = connectRegistry(session, reference.registry, access)
	try {
		const repository = connection.repository(reference)
		const tags = await repository.tags({ signal: session.signal })
		if (tags === undefined) {
			throw new UserError(
				'NOT_FOUND',
				`there is no repository ${formatReference({ registry: reference.registry, repository: reference.repository })}`,
				{
					hint: `Push to it: lading push DIR ${reference.repository}:v1.0.0`,
				},
			)
		}
		return [...tags].sort(byVersion)
	} finally {
		connection.close()
	}
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:[+_].*)?$/

/** Orders tags: versions before other tags, newest first, a pre-release after its release. */
export function byVersion(left: string, right: string): number {
	const [a, b] = [VERSION.exec(left), VERSION.exec(right)]
	if (!a || !b) return a ? -1 : b ? 1 : left < right ? -1 : left > right ? 1 : 0
	for (const part of [1, 2, 3]) {
		const difference = Number(b[part]) - Number(a[part])
		if (difference !== 0) return difference
	}
	return byPrerelease(a[4], b[4])
}

function byPrerelease(left: string | undefined, right: string | undefined): number {
	if (left === right) return 0
	if (left === undefined) return -1
	if (right === undefined) return 1
	const [a, b] = [left.split('.'), right.split('.')]
	for (let index = 0; index < Math.max(a.length, b.length); index++) {
		const [x, y] = [a[index], b[index]]
		if (x === y) continue
		if (x === undefined) return 1
		if (y === undefined) return -1
		const [numeric, other] = [/^\d+$/.test(x), /^\d+$/.test(y)]
		if (numeric && other) return Number(y) - Number(x)
		if (numeric !== other) return numeric ? 1 : -1
		return x < y ? 1 : -1
	}
	return 0
}
