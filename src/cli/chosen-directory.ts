import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, CONFIG_FILE } from '../config/index.ts'
import { UserError } from '../errors/index.ts'
import type { Invocation } from './invocation.ts'

export interface DirectoryChoice {
	/** As it was given. */
	readonly directory: string | undefined
	readonly config: Config
	/** The command that asks. */
	readonly command: string
}

/** The directory of the manifests: what was given, else what lading.yaml says. @throws UserError `CONFIG_INVALID` */
export function directoryOf({ cwd }: Invocation, { directory, config, command }: DirectoryChoice): string {
	const chosen = directory ?? config.manifests
	if (chosen !== undefined) return chosen
	throw new UserError(
		'CONFIG_INVALID',
		existsSync(join(cwd, CONFIG_FILE))
			? `${CONFIG_FILE} names no manifests`
			: `there is no ${CONFIG_FILE} here`,
		{ hint: `lading init starts a project; or name the directory: lading ${command} DIR` },
	)
}
