import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** One file of a layer, by its path inside it. Layers over Debian say `usr/bin`: `bin` is a link there. */
export type Entry =
	| { readonly at: string; readonly copyOf: string; readonly mode?: number }
	| { readonly at: string; readonly text: string; readonly mode?: number }
	| { readonly at: string; readonly linkTo: string }
	| { readonly at: string; readonly directory: true; readonly mode?: number }

/** Makes a directory of these, whatever the umask is. */
export async function plant(root: string, entries: readonly Entry[]): Promise<void> {
	await mkdir(root, { recursive: true })
	await chmod(root, 0o755)
	for (const entry of entries) {
		const path = join(root, entry.at)
		await makeDirectories(root, dirname(entry.at))
		if ('linkTo' in entry) {
			await symlink(entry.linkTo, path)
			continue
		}
		if ('directory' in entry) await mkdir(path, { recursive: true })
		else if ('text' in entry) await writeFile(path, entry.text)
		else await copyFile(entry.copyOf, path)
		await chmod(path, entry.mode ?? ('directory' in entry ? 0o755 : 0o644))
	}
}

async function makeDirectories(root: string, relative: string): Promise<void> {
	if (relative === '.') return
	await makeDirectories(root, dirname(relative))
	const path = join(root, relative)
	const isNew = (await mkdir(path, { recursive: true })) !== undefined
	if (isNew) await chmod(path, 0o755)
}

/** Programs into a directory of the layer. */
export function programs(
	names: readonly string[],
	{ from, to }: { readonly from: string; readonly to: string },
): readonly Entry[] {
	return names.map((name) => ({ at: `${to}/${name}`, copyOf: join(from, name), mode: 0o755 }))
}
