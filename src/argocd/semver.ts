/**
 * Versions and constraints as Argo CD reads them (Masterminds/semver v3.4), which
 * differ from npm's: versions are coerced (`1.2`, `v1`, `20240102`), `1.2` in a
 * constraint means `1.2.x`, and a constraint without a pre-release never matches one.
 */
export interface SemanticVersion {
	readonly major: bigint
	readonly minor: bigint
	readonly patch: bigint
	readonly prerelease: string
	/** As it was written. */
	readonly original: string
}

interface Comparator {
	readonly operator: string
	readonly version: SemanticVersion
	/** Parts that were left out or are `x`. */
	readonly open: 'none' | 'patch' | 'minor' | 'major'
}

/** Alternatives (`||`) of comparators that must all hold. */
export interface VersionConstraint {
	readonly alternatives: readonly (readonly Comparator[])[]
}

/** A longer text is no version of anyone's, and the pattern below must not be fed with it. */
const MAX_LENGTH = 256
const MAX_UINT64 = 2n ** 64n - 1n

const VERSION =
	/^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/

/** Reads a version, or `undefined`: leading zeros of numbers are dropped, those of a pre-release are wrong. */
export function parseVersion(text: string): SemanticVersion | undefined {
	const match = text.length > MAX_LENGTH ? null : VERSION.exec(text)
	if (match === null) return undefined
	const [, major = '0', minor = '0', patch = '0', prerelease = ''] = match
	const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const
	if (numbers.some((number) => number > MAX_UINT64)) return undefined
	if (prerelease.split('.').some((part) => /^0\d+$/.test(part))) return undefined
	return { major: numbers[0], minor: numbers[1], patch: numbers[2], prerelease, original: text }
}

function compareNumbers(left: bigint, right: bigint): number {
	return left === right ? 0 : left < right ? -1 : 1
}

/** Precedence of SemVer 2.0 §11; build metadata does not count. */
export function compareVersions(left: SemanticVersion, right: SemanticVersion): number {
	return (
		compareNumbers(left.major, right.major) ||
		compareNumbers(left.minor, right.minor) ||
		compareNumbers(left.patch, right.patch) ||
		comparePrereleases(left.prerelease, right.prerelease)
	)
}

function comparePrereleases(left: string, right: string): number {
	if (left === right) return 0
	if (left === '') return 1
	if (right === '') return -1
	const lefts = left.split('.')
	const rights = right.split('.')
	for (let index = 0; index < Math.max(lefts.length, rights.length); index += 1) {
		const a = lefts[index]
		const b = rights[index]
		if (a === b) continue
		if (a === undefined) return -1
		if (b === undefined) return 1
		const numeric = [/^\d+$/.test(a), /^\d+$/.test(b)]
		if (numeric[0] && numeric[1]) return compareNumbers(BigInt(a), BigInt(b))
		if (numeric[0]) return -1
		if (numeric[1]) return 1
		return a < b ? -1 : 1
	}
	return 0
}

const PART = String.raw`[0-9xX*|]+`
const SUFFIX = String.raw`(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`
const OPERAND = String.raw`v?${PART}(?:\.${PART})?(?:\.${PART})?${SUFFIX}`
/** Longer operators first: the alternatives are anchored by what follows. */
const OPERATOR = String.raw`(?:!=|>=|=>|<=|=<|~>|=|>|<|~|\^)?`
const TERM = String.raw`${OPERATOR}\s*${OPERAND}`
/** Matched against text whose gaps are one space or one comma, so that it cannot backtrack far. */
const GROUP = new RegExp(String.raw`^ ?${TERM} ?(?:[ ,]${TERM} ?)*$`)
const HYPHEN = new RegExp(String.raw`\s*(${OPERAND})\s+-\s+(${OPERAND})\s*`, 'g')
const ONE = new RegExp(
	String.raw`(${OPERATOR})\s*v?(${PART})(?:\.(${PART}))?(?:\.(${PART}))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`,
	'g',
)

const isOpen = (part: string | undefined): boolean =>
	part === undefined || part === 'x' || part === 'X' || part === '*'

