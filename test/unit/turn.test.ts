import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { takeTurn } from '../real/stack/turn.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'turn-'))))
afterEach(() => rmSync(directory, { recursive: true }))

it('who shares the stack keeps out who wants it alone, and that one all who come after', async () => {
	const order: string[] = []
	const take = async (name: string, alone: boolean): Promise<() => void> => {
		const end = await takeTurn(directory, { alone })
		order.push(name)
		return end
	}
	const endFirst = await take('first', false)
	const alone = take('alone', true)
	const last = take('last', false)
	order.push('nobody waits for ever')
	endFirst()
	const endAlone = await alone
	order.push('alone ends')
	endAlone()
	const endLast = await last
	endLast()
	expect(order).toEqual(['first', 'nobody waits for ever', 'alone', 'alone ends', 'last'])
})

it('who wants it alone comes before all who share it, although they were there first', async () => {
	const order: string[] = []
	const take = async (name: string, alone: boolean): Promise<void> => {
		const end = await takeTurn(directory, { alone })
		order.push(name)
		await new Promise((resolve) => setTimeout(resolve, 120))
		end()
	}
	const first = take('alone', true)
	const shared = [take('shared', false), take('shared', false)]
	const second = take('alone', true)
	await Promise.all([first, second, ...shared])
	expect(order).toEqual(['alone', 'alone', 'shared', 'shared'])
})
