import * as v from 'valibot'

/** A pattern of tags, as the registry reads it: a glob, `semver`, or either after a glob of repositories. */
export const tagPatternField: v.GenericSchema<unknown, string> = v.pipe(
	v.string(),
	v.regex(/^(?:[\w.*?/-]{1,256}:)?[\w.*?/-]{1,256}$/, 'write v*, semver, or REPOSITORY:TAG with globs'),
)
