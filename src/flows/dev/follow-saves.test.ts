import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Clock, followSaves, type Save } from './follow-saves.ts'

/** A clock that stands until it is told to go on. */
class FakeClock implements Clock {
	#now = 0
	readonly #timers = new Set<{ readonly due: number; readonly task: () => void }>()

	now(): number {
		return this.#now
	}

	after(milliseconds: number, task: () => void): () => void {
		const timer = { due: this.#now + milliseconds, task }
		this.#timers.add(timer)
		return () => void this.#timers.delete(timer)
	}

	get planned(): number {
		return this.#timers.size
	}

	/** Lets so many milliseconds pass, with all that is due in them. */
	async pass(milliseconds: number): Promise<void> {
		const end = this.#now + milliseconds
		for (;;) {
			await settled()
			const [next] = [...this.#timers].filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due)
			if (next === undefined) break
			this.#now = Math.max(this.#now, next.due)
			this.#timers.delete(next)
			next.task()
		}
		this.#now = end
		await settled()
	}
}

async function settled(): Promise<void> {
	for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

interface Work {
	readonly save: Save
	/** What was on the disk when it began. */
	readonly content: number
	finish(outcome?: 'done' | 'retry'): Promise<void>
	fail(error: Error): Promise<void>
}

/** A disk whose content is a number, and work that ends when the test says so. */
function follow({ isComplete = true }: { readonly isComplete?: boolean } = {}) {
	const clock = new FakeClock()
	const stop = new AbortController()
	const state = { content: 0, seen: -1, isClosed: false, looks: 0, onHint: () => {} }
	const works: Work[] = []
	const ended: { error?: unknown } = {}
	let isEnded = false
	const following = followSaves({
		clock,
		signal: stop.signal,
		watch(onHint) {
			state.onHint = onHint
			return {
				isComplete,
				async look() {
					state.looks++
					const isChanged = state.content !== state.seen
					state.seen = state.content
					return await Promise.resolve(isChanged)
				},
				close: () => void (state.isClosed = true),
			}
		},
		work: (save) =>
			new Promise((resolve, reject) => {
				works.push({
					save,
					content: state.content,
					finish: async (outcome = 'done') => (resolve(outcome), await settled()),
					fail: async (error) => (reject(error), await settled()),
				})
			}),
	})
	following.then(
		() => (isEnded = true),
		(error: unknown) => {
			isEnded = true
			ended.error = error
		},
	)
	return {
		clock,
		works,
		state,
		stop,
		ended,
		isEnded: () => isEnded,
		last: () => works.at(-1),
		save: (): void => {
			state.content++
			state.onHint()
		},
	}
}

describe('following saves', () => {
	it('begins with what is there', async () => {
		const { works, clock } = follow()
		await clock.pass(0)
		expect(works.map(({ save }) => [save.number, save.isRetry])).toEqual([[1, false]])
	})

	it('takes a burst as one save, whose time is that of the last of it', async () => {
		const { works, clock, last, save } = follow()
		await clock.pass(0)
		await last()?.finish()
		await clock.pass(100)
		for (let index = 0; index < 10; index++) {
			save()
			await clock.pass(10)
		}
		await clock.pass(100)
		expect(works).toHaveLength(2)
		expect(last()?.save.at).toBe(190)
		expect(last()?.content).toBe(10)
	})

	it('does not wait for the end of what is written without end', async () => {
		const { works, clock, last, save } = follow()
		await clock.pass(0)
		await last()?.finish()
		for (let index = 0; index < 200; index++) {
			save()
			await clock.pass(10)
		}
		expect(works.length).toBeGreaterThan(1)
	})

	it('supersedes the work under way, never works on two at a time, and takes the newest', async () => {
		const { works, clock, save } = follow()
		await clock.pass(0)
		for (let index = 0; index < 5; index++) {
			save()
			await clock.pass(200)
		}
		expect(works).toHaveLength(1)
		expect(works[0]?.save.superseded.aborted).toBe(true)
		await works[0]?.finish()
		expect(works.map(({ content }) => content)).toEqual([0, 5])
		expect(works[1]?.save).toMatchObject({ number: 2, isRetry: false })
		expect(works[1]?.save.superseded.aborted).toBe(false)
	})

	it('does nothing for a hint without a change', async () => {
		const { works, clock, last, state } = follow()
		await clock.pass(0)
		await last()?.finish()
		state.onHint()
		await clock.pass(500)
		expect(works).toHaveLength(1)
	})

	it.each([
		[true, 3100],
		[false, 600],
	])('finds a change that gave no hint (every directory watched: %s)', async (isComplete, within) => {
		const { works, clock, last, state } = follow({ isComplete })
		await clock.pass(0)
		await last()?.finish()
		state.content++
		await clock.pass(within)
		expect(works).toHaveLength(2)
	})

	it('tries what failed again, later each time, and a save comes before that', async () => {
		const { works, clock, last, save } = follow()
		await clock.pass(0)
		await last()?.finish('retry')
		await clock.pass(999)
		expect(works).toHaveLength(1)
		await clock.pass(1)
		expect(last()?.save).toMatchObject({ number: 1, isRetry: true })
		await last()?.finish('retry')
		await clock.pass(1900)
		expect(works).toHaveLength(2)
		save()
		await clock.pass(40)
		expect(last()?.save).toMatchObject({ number: 2, isRetry: false })
		await last()?.finish()
		await clock.pass(60_000)
		expect(works).toHaveLength(3)
	})

	it('ends at once when it is told to, and leaves no timer and no watch', async () => {
		const { clock, stop, last, state, save, isEnded, works } = follow()
		await clock.pass(0)
		save()
		stop.abort()
		await settled()
		expect(isEnded()).toBe(true)
		expect(state.isClosed).toBe(true)
		expect(last()?.save.superseded.aborted).toBe(true)
		await last()?.finish('retry')
		await clock.pass(60_000)
		expect(clock.planned).toBe(0)
		expect(works).toHaveLength(1)
	})

	it('ends with what the work throws', async () => {
		const { clock, last, ended, state, isEnded } = follow()
		await clock.pass(0)
		await last()?.fail(new Error('a bug'))
		expect(isEnded()).toBe(true)
		expect(ended.error).toMatchObject({ message: 'a bug' })
		expect(state.isClosed).toBe(true)
	})

	it('always ends with the newest state worked on whole, whatever happens when', async () => {
		const step = fc.oneof(
			fc.record({ do: fc.constant('save' as const) }),
			fc.record({ do: fc.constant('silent' as const) }),
			fc.record({ do: fc.constant('hint' as const) }),
			fc.record({ do: fc.constantFrom('done' as const, 'retry' as const) }),
			fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 400 }) }),
		)
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
				const { clock, works, state, save, stop } = follow()
				let finished = 0
				let isLastDone = false
				const finish = async (outcome: 'done' | 'retry'): Promise<void> => {
					const work = works[finished]
					if (work === undefined) return
					finished++
					isLastDone = outcome === 'done'
					await work.finish(outcome)
				}
				await clock.pass(0)
				for (const each of steps) {
					if (each.do === 'save') save()
					else if (each.do === 'silent') state.content++
					else if (each.do === 'hint') state.onHint()
					else if (each.do === 'pass') await clock.pass('ms' in each ? each.ms : 0)
					else await finish(each.do)
					expect(works.length - finished).toBeLessThanOrEqual(1)
				}
				for (let turn = 0; turn < 5; turn++) {
					await clock.pass(31_000)
					while (finished < works.length) await finish('done')
				}
				expect(works.at(-1)?.content).toBe(state.content)
				expect(isLastDone).toBe(true)
				const numbers = works
					.filter(({ save: { isRetry } }) => !isRetry)
					.map(({ save: { number } }) => number)
				expect(numbers).toEqual(numbers.map((_, index) => index + 1))
				stop.abort()
				await settled()
				expect(clock.planned).toBe(0)
			}),
			{ numRuns: 200 },
		)
	})
})
