import { resolve } from 'node:path'
import { dev as devFlow, nameForDirectory } from '../../flows/index.ts'
import { parseReference } from '../../oci/index.ts'
import { asLadingError, UserError } from '../../errors/index.ts'
import { createDevView, devEnd } from '../../output/index.ts'
import { directoryOf } from '../chosen-directory.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ApplicationFlags, ClusterFlags, KindFlags, RegistryFlags } from '../flags.ts'
import type { CommonFlags, Invocation } from '../invocation.ts'
import { accessOf, applicationOf, clusterOf, colorOf, kindOf, sessionOf } from '../session.ts'

export interface DevFlags
	extends CommonFlags, ClusterFlags, RegistryFlags, Omit<ApplicationFlags, 'manual' | 'print'>, KindFlags {
	readonly registry?: string
	readonly name?: string
	readonly port?: number
	readonly image?: string
	readonly force?: boolean
}

export async function dev(
	invocation: Invocation,
	flags: DevFlags,
	directory: string | undefined,
	reference: string | undefined,
): Promise<number> {
	const { context, cwd, signal } = invocation
	const view = createDevView({
		sink: context.stdout,
		json: flags.json ?? false,
		color: colorOf(invocation, flags),
		now: () => performance.now(),
	})
	try {
		const config = await invocation.config()
		const chosen = directoryOf(invocation, { directory, config, command: 'dev' })
		const place = placeOf(reference)
		const name =
			flags.name ??
			place?.repository.split('/').at(-1) ??
			config.name ??
			nameForDirectory(resolve(cwd, chosen))
		return await devFlow(sessionOf(invocation), {
			...clusterOf(invocation, flags, config),
			...kindOf(invocation, flags),
			...applicationOf(flags, config.name === name ? config : {}),
			directory: resolve(cwd, chosen),
			name,
			repository: place?.repository ?? config.repository,
			tag: place?.tag,
			registry: flags.registry,
			port: flags.port,
			image: flags.image,
			force: flags.force,
			access: await accessOf(invocation, flags),
			annotations: config.annotations,
			immutable: config.immutable,
			onEvent: (event) => view.show(event),
		})
	} catch (error) {
		view.close()
		if (flags.json !== true) throw error
		// Whoever reads lines reads this one too.
		const failure = asLadingError(error, signal)
		context.stdout.write(`${devEnd(failure)}\n`)
		return exitCodes[failure.kind]
	}
}

interface Place {
	/** `[registry/]repository`, as it was given. */
	readonly repository: string
	readonly tag: string | undefined
}

/** Reads a reference whose registry need not run yet. */
function placeOf(text: string | undefined): Place | undefined {
	if (text === undefined) return undefined
	const { tag, digest } = parseReference(text, { defaultRegistry: 'localhost' })
	if (digest !== undefined) {
		throw new UserError('USAGE', 'a digest never moves, and every save moves the tag', {
			hint: 'Give a repository, or a repository with a tag: shop:dev',
		})
	}
	const bare = text.replace(/^oci:\/\//, '')
	return { repository: tag === undefined ? bare : bare.slice(0, -(tag.length + 1)), tag }
}
