import type { RunTool } from '../kind/index.ts'
import type { Launcher } from './background.ts'
import type { Progress } from './progress.ts'
import type { Workspace } from './workspace.ts'

/** What every flow needs: where it works, how it talks, when it must stop. */
export interface Session {
	readonly workspace: Workspace
	readonly env: Readonly<Record<string, string | undefined>>
	readonly progress: Progress
	readonly signal?: AbortSignal | undefined
	/** How to start a server in the background; needed by what starts one. */
	readonly launcher?: Launcher | undefined
	/** `process.platform`, for the commands that a hint names; `linux`. */
	readonly platform?: string | undefined
	/** How docker and kind are run; from PATH. */
	readonly runTool?: RunTool | undefined
}
