/** Longest text of a server that is repeated, in UTF-16 units. */
const MAX_LENGTH = 2000

/** What somebody else's program says, fit for an error: no control characters but tab and line break, and not too much of it. */
export function printable(text: string): string {
	// oxlint-disable-next-line no-control-regex -- a server must not steer the terminal
	return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, ' ').slice(0, MAX_LENGTH)
}
