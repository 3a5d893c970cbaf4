import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	readdirSync,
	renameSync,
	rmdirSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { isSystemError, UserError } from '../errors/index.ts'

export interface InitOptions {
	readonly root: string
	/** Default: made from the directory's name. */
	readonly name?: string | undefined
	/** Replace a `lading.yaml` that is there. */
	readonly force?: boolean | undefined
}

export interface InitResult {
	readonly name: string
	/** Directory of the manifests, relative to the root. */
	readonly manifests: string
	/** What was written, relative to the root. */
	readonly written: readonly string[]
	/** What was there and stays. */
	readonly kept: readonly string[]
}

const CONFIG = 'lading.yaml'
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?$/

/** Directories that people keep manifests in, tried in this order. */
const USUAL_DIRECTORIES = ['manifests', 'k8s', 'kubernetes', 'deploy', 'sample-manifests'] as const

/** Starts a project: `lading.yaml`, `manifests/`, the line for `.gitignore`. */
export function initProject({ root, name: wish, force }: InitOptions): InitResult {
	const name = wish ?? nameOf(root)
	if (!NAME.test(name)) {
		throw new UserError('USAGE', `"${name}" cannot be the name of an application`, {
			hint: 'A name has up to 53 of a-z, 0-9 and "-" and starts and ends with a letter or digit: --name NAME',
		})
	}
	if (existsSync(join(root, CONFIG)) && force !== true) {
		throw new UserError('USAGE', `${CONFIG} is there already`, {
			hint: 'lading init --force replaces it; lading up uses it.',
		})
	}
	const undo: Undo = []
	try {
		return writeProject({ root, name, undo })
	} catch (error) {
		// Half of a manifest would be kept as the user's own by the next init.
		for (const each of undo.toReversed()) each()
		throw error
	}
}

/** What takes back what was written, in its order. */
type Undo = (() => void)[]

function writeProject({ root, name, undo }: { root: string; name: string; undo: Undo }): InitResult {
	const written: string[] = []
	const kept: string[] = []
	const found = USUAL_DIRECTORIES.find((each) => entriesOf(join(root, each)).length > 0)
	const manifests = found ?? 'manifests'
	if (found === undefined) {
		makeDirectory(join(root, manifests), undo)
		for (const [file, text] of Object.entries(startingManifests(name))) {
			writeNew(join(root, manifests, file), { text, undo })
			written.push(`${manifests}/${file}`)
		}
	} else kept.push(`${found}/`)
	const config = join(root, CONFIG)
	writeNew(`${config}.new`, { text: configText(name, manifests), undo })
	written.push(CONFIG)
	;(addIgnoreLine(root, undo) ? written : kept).push('.gitignore')
	renameSync(`${config}.new`, config)
	return { name, manifests, written, kept }
}

function nameOf(root: string): string {
	const name = basename(root)
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^-+|-+$/g, '')
		.slice(0, 53)
		.replace(/-+$/, '')
	return name === '' ? 'app' : name
}

/** Names in a directory; none when there is no such directory. */
function entriesOf(path: string): readonly string[] {
	try {
		return readdirSync(path)
	} catch {
		return []
	}
}

function makeDirectory(path: string, undo: Undo): void {
	try {
		const made = mkdirSync(path, { recursive: true })
		if (made !== undefined) undo.push(() => rmdirSync(made))
	} catch (error) {
		if (!isSystemError(error, 'EEXIST', 'ENOTDIR')) throw error
		throw new UserError('DIRECTORY_INVALID', `${path} is there, and is no directory`, {
			hint: 'Give it another name; lading keeps the manifests in a directory of this name.',
			cause: error,
		})
	}
}

function writeNew(path: string, { text, undo }: { readonly text: string; readonly undo: Undo }): void {
	undo.push(() => rmSync(path, { force: true }))
	writeFileSync(path, text)
}

/** @returns whether the line was missing */
function addIgnoreLine(root: string, undo: Undo): boolean {
	const path = join(root, '.gitignore')
	const before = statSync(path, { throwIfNoEntry: false })
	const text = before ? readFileSync(path, 'utf8') : ''
	if (text.split(/\r?\n/).some((line) => /^\/?\.lading\/?$/.test(line.trim()))) return false
	undo.push(() => (before ? truncateSync(path, before.size) : rmSync(path, { force: true })))
	appendFileSync(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}.lading/\n`)
	return true
}

function configText(name: string, manifests: string): string {
	return `# What lading would otherwise ask with every command. Each field has a flag.
name: ${name}
manifests: ${manifests}
repository: ${name}
tag: v1.0.0
namespace: ${name}
cluster: sandbox
`
}

function startingManifests(name: string): Readonly<Record<string, string>> {
	return {
		'namespace.yaml': `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
`,
		'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
    spec:
      containers:
        - name: web
          image: nginx:1.29-alpine
          ports:
            - name: http
              containerPort: 80
          readinessProbe:
            httpGet:
              path: /
              port: http
`,
		'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${name}
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
`,
	}
}
