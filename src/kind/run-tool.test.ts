import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToolRunner } from './run-tool.ts'

describe.runIf(process.platform !== 'win32')('the tools of PATH', () => {
	let bin: string
	const env = (): Record<string, string> => ({ PATH: [bin, process.env.PATH ?? ''].join(delimiter) })
	beforeAll(() => {
		bin = mkdtempSync(join(tmpdir(), 'lading-tools-'))
		writeFileSync(
			join(bin, 'docker'),
			'#!/bin/sh\ncase $1 in\nhang) exec sleep 600;;\necho) cat; echo "first" >&2; echo "second" >&2; exit 3;;\nesac\n',
			{ mode: 0o755 },
		)
	})
	afterAll(() => rmSync(bin, { recursive: true }))

	it('gives status, both outputs, and the lines as they come', async () => {
		const lines: string[] = []
		const run = createToolRunner({ env: env(), platform: 'linux' })
		const result = await run('docker', ['echo'], { input: 'in', onLine: (line) => lines.push(line) })
		expect(result).toEqual({ status: 3, stdout: 'in', stderr: 'first\nsecond\n' })
		expect(lines).toEqual(['first', 'second'])
	})

	it('says how a missing one is installed', async () => {
		const empty = { PATH: join(bin, 'nothing') }
		for (const [platform, hint] of [
			['linux', 'go install sigs.k8s.io/kind'],
			['darwin', 'brew install kind'],
			['win32', 'winget install Kubernetes.kind'],
		] as const) {
			await expect(createToolRunner({ env: empty, platform })('kind', ['version'])).rejects.toMatchObject({
				code: 'TOOL_MISSING',
				message: 'kind is not installed, or not on PATH',
				hint: expect.stringContaining(hint),
			})
		}
	})

	it('ends one that takes too long, and one that nobody waits for', async () => {
		const run = createToolRunner({ env: env(), platform: 'linux' })
		await expect(run('docker', ['hang'], { timeoutMs: 200 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
		const stop = new AbortController()
		const hanging = run('docker', ['hang'], { signal: stop.signal })
		stop.abort()
		await expect(hanging).rejects.toMatchObject({ code: 'INTERRUPTED' })
	})
})
