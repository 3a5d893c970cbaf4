import * as v from 'valibot'

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const DURATION_MS: Readonly<Record<string, number>> = {
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
	d: 86_400_000,
}
const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/
const SIZE_BYTES: Readonly<Record<string, number>> = {
	B: 1,
	KiB: 1024,
	MiB: 1024 ** 2,
	GiB: 1024 ** 3,
	TiB: 1024 ** 4,
}

/** Text such as `90s`, `5m`, `12h` or `30d`, as milliseconds. */
export function durationField(description: string): v.GenericSchema<unknown, number> {
	return quantity({
		pattern: DURATION,
		units: DURATION_MS,
		description,
		say: 'write it as 90s, 5m, 12h or 30d',
	})
}

/** Text such as `16KiB`, `4MiB` or `10GiB`, as bytes. */
export function sizeField(description: string): v.GenericSchema<unknown, number> {
	return quantity({ pattern: SIZE, units: SIZE_BYTES, description, say: 'write it as 16KiB, 4MiB or 10GiB' })
}

interface Quantity {
	readonly pattern: RegExp
	readonly units: Readonly<Record<string, number>>
	readonly description: string
	readonly say: string
}

function quantity({ pattern, units, description, say }: Quantity): v.GenericSchema<unknown, number> {
	return v.pipe(
		v.string(),
		v.regex(pattern, say),
		v.description(description),
		v.transform((text) => {
			const match = pattern.exec(text)
			return Math.round(Number(match?.[1]) * (units[match?.[2] ?? ''] ?? 1))
		}),
	)
}
