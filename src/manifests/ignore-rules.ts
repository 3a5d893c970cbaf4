import ignore, { type Ignore } from 'ignore'
import { defaultIgnorePatterns } from './default-ignore.ts'
import type { IgnoreReason } from './manifest-set.ts'

/** Files whose lines leave paths out; of one directory, the later win over the earlier. */
export const ignoreFileNames: readonly string[] = ['.gitignore', '.sourceignore', '.ladingignore']

/** The rules of one directory, which hold for all below it. */
interface Level {
	/** Path of the directory with a trailing slash, `''` for the root. */
	readonly prefix: string
	readonly matcher: Ignore
}

/** What the rules say of a path. */
export type Verdict =
	| { readonly kind: 'ignored'; readonly reason: IgnoreReason }
	/** Left out by a rule, and taken back by a line with `!` that wins over it. */
	| { readonly kind: 'kept'; readonly leftOutByDefault: boolean }
	| undefined

const DEFAULT_MARK = 'default'

function matcher(): Ignore {
	// Case counts on every machine, also where git was told that it does not.
	return ignore({ ignorecase: false })
}

const defaults = matcher().add(defaultIgnorePatterns.map((pattern) => ({ pattern, mark: DEFAULT_MARK })))

/**
 * What a path must end with to be left out by the built-in list: those patterns name a file or a directory wherever it is, and
 * nothing below one that is left out is asked for. Nearly every path passes by this one look.
 */
const MAYBE_DEFAULT = new RegExp(
	`(?:^|/)(?:${defaultIgnorePatterns.map((pattern) => pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')).join('|')})/?$`,
)

function test({ matcher, prefix }: Level, path: string): ReturnType<Ignore['test']> | undefined {
	if (matcher === defaults && !MAYBE_DEFAULT.test(path)) return undefined
	return matcher.test(path.slice(prefix.length))
}

/**
 * Ignore rules as git has them: a deeper directory's win over those above it, within a
 * file the last line that matches wins, and nothing below an ignored directory can be
 * taken back in (the walk does not go there).
 */
export class IgnoreRules {
	readonly #levels: readonly Level[]

	private constructor(levels: readonly Level[]) {
		this.#levels = levels
	}

	static readonly none: IgnoreRules = new IgnoreRules([{ prefix: '', matcher: defaults }])

	/** These rules and those of the ignore files of a directory (`''` or `a/b/`). */
	with(prefix: string, files: readonly { readonly name: string; readonly content: string }[]): IgnoreRules {
		const level = matcher()
		for (const { name, content } of files) {
			const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/)
			level.add(
				lines.map((pattern, index) => ({
					pattern,
					mark: JSON.stringify({ file: `${prefix}${name}`, line: index + 1 }),
				})),
			)
		}
		return new IgnoreRules([...this.#levels, { prefix, matcher: level }])
	}

	/** @param path relative to the root; a directory's ends in `/` */
	verdict(path: string): Verdict {
		for (const level of this.#levels.toReversed()) {
			const result = test(level, path)
			if (result?.ignored === true) return { kind: 'ignored', reason: reasonOf(result.rule) }
			if (result?.unignored === true) return this.#kept(path)
		}
		return undefined
	}

	#kept(path: string): Verdict {
		const overruled = this.#levels.filter((level) => ignores(level, path))
		if (overruled.length === 0) return undefined
		return { kind: 'kept', leftOutByDefault: overruled.some((level) => level.matcher === defaults) }
	}

	/**
	 * The rules for what is in a directory that was taken back (`a/b/`). Those that left it
	 * out would leave out all that is in it, so they start anew there.
	 */
	within(path: string): IgnoreRules {
		return new IgnoreRules(
			this.#levels.map((level) => (ignores(level, path) ? { prefix: path, matcher: level.matcher } : level)),
		)
	}
}

function ignores(level: Level, path: string): boolean {
	return level.matcher.ignores(path.slice(level.prefix.length))
}

function reasonOf(
	rule: { readonly pattern: string; readonly mark?: string | undefined } | undefined,
): IgnoreReason {
	if (rule?.mark === undefined || rule.mark === DEFAULT_MARK) return 'default'
	const { file, line } = JSON.parse(rule.mark) as { readonly file: string; readonly line: number }
	return { file, line, pattern: rule.pattern }
}
