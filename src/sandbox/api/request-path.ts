/** What the path of a request to the API names. */
export type RequestPath =
	| {
			readonly kind: 'resource'
			readonly group: string
			readonly version: string
			readonly plural: string
			readonly namespace: string | undefined
			readonly name: string | undefined
			readonly subresource: string | undefined
	  }
	| { readonly kind: 'version'; readonly group: string; readonly version: string }
	| { readonly kind: 'group'; readonly group: string }
	| { readonly kind: 'core' }
	| { readonly kind: 'groups' }
	| { readonly kind: 'other'; readonly path: string }

/**
 * Parses a path as the API lays them out.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export function parsePath(path: string): RequestPath {
	const segments: string[] = []
	for (const segment of path.split('/')) {
		if (segment === '') continue
		try {
			segments.push(decodeURIComponent(segment))
		} catch {
			return { kind: 'other', path }
		}
	}
	const [root, ...rest] = segments
	if (root === 'api') {
		const [version, ...more] = rest
		if (version === undefined) return { kind: 'core' }
		return more.length === 0
			? { kind: 'version', group: '', version }
			: resource({ group: '', version }, more)
	}
	if (root !== 'apis') return { kind: 'other', path }
	const [group, version, ...more] = rest
	if (group === undefined) return { kind: 'groups' }
	if (version === undefined) return { kind: 'group', group }
	return more.length === 0 ? { kind: 'version', group, version } : resource({ group, version }, more)
}

const OF_NAMESPACE = new Set(['status', 'finalize'])

function resource(
	type: { readonly group: string; readonly version: string },
	segments: readonly string[],
): RequestPath {
	const [first, namespace, plural = '', ...rest] = segments
	const inside =
		first === 'namespaces' &&
		segments.length > 2 &&
		!(type.group === '' && OF_NAMESPACE.has(plural) && segments.length === 3)
	if (inside) {
		const [name, ...subresource] = rest
		return {
			kind: 'resource',
			...type,
			plural,
			namespace,
			name,
			subresource: subresource.join('/') || undefined,
		}
	}
	const [own = '', name, ...subresource] = segments
	return {
		kind: 'resource',
		...type,
		plural: own,
		namespace: undefined,
		name,
		subresource: subresource.join('/') || undefined,
	}
}
