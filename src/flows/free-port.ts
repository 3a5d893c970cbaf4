import { createServer } from 'node:net'

const LOOPBACK = '127.0.0.1'

/** Whether nothing listens on a port of this machine's loopback. */
export async function isPortFree(port: number): Promise<boolean> {
	return (await listenOn(port)) !== undefined
}

/** The first of these ports that nothing listens on, else any free one. */
export async function freePort(wishes: readonly number[]): Promise<number> {
	for (const wish of wishes) if (await isPortFree(wish)) return wish
	return (await listenOn(0)) ?? 0
}

async function listenOn(port: number): Promise<number | undefined> {
	return await new Promise((resolve) => {
		const server = createServer()
		server.once('error', () => resolve(undefined))
		server.listen(port, LOOPBACK, () => {
			const address = server.address()
			server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
		})
	})
}
