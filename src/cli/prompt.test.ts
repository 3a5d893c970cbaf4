import { describe, expect, it } from 'vitest'
import { openPrompt, type Prompt } from './prompt.ts'

/** A terminal on which somebody types; notes when it was raw. */
function terminal(
	...typed: readonly string[]
): Prompt & { readonly shown: () => string; readonly raw: boolean[] } {
	const raw: boolean[] = []
	let shown = ''
	const keys = (async function* () {
		for (const each of typed) yield Buffer.from(each)
	})()
	const stdin = Object.assign(keys, { isTTY: true, setRawMode: (isRaw: boolean) => void raw.push(isRaw) })
	const prompt = openPrompt({ stdin, stderr: { write: (text) => void (shown += text) } })
	return { ...prompt, shown: () => shown, raw }
}

describe('a prompt', () => {
	it('takes a name and then a password, which it does not show', async () => {
		const asked = terminal('ann\n', 's3', 'crét', '\r')
		expect(await asked.ask('Name: ')).toBe('ann')
		expect(await asked.askHidden('Password: ')).toBe('s3crét')
		expect(asked.shown()).toBe('Name: Password: \n')
		expect(asked.raw).toEqual([true, false])
	})

	it('keeps what was pasted behind the first line', async () => {
		const asked = terminal('ann\ns3cret\n')
		expect(await asked.ask('')).toBe('ann')
		expect(await asked.askHidden('')).toBe('s3cret')
	})

	it('lets what was typed be taken back', async () => {
		expect(await terminal('wrong\u0015s3xy\u007F\bcret\r').askHidden('')).toBe('s3cret')
	})

	it.each(['\u0003', '\u0004', ''])(
		'ends without a password at %j, and leaves the terminal as it was',
		async (key) => {
			const asked = terminal(key)
			await expect(asked.askHidden('')).rejects.toMatchObject({ code: 'INTERRUPTED' })
			expect(asked.raw).toEqual([true, false])
		},
	)

	it('ends when it is interrupted, though nobody types', async () => {
		const stop = new AbortController()
		const stdin = (async function* () {
			await new Promise(() => undefined)
			yield Buffer.from('')
		})()
		const asked = openPrompt({ stdin, stderr: { write: () => undefined } }, stop.signal).ask('Name: ')
		stop.abort()
		await expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' })
	})
})
