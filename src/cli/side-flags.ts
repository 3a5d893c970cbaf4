import { UserError } from '../errors/index.ts'
import type { RegistryAccess, SideAccess } from '../flows/index.ts'
import { path, type RegistryFlags, text, toggle } from './flags.ts'
import type { Invocation } from './invocation.ts'
import { accessOf } from './session.ts'

/** How to reach the registry of one side, where the two differ. */
export interface SideFlags {
	readonly fromCa?: string
	readonly fromInsecure?: boolean
	readonly fromPlainHttp?: boolean
	readonly fromUsername?: string
	readonly fromPasswordStdin?: boolean
	readonly toCa?: string
	readonly toInsecure?: boolean
	readonly toPlainHttp?: boolean
	readonly toUsername?: string
	readonly toPasswordStdin?: boolean
}

type Text = ReturnType<typeof text>
type Toggle = ReturnType<typeof toggle>

export const sideFlags: {
	readonly fromCa: Text
	readonly fromInsecure: Toggle
	readonly fromPlainHttp: Toggle
	readonly fromUsername: Text
	readonly fromPasswordStdin: Toggle
	readonly toCa: Text
	readonly toInsecure: Toggle
	readonly toPlainHttp: Toggle
	readonly toUsername: Text
	readonly toPasswordStdin: Toggle
} = {
	fromCa: path('As --ca, for FROM only', 'FILE'),
	fromInsecure: toggle('As --insecure, for FROM only'),
	fromPlainHttp: toggle('As --plain-http, for FROM only'),
	fromUsername: text('As --username, for FROM only', 'NAME'),
	fromPasswordStdin: toggle('As --password-stdin, for FROM only'),
	toCa: path('As --ca, for TO only', 'FILE'),
	toInsecure: toggle('As --insecure, for TO only'),
	toPlainHttp: toggle('As --plain-http, for TO only'),
	toUsername: text('As --username, for TO only', 'NAME'),
	toPasswordStdin: toggle('As --password-stdin, for TO only'),
}

/** How this command reaches its two registries: flags of a side, then flags, then environment. */
export async function sideAccessOf(
	invocation: Invocation,
	flags: RegistryFlags & SideFlags,
): Promise<SideAccess> {
	const { passwordStdin, fromPasswordStdin, toPasswordStdin } = flags
	if ([passwordStdin, fromPasswordStdin, toPasswordStdin].filter((each) => each === true).length > 1) {
		throw new UserError('USAGE', 'standard input holds one password, and two are to be read from it', {
			hint: 'Sign in to one of the registries with docker login, or set LADING_REGISTRY, LADING_USERNAME and LADING_PASSWORD for it.',
		})
	}
	const shared = await accessOf(invocation, flags)
	const from = await sideOf(invocation, shared, {
		ca: flags.fromCa,
		insecure: flags.fromInsecure,
		plainHttp: flags.fromPlainHttp,
		username: flags.fromUsername,
		passwordStdin: fromPasswordStdin,
	})
	const to = await sideOf(invocation, shared, {
		ca: flags.toCa,
		insecure: flags.toInsecure,
		plainHttp: flags.toPlainHttp,
		username: flags.toUsername,
		passwordStdin: toPasswordStdin,
	})
	return { from, to }
}

type Own = { readonly [KEY in keyof RegistryFlags]: RegistryFlags[KEY] | undefined }

async function sideOf(
	invocation: Invocation,
	shared: RegistryAccess,
	{ ca, insecure, plainHttp, username, passwordStdin }: Own,
): Promise<RegistryAccess> {
	const isOwn = username !== undefined || passwordStdin === true
	// What the environment names is not this side's when it has a name of its own.
	const {
		LADING_USERNAME: _name,
		LADING_PASSWORD: _password,
		LADING_REGISTRY: _registry,
		...env
	} = invocation.env
	const own = await accessOf(
		{ ...invocation, env },
		{
			...(ca !== undefined && { ca }),
			...(username !== undefined && { username }),
			...(passwordStdin !== undefined && { passwordStdin }),
		},
	)
	return {
		caFile: own.caFile ?? shared.caFile,
		insecure: insecure ?? shared.insecure,
		plainHttp: plainHttp ?? shared.plainHttp,
		credentials: isOwn ? own.credentials : shared.credentials,
	}
}