function readComparator(match: RegExpMatchArray): Comparator | undefined {
	const [, operator = '', major, minor, patch, prerelease = ''] = match
	const open = isOpen(major) ? 'major' : isOpen(minor) ? 'minor' : isOpen(patch) ? 'patch' : 'none'
	const text = {
		major: `0.0.0${prerelease}`,
		minor: `${major}.0.0${prerelease}`,
		patch: `${major}.${minor}.0${prerelease}`,
		none: `${major}.${minor}.${patch}${prerelease}`,
	}[open]
	const version = parseVersion(text)
	return version && { operator, version, open }
}

/** Reads a constraint, or `undefined`. A plain version such as `1.2.3` is one too: ask {@link isRange} for Argo CD's view. */
export function parseConstraint(text: string): VersionConstraint | undefined {
	if (text.length > MAX_LENGTH) return undefined
	const alternatives: Comparator[][] = []
	for (const part of text.replaceAll(HYPHEN, '>= $1, <= $2 ').split('||')) {
		const group = part.replaceAll(/\s+/g, ' ').replaceAll(/ ?, ?/g, ',')
		if (!GROUP.test(group)) return undefined
		const comparators = [...group.matchAll(ONE)].map((match) => readComparator(match))
		const whole = comparators.filter((each) => each !== undefined)
		if (whole.length === 0 || whole.length !== comparators.length) return undefined
		alternatives.push(whole)
	}
	return { alternatives }
}

/** Argo CD's IsConstraint: no version, but a constraint. @see argo-cd util/versions/tags.go */
export function isRange(text: string): boolean {
	return parseVersion(text) === undefined && parseConstraint(text) !== undefined
}

export function satisfies(version: SemanticVersion, constraint: VersionConstraint): boolean {
	return constraint.alternatives.some((group) => {
		const prereleases = group.some((each) => each.version.prerelease !== '')
		if (version.prerelease !== '' && !prereleases) return false
		return group.every((each) => holds(version, each))
	})
}

function holds(version: SemanticVersion, comparator: Comparator): boolean {
	const { operator, version: limit, open } = comparator
	switch (operator) {
		case '':
		case '=':
			return open === 'none' ? compareVersions(version, limit) === 0 : tilde(version, comparator)
		case '!=':
			return differs(version, comparator)
		case '>':
			return greater(version, comparator)
		case '<':
			return compareVersions(version, limit) < 0
		case '>=':
		case '=>':
			return compareVersions(version, limit) >= 0
		case '<=':
		case '=<':
			return atMost(version, comparator)
		case '~':
		case '~>':
			return tilde(version, comparator)
		default:
			return caret(version, comparator)
	}
}

function differs(version: SemanticVersion, { version: limit, open }: Comparator): boolean {
	if (open === 'none') return compareVersions(version, limit) !== 0
	if (limit.major !== version.major) return true
	if (open === 'minor') return false
	if (limit.minor !== version.minor) return true
	if (open === 'patch') {
		return (
			(version.prerelease !== '' || limit.prerelease !== '') &&
			comparePrereleases(version.prerelease, limit.prerelease) !== 0
		)
	}
	return compareVersions(version, limit) !== 0
}

function greater(version: SemanticVersion, { version: limit, open }: Comparator): boolean {
	if (open === 'none') return compareVersions(version, limit) > 0
	if (version.major !== limit.major) return version.major > limit.major
	if (open === 'minor') return false
	if (open === 'patch') return version.minor > limit.minor
	return compareVersions(version, limit) > 0
}

function atMost(version: SemanticVersion, { version: limit, open }: Comparator): boolean {
	if (open === 'none') return compareVersions(version, limit) <= 0
	if (version.major > limit.major) return false
	return !(version.major === limit.major && version.minor > limit.minor && open !== 'minor')
}

const isZero = ({ major, minor, patch }: SemanticVersion): boolean =>
	major === 0n && minor === 0n && patch === 0n

function tilde(version: SemanticVersion, { version: limit, open }: Comparator): boolean {
	if (compareVersions(version, limit) < 0) return false
	if (isZero(limit) && open !== 'minor' && open !== 'patch') return true
	if (version.major !== limit.major) return false
	return version.minor === limit.minor || open === 'minor'
}

function caret(version: SemanticVersion, { version: limit, open }: Comparator): boolean {
	if (compareVersions(version, limit) < 0) return false
	if (limit.major > 0n || open === 'minor') return version.major === limit.major
	if (version.major > 0n) return false
	if (limit.minor > 0n || open === 'patch') return version.minor === limit.minor
	if (version.minor > 0n) return false
	return version.patch === limit.patch
}
