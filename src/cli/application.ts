import {
	type Application,
	ArgumentScannerError,
	buildApplication,
	formatMessageForArgumentScannerError,
	text_en,
} from '@stricli/core'
import { LadingError } from '../errors/index.ts'
import type { CliContext } from './context.ts'
import { routes } from './routes.ts'
import { usageMessage } from './usage.ts'

/** The command line as stricli knows it. */
export function buildCli(options: {
	readonly version: string
	readonly color: boolean
}): Application<CliContext> {
	return buildApplication(routes, {
		name: 'lading',
		versionInfo: { currentVersion: options.version },
		scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
		documentation: {
			caseStyle: 'convert-camel-to-kebab',
			onlyRequiredInUsageLine: true,
			disableAnsiColor: !options.color,
		},
		localization: {
			text: {
				...text_en,
				exceptionWhileParsingArguments(error) {
					if (!(error instanceof ArgumentScannerError)) return this.formatException?.(error) ?? String(error)
					return formatMessageForArgumentScannerError(error, {
						ArgumentParseError: ({ externalFlagNameOrPlaceholder, exception }) =>
							`--${externalFlagNameOrPlaceholder}: ${describe(exception)}`,
					})
				},
				formatException: describe,
				noCommandRegisteredForInput: ({ input, corrections }) =>
					usageMessage.unknownCommand(input, corrections),
			},
		},
	})
}

function describe(error: unknown): string {
	return error instanceof LadingError ? `${error.message}. ${error.hint ?? ''}`.trim() : String(error)
}
