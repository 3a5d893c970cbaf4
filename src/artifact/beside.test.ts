import { mkdtempSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { besideOf, findLeftBeside } from './beside.ts'

let directory = ''
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'lading-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('finds what is old, of the same name, and named as it is named', () => {
	const path = join(directory, 'shop.tar')
	const [old, young] = [besideOf(path), besideOf(path)]
	mkdirSync(old)
	writeFileSync(`${old}.tar`, '')
	// What stood at the path before is somebody's until the new one has its place.
	const others = [
		`${old}.old`,
		`${old}-mine`,
		besideOf(join(directory, 'shop')),
		join(directory, '.shop.tar.lading-'),
	]
	for (const other of others) mkdirSync(other)
	for (const each of [old, `${old}.tar`, ...others]) utimesSync(each, 1000, 1000)
	mkdirSync(young)
	expect(findLeftBeside(path, 2_000_000)).toEqual([old, `${old}.tar`])
	expect(findLeftBeside(path, 1_000_000)).toEqual([])
})

it('means the same place, however the path is written', () => {
	const left = besideOf(directory)
	mkdirSync(left)
	try {
		for (const path of [directory, `${directory}/`, join(directory, 'sub/..'), relative('.', directory)]) {
			expect(findLeftBeside(`${path}/.`, Infinity)).toEqual([left])
			expect(findLeftBeside(path, Infinity)).toEqual([left])
		}
	} finally {
		rmSync(left, { recursive: true })
	}
})

it('finds nothing where nothing can be looked at', () => {
	expect(findLeftBeside(join(directory, 'nowhere/shop.tar'), Infinity)).toEqual([])
})
