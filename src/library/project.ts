import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asLadingError, UserError } from '../errors/index.ts'
import {
	type ClusterChoice,
	type Launcher,
	openWorkspace,
	type Progress,
	readReference,
	type RegistryAccess,
	type Session,
	silentProgress,
} from '../flows/index.ts'
import type { Reference } from '../oci/index.ts'

/** What every function of the library takes. */
export interface ProjectOptions {
	/**
	 * Directory of the project: `.lading/` stands there, and every relative path starts there.
	 * Default: the working directory of the process. `lading.yaml` is not read.
	 */
	readonly cwd?: string | undefined
	/**
	 * Environment variables: where credentials are found (`HOME`, `DOCKER_CONFIG`), proxies, `SSL_CERT_FILE`,
	 * tools (`PATH`), `KUBECONFIG`. Default: those of the process. `LADING_USERNAME` and its like are the
	 * command line's: `access.credentials` stands for them here.
	 */
	readonly env?: Readonly<Record<string, string | undefined>> | undefined
	/** Ends the call: it rejects with `INTERRUPTED`, and nothing is left half-written. */
	readonly signal?: AbortSignal | undefined
	/** Told what is going on, and of warnings. Default: nobody is; nothing is ever printed. */
	readonly progress?: Progress | undefined
}

/** What functions take that start servers in the background. */
export interface LauncherOptions {
	/** How the command `lading` is run again as a server. Default: that of this package, with this Node.js. */
	readonly launcher?: Launcher | undefined
}

/** What functions take that refresh Applications after a push. */
export interface RefreshOptions extends ClusterChoice {
	/**
	 * Refresh the Applications that follow the tags that moved: true demands a cluster, `'if-known'` does nothing
	 * where none is known. A refresh that fails is a warning. Absent: this call refreshes none, but the project's
	 * own registry may; false: nobody does.
	 */
	readonly refresh?: boolean | 'if-known' | undefined
}

/** An artifact's place, as a user types it or parsed. Without a registry, the project's own is meant. */
export type ReferenceLike = string | Reference

/** A server in this process. */
export interface RunningServer {
	readonly port: number
	readonly url: string
	/** Lets requests under way finish, and frees port and directory. */
	close(): Promise<void>
}

/** A call of the library: what flows work with. */
export interface Project {
	readonly session: Session
	/** Absolute. */
	readonly cwd: string
	/** A path of the caller's, absolute. */
	readonly at: (path: string) => string
	/** @throws UserError `REFERENCE_INVALID`, `REGISTRY_UNKNOWN` */
	readonly reference: (of: ReferenceLike) => Reference
	readonly access: (of: RegistryAccess | undefined) => RegistryAccess
	readonly cluster: (of: ClusterChoice) => ClusterChoice
	/** Runs a task while no other lading changes this project. */
	readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>
}

/** Runs a call; whatever it fails with is an error with a code. */
export async function inProject<T>(
	options: ProjectOptions & LauncherOptions,
	task: (project: Project) => Promise<T>,
): Promise<T> {
	try {
		options.signal?.throwIfAborted()
		return await task(openProject(options))
	} catch (error) {
		throw asLadingError(error, options.signal)
	}
}

function openProject(options: ProjectOptions & LauncherOptions): Project {
	const { signal, progress = silentProgress } = options
	const env = withoutCommandLine(options.env ?? process.env)
	const cwd = resolve(options.cwd ?? process.cwd())
	const workspace = openWorkspace(cwd)
	const session: Session = {
		workspace,
		env,
		progress,
		signal,
		launcher: options.launcher ?? ownLauncher(),
		platform: process.platform,
	}
	const at = (path: string): string => resolve(cwd, requireText(path, 'a path'))
	return {
		session,
		cwd,
		at,
		reference: (of) => (typeof of === 'object' ? of : readReference(session, requireText(of, 'a reference'))),
		access: (of) => ({ ...of, caFile: of?.caFile === undefined ? undefined : at(of.caFile) }),
		cluster: ({ cluster, kubeconfig, argocdCa, argocdNamespace }) => ({
			cluster,
			kubeconfig: kubeconfig === undefined ? undefined : at(kubeconfig),
			argocdCa: argocdCa === undefined ? undefined : at(argocdCa),
			argocdNamespace,
		}),
		exclusive: async (task) => await workspace.exclusive(task, { signal }),
	}
}

/** The keychain would give them to every registry, also to one that only a file or a cluster names. */
function withoutCommandLine(env: Session['env']): Session['env'] {
	const {
		LADING_USERNAME: _username,
		LADING_PASSWORD: _password,
		LADING_REGISTRY: _registry,
		...others
	} = env
	return others
}

/** Callers without types get an answer, too. */
function requireText(value: unknown, what: string): string {
	if (typeof value === 'string' && value !== '') return value
	throw new UserError('USAGE', `${what} is missing: it is a string that is not empty`, {
		hint: 'See the options of the function.',
	})
}

/** The command of this package; absent in the sources. */
function ownLauncher(): Launcher | undefined {
	const main = fileURLToPath(new URL('./cli/main.cjs', import.meta.url))
	return existsSync(main) ? { command: process.execPath, args: [main] } : undefined
}
