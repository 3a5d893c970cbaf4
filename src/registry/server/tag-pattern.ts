import { UserError } from '../../errors/index.ts'

/** Whether a pattern means a tag of a repository. */
export type TagPattern = (repository: string, tag: string) => boolean

/** @see https://semver.org, with or without `v`; a registry has `_` where semver has `+` */
const SEMVER = /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:[_+][0-9A-Za-z.-]+)?$/
const SEMVER_WORD = 'semver'
const PATTERN = /^[\w.*?/-]{1,256}$/

/**
 * Reads a pattern of tags: a glob (`v*`), `semver` for every semantic version, or either of them after
 * a glob of repositories (`team/*:semver`). `*` is any text, slashes too, `?` one character.
 * @throws UserError `USAGE`
 */
export function parseTagPattern(text: string): TagPattern {
	const at = text.indexOf(':')
	const repository = at < 0 ? '*' : text.slice(0, at)
	const tag = text.slice(at + 1)
	for (const part of [repository, tag]) checkGlob(part, text)
	const matchesTag = tag === SEMVER_WORD ? isSemverTag : (name: string) => matchesGlob(tag, name)
	return (name, each) => matchesGlob(repository, name) && matchesTag(each)
}

/** @throws UserError `USAGE` */
export function checkGlob(glob: string, whole: string = glob): void {
	if (PATTERN.test(glob)) return
	throw new UserError('USAGE', `"${whole}" is not a pattern of tags`, {
		hint: 'Write a glob such as v*, semver for every semantic version, or REPOSITORY:TAG with globs: team/*:v*',
	})
}

function isSemverTag(tag: string): boolean {
	return SEMVER.test(tag)
}

/** Whether a rule's word for tags, a glob or `semver`, means this one. */
export function matchesTagGlob(glob: string, tag: string): boolean {
	return glob === SEMVER_WORD ? isSemverTag(tag) : matchesGlob(glob, tag)
}

/** `*` is any text and `?` one character. Takes glob × text steps at most, whatever the glob. */
export function matchesGlob(glob: string, text: string): boolean {
	let at = 0
	let index = 0
	let star = -1
	let resume = 0
	while (index < text.length) {
		if (glob[at] === '*') {
			star = at++
			resume = index
		} else if (at < glob.length && (glob[at] === '?' || glob[at] === text[index])) {
			at++
			index++
		} else if (star >= 0) {
			at = star + 1
			index = ++resume
		} else return false
	}
	while (glob[at] === '*') at++
	return at === glob.length
}
