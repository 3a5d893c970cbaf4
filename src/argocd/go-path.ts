/** Go's path.Clean for `/`-separated paths: the shortest equal path, `.` for an empty one. */
export function cleanPath(path: string): string {
	const absolute = path.startsWith('/')
	const kept: string[] = []
	for (const part of path.split('/')) {
		if (part === '' || part === '.') continue
		if (part !== '..') kept.push(part)
		else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
		else if (!absolute) kept.push('..')
	}
	const joined = kept.join('/')
	return absolute ? `/${joined}` : joined === '' ? '.' : joined
}

/** Go's path.Join. */
export function joinPath(...parts: readonly string[]): string {
	const joined = parts.filter((part) => part !== '').join('/')
	return joined === '' ? '' : cleanPath(joined)
}

/** Go's filepath.Rel for two cleaned relative paths that do not leave their root. */
export function relativePath(from: string, to: string): string {
	const base = from === '.' ? [] : from.split('/')
	const target = to === '.' ? [] : to.split('/')
	let shared = 0
	while (shared < base.length && shared < target.length && base[shared] === target[shared]) shared += 1
	return cleanPath([...base.slice(shared).map(() => '..'), ...target.slice(shared)].join('/'))
}

/** Go's path.Dir. */
export function parentPath(path: string): string {
	return cleanPath(path.slice(0, path.lastIndexOf('/') + 1))
}

export function baseName(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}

/** Order in which Go walks names: by bytes of UTF-8. */
export function compareNames(left: string, right: string): number {
	return Buffer.compare(Buffer.from(left), Buffer.from(right))
}
