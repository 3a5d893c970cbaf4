import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createStorage } from '../../src/registry/server/index.ts'
import { packsOf } from '../../src/registry/server/stored-content.fixture.ts'
import { Expectations } from './expectations.ts'
import type { Random } from './random.ts'
import { type Client, checkAll, requests } from './storage-client.ts'
import { type Ignores, VolatileDisk } from './volatile-disk.ts'

export interface PowerLossOptions {
	/** Where all directories are made. */
	readonly root: string
	/** How often the power goes, unless something is wrong before. */
	readonly budget: number
	readonly random: Random
	readonly ignores?: Ignores | undefined
}

export interface PowerLosses {
	losses: number
	/** Processes that were killed; another one starts on what the page cache has. */
	kills: number
	/** Journals that were written anew, and whose content somebody has. */
	packs: number
	readonly wrong: string[]
}

interface Place {
	readonly directory: string
	readonly expected: Expectations
	readonly where: string
}

interface World extends PowerLossOptions, PowerLosses {
	/** Storages that go on after a loss. */
	readonly left: (Client & Place)[]
	readonly closing: Promise<void>[]
}

/** So small that it is written anew all the time; in lines and bytes. */
const JOURNAL = { compactLines: 25, compactBytes: 30_000 }
/** How often a directory is started on, and for how many rounds, before there is a new one. */
const STARTS = 4
const ROUNDS = 12

/**
 * Uses storages while the power goes over and over: each time, what the disk may have then is started on in a
 * directory of its own, and must be what was acknowledged, and at most what was under way besides.
 */
export async function powerLosses(options: PowerLossOptions): Promise<PowerLosses> {
	const world: World = { ...options, losses: 0, kills: 0, packs: 0, wrong: [], left: [], closing: [] }
	while (isGoingOn(world)) await useNew(world)
	return world
}

const isGoingOn = ({ losses, budget, wrong }: World): boolean => losses < budget && wrong.length === 0

async function useNew(world: World): Promise<void> {
	const { random } = world
	const disk = new VolatileDisk(newDirectory(world), world.ignores)
	const expected = new Expectations()
	for (let starts = 0; starts < STARTS && isGoingOn(world); starts++) {
		const client = start(world, { directory: disk.directory, expected, where: 'a start' })
		if (!client) break
		disk.onMoment = (what) => {
			const dice = random()
			if (dice < 0.1) losePower(world, disk, { expected, where: what })
			// What a kill leaves is of interest where it was not flushed yet.
			else if (dice < (what.startsWith('writeSync') ? 0.3 : 0.14))
				killAndStart(world, disk, { expected, where: `a kill after ${what}` })
		}
		for (let round = 0; round < ROUNDS && isGoingOn(world); round++) {
			await requests(client)
			for (const left of world.left.splice(0)) await goOn(world, left)
			await Promise.all(world.closing.splice(0))
		}
		disk.onMoment = undefined
		await client.storage.close()
	}
	world.packs += Math.max(0, ...packsOf(disk.directory).map(Number))
	disk.remove()
}

function newDirectory({ root }: World): string {
	return join(mkdtempSync(join(root, 'power-')), 'data')
}

/** What is wrong ends the test; `undefined` where there is nothing to go on with. */
function start(world: World, place: Place): (Client & Place) | undefined {
	// What was never acknowledged is no damage, and nothing to warn of.
	const onWarning = (message: string): void => void world.wrong.push(`${place.where}: ${message}`)
	try {
		const storage = createStorage(place.directory, { ...JOURNAL, onWarning })
		const client = { ...place, storage, random: world.random }
		checkAll(client)
		return client
	} catch (error) {
		onWarning(String(error))
		return undefined
	}
}

type Moment = Omit<Place, 'directory'>

function losePower(world: World, disk: VolatileDisk, { expected, where }: Moment): void {
	world.losses++
	const directory = newDirectory(world)
	disk.losePower(directory, world.random)
	const place = { directory, expected: expected.copy(), where: `a loss of power after ${where}` }
	const left = start(world, place)
	if (left && world.random() < 0.05) world.left.push(left)
	else if (left) close(world, left)
}

/** The power may go during the start, too, which has read what was never flushed. */
function killAndStart(world: World, disk: VolatileDisk, { expected, where }: Moment): void {
	world.kills++
	const killed = disk.kill(newDirectory(world))
	killed.onMoment = (what) => {
		if (world.random() < 0.4) losePower(world, killed, { expected, where: `${where}, a start, ${what}` })
	}
	const left = start(world, { directory: killed.directory, expected: expected.copy(), where })
	killed.onMoment = undefined
	for (const _ of [1, 2]) losePower(world, killed, { expected, where: `${where} and a start` })
	killed.remove()
	if (left) close(world, left)
}

/** Clients go on with what a loss has left, which another start finds again. */
async function goOn(world: World, left: Client & Place): Promise<void> {
	await requests(left)
	await left.storage.close()
	const again = start(world, { ...left, where: `${left.where}, and requests` })
	if (again) close(world, again)
}

function close({ closing }: World, { storage, directory }: Client & Place): void {
	const remove = (): void => rmSync(directory, { recursive: true, force: true })
	closing.push(storage.close().then(remove))
}
