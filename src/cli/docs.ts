export interface Example {
	/** The command line after `lading `. */
	readonly line: string
	readonly brief: string
}

interface CommandDocs {
	readonly brief: string
	readonly fullDescription: string
}

/** Documentation of a command: its brief, what it does, and at least one example. */
export function docs(
	brief: string,
	description: string,
	examples: readonly [Example, ...Example[]],
): CommandDocs {
	const width = Math.max(...examples.map(({ line }) => line.length))
	const lines = examples.map(({ line, brief: what }) => `  lading ${line.padEnd(width)}  ${what}`)
	return { brief, fullDescription: `${description}\n\nEXAMPLES\n${lines.join('\n')}` }
}
