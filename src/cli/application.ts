import {
	type Application,
	ArgumentScannerError,
	buildApplication,
	formatMessageForArgumentScannerError,
	type RouteMap,
	text_en,
} from '@stricli/core'
import { LadingError } from '../errors/index.ts'
import type { CliContext } from './context.ts'
import { unknownCommand } from './usage.ts'

/** The command line as stricli knows it. */
export function buildCli(options: {
	readonly version: string
	readonly color: boolean
	readonly routes: RouteMap<CliContext>
}): Application<CliContext> {
	return buildApplication(options.routes, {
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
						FlagNotFoundError: ({ input, corrections }) =>
							`there is no flag --${input}${corrections.length > 0 ? `; did you mean --${corrections.map(kebab).join(' or --')}?` : ''}`,
						AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
						UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value`,
						UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
						UnexpectedPositionalError: ({ expectedCount, input }) =>
							`"${input}" is one too many: ${expectedCount} ${expectedCount === 1 ? 'argument is' : 'arguments are'} taken`,
						ArgumentParseError: ({ externalFlagNameOrPlaceholder, exception }) =>
							`${named(externalFlagNameOrPlaceholder)}: ${describe(exception)}`,
					})
				},
				formatException: describe,
				noCommandRegisteredForInput: ({ input, corrections }) => unknownCommand(input, corrections),
			},
		},
	})
}

/** A flag as it is typed: stricli proposes it by its name in the code. */
function kebab(flag: string): string {
	return flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A flag, or the placeholder of an argument, which has capital letters. */
function named(flagOrPlaceholder: string): string {
	return /[A-Z]/.test(flagOrPlaceholder) ? flagOrPlaceholder : `--${flagOrPlaceholder}`
}

function describe(error: unknown): string {
	return error instanceof LadingError ? `${error.message}. ${error.hint ?? ''}`.trim() : String(error)
}
