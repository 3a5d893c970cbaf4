// How a series is measured: interleaved, one run of each contender per round, reported as medians.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Runs a command; the time is wall time in ms, the memory the peak in MB (0 where /proc is missing). */
export function run(command, args, { cwd, env = {} }) {
	return new Promise((done, reject) => {
		const started = performance.now()
		const child = spawn(command, args, {
			cwd,
			stdio: ['ignore', 'ignore', 'pipe'],
			env: { ...process.env, HOME: cwd, ...env },
		})
		let complaint = ''
		child.stderr.on('data', (data) => (complaint += data))
		child.on('error', reject)
		child.on('close', (code) => {
			if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${complaint}`))
			else done({ ms: performance.now() - started })
		})
	})
}

/** The peak of a command's memory in MB; apart from the times, as looking costs time. */
export function peakMemory(command, args, { cwd }) {
	return new Promise((done, reject) => {
		const child = spawn(command, args, { cwd, stdio: 'ignore', env: { ...process.env, HOME: cwd } })
		let peak = 0
		const sample = setInterval(() => {
			try {
				const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
				peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
			} catch {
				// it has ended
			}
		}, 2)
		child.on('error', reject)
		child.on('close', (code) => {
			clearInterval(sample)
			if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${code}`))
			else done(peak / 1024)
		})
	})
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/**
 * Interleaved rounds of all contenders; the first round warms up. A contender may have a `before`, which is not measured.
 * @returns the median of each, in ms
 */
export async function compare(contenders, rounds) {
	const series = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
	for (let round = -1; round < rounds; round++) {
		for (const [name, contender] of Object.entries(contenders)) {
			const { before, once } = typeof contender === 'function' ? { once: contender } : contender
			await before?.(round)
			const { ms } = await once(round)
			if (round >= 0) series[name].push(ms)
		}
	}
	return Object.fromEntries(Object.entries(series).map(([name, all]) => [name, median(all)]))
}
