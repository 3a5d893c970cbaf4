/** How the program is called where it runs. */
export type Program = 'lading' | 'npx lading'

/** After `npx lading` or `npm start`, `lading` alone is often no command. */
export function programOf(env: Readonly<Record<string, string | undefined>>): Program {
	return env.npm_command === 'exec' || env.npm_lifecycle_event === 'start' ? 'npx lading' : 'lading'
}

/** Commands in a text of ours, such as a hint, as they are typed here. */
export function asTyped(text: string, program: Program): string {
	return text.replaceAll(COMMAND, `${program} $1`)
}

const COMMAND =
	/(?<![\w./-])(?<!npx )lading ((?:up|dev|push|sync|status|doctor|down|check|diff|tags?|untag|delete|inspect|pull|copy|save|load|deploy|undeploy|history|rollback|logs|forward|login|logout|trust|registry|cluster|init|completion)\b)/g
