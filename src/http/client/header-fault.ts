const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** What the request itself says. */
const OWN: ReadonlySet<string> = new Set([
	'connection',
	'content-length',
	'content-type',
	'expect',
	'keep-alive',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
])

/** Why no request can have a header of this name; `undefined`: it can. */
export function headerNameFault(name: string): string | undefined {
	if (!NAME.test(name)) return 'the name of a header has letters, digits and "-", and no space'
	return OWN.has(name.toLowerCase()) ? 'it is set for each request anyway: leave it out' : undefined
}

/** Why no header can have this value, without showing it; `undefined`: it can. */
export function headerValueFault(value: string): string | undefined {
	return VALUE.test(value)
		? undefined
		: 'its value has a line break, or another character that no header may have: write it on one line, in quotes'
}
