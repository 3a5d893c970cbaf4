import { UserError } from '../errors/index.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A file's name as text.
 * @param directory where it stands, for the message
 * @throws UserError `FILE_UNSUPPORTED` for a name that does not mean the same everywhere
 */
export function entryName(name: Uint8Array, directory: string): string {
	let text: string
	try {
		text = decoder.decode(name)
	} catch (error) {
		const shown = Buffer.from(name)
			.toString('latin1')
			.replaceAll(/[^ -~]/g, '?')
		throw new UserError('FILE_UNSUPPORTED', `the name of "${shown}" in ${directory} is not UTF-8`, {
			hint: 'Rename the file: other machines could not read its name back.',
			cause: error,
		})
	}
	// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
	if (/[\u0000-\u001f\u007f\\\uFFFD]/.test(text)) {
		const what = text.includes('\\')
			? 'a backslash'
			: text.includes('\uFFFD')
				? 'U+FFFD, which stands for a character that was lost'
				: 'a control character'
		throw new UserError('FILE_UNSUPPORTED', `the name ${JSON.stringify(text)} in ${directory} has ${what}`, {
			hint: 'Rename the file: such a name means different things on different machines.',
		})
	}
	return text
}

// oxlint-disable-next-line no-control-regex -- ASCII has them
const IS_ASCII = /^[\u0000-\u007f]*$/

/**
 * Refuses two paths that are one on file systems that do not tell letters' case, or
 * the ways to write an accent, apart (macOS, Windows).
 */
export class NameCollisions {
	readonly #seen = new Map<string, string>()

	/** @throws UserError `FILE_UNSUPPORTED` */
	add(path: string): void {
		const folded = IS_ASCII.test(path)
			? path.toLowerCase()
			: path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
		const other = this.#seen.get(folded)
		if (other !== undefined) {
			throw new UserError(
				'FILE_UNSUPPORTED',
				`"${other}" and "${path}" differ only in case or in how an accent is written`,
				{
					hint: 'Rename one: on macOS and Windows one would replace the other.',
				},
			)
		}
		this.#seen.set(folded, path)
	}
}

// UTF-16 order differs from that of UTF-8 only where there are surrogates.
const HAS_SURROGATE = /[\uD800-\uDFFF]/

/** Order of the bytes of the UTF-8 text, the same on every machine and in every locale. */
export function compareBytes(left: string, right: string): number {
	if (HAS_SURROGATE.test(left) || HAS_SURROGATE.test(right)) {
		return Buffer.compare(Buffer.from(left), Buffer.from(right))
	}
	return left < right ? -1 : left > right ? 1 : 0
}
