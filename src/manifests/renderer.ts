import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { checkRenderInputs, type RenderTool } from './render-inputs.ts'
import { runTool } from './run-tool.ts'

export type { RenderTool } from './render-inputs.ts'

export interface RenderOptions {
	readonly signal?: AbortSignal | undefined
	/** Milliseconds (default 30 000). */
	readonly timeout?: number | undefined
	/** Directory whose files may be read: an overlay has its base beside it. Default: the one that is rendered. */
	readonly root?: string | undefined
}

/** Turns a directory of Kustomize or Helm files into plain manifests, as Argo CD would. */
export interface Renderer {
	readonly tool: RenderTool
	/** The program that runs, for the talk: `kubectl`, `kustomize` or `helm`. */
	readonly program: string
	/**
	 * @returns one YAML stream
	 * @throws UserError `FILE_UNSUPPORTED` for what would need the network or run a plugin,
	 * `TOOL_FAILED` with the tool's own words, `TIMED_OUT`
	 */
	render(directory: string, options?: RenderOptions): Promise<Uint8Array>
}

export interface FindRendererOptions {
	/** The environment of the process: `PATH` is searched and handed on, next to nothing else is. */
	readonly environment: Readonly<Record<string, string | undefined>>
}

const DEFAULT_TIMEOUT = 30_000

/** Largest output that is read, in bytes. */
const MAX_RENDERED_BYTES = 32 * 1024 * 1024

interface Candidate {
	readonly program: string
	readonly args: (directory: string) => readonly string[]
}

const CANDIDATES: Readonly<Record<RenderTool, readonly Candidate[]>> = {
	kustomize: [
		{ program: 'kustomize', args: (directory) => ['build', directory] },
		{ program: 'kubectl', args: (directory) => ['kustomize', directory] },
	],
	helm: [{ program: 'helm', args: (directory) => ['template', 'release-name', directory, '--include-crds'] }],
}

/** @returns `undefined` when no program for it is installed */
export function findRenderer(tool: RenderTool, options: FindRendererOptions): Renderer | undefined {
	for (const { program, args } of CANDIDATES[tool]) {
		const executable = findProgram(program, options.environment)
		if (executable === undefined) continue
		return {
			tool,
			program,
			async render(directory, renderOptions = {}) {
				checkRenderInputs(directory, { tool, root: renderOptions.root ?? directory })
				return runTool(executable, args(directory), {
					name: program,
					environment: toolEnvironment(options.environment),
					timeout: renderOptions.timeout ?? DEFAULT_TIMEOUT,
					maxBytes: MAX_RENDERED_BYTES,
					signal: renderOptions.signal,
				})
			},
		}
	}
	return undefined
}

/**
 * No proxy, no credentials, no kubeconfig, no plugins; a proxy that nobody listens on,
 * should the tool try the network all the same.
 */
function toolEnvironment(environment: FindRendererOptions['environment']): Record<string, string> {
	const kept = ['PATH', 'Path', 'PATHEXT', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR']
	const nowhere = 'http://127.0.0.1:9'
	return {
		...Object.fromEntries(
			kept.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
		),
		HTTP_PROXY: nowhere,
		HTTPS_PROXY: nowhere,
		http_proxy: nowhere,
		https_proxy: nowhere,
		KUBECONFIG: '/dev/null',
		HELM_PLUGINS: '/nonexistent',
		GIT_ALLOW_PROTOCOL: 'none',
	}
}

function findProgram(name: string, environment: FindRendererOptions['environment']): string | undefined {
	const windows = environment['PATHEXT']?.split(';') ?? []
	for (const directory of (environment['PATH'] ?? environment['Path'] ?? '').split(delimiter)) {
		// A relative directory in PATH would run a program of the manifests' author.
		if (!isAbsolute(directory)) continue
		for (const extension of ['', ...windows]) {
			const path = join(directory, name + extension)
			if (isExecutable(path)) return path
		}
	}
	return undefined
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK)
		return statSync(path).isFile()
	} catch {
		return false
	}
}
