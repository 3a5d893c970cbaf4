import { shellWord } from '../errors/index.ts'

/** Facts the commands of an explanation are filled with. */
export interface Facts {
	readonly name: string
	readonly namespace: string
	/** `host:port` of the source, or what stands for it. */
	readonly registry: string
	/** Host name without port. */
	readonly host: string
	/** `registry/repository`. */
	readonly place: string
	readonly targetRevision: string
	readonly path: string
	readonly project: string
	/** Namespace that is deployed to. */
	readonly destination: string
}

/**
 * Facts as words of a command. An Application's fields are free text, written by whoever may write one: told to be
 * typed, a version range must not redirect a file, and nothing else run.
 */
export function inCommands(facts: Facts): Facts {
	const word = (text: string): string => (text === '' ? text : shellWord(text))
	return {
		name: word(facts.name),
		namespace: word(facts.namespace),
		registry: word(facts.registry),
		host: word(facts.host),
		place: word(facts.place),
		targetRevision: word(facts.targetRevision),
		path: word(facts.path),
		project: word(facts.project),
		destination: word(facts.destination),
	}
}

/** One class of messages. The first row whose pattern matches explains a message. */
export interface ExplanationRow {
	/** Stable: what is wrong. */
	readonly cause: string
	/** Argo CD's API gives its errors as text and nothing else. */
	readonly pattern: RegExp
	readonly what: (facts: Facts, match: RegExpExecArray) => string
	readonly why: (facts: Facts, match: RegExpExecArray) => string
	/** What to do: a sentence, often with a command, of which each fact is a word: see {@link inCommands}. */
	readonly next: (facts: Facts, match: RegExpExecArray) => string
}

const says = (text: string) => (): string => text

const sandboxRows: readonly ExplanationRow[] = [
	{
		cause: 'sandbox-limit',
		pattern: /(?:^|: )sandbox: (.*)/s,
		what: says('The sandbox cannot do this.'),
		why: (_, match) => match[1] ?? '',
		next: says('Install the tool it names, or use a real cluster: lading up --cluster kind'),
	},
]

/** These quote other messages, and so come before them. */
const quotingRows: readonly ExplanationRow[] = [
	{
		cause: 'repo-server-down',
		pattern: /code = Unavailable|transport: Error while dialing/,
		what: says('Argo CD’s repo-server does not answer.'),
		why: says('It is starting, or has crashed.'),
		next: ({ namespace }) =>
			`Look at it: kubectl get pods -n ${namespace} -l app.kubernetes.io/name=argocd-repo-server`,
	},
	{
		cause: 'manifest-unparsable',
		pattern: /Failed to unmarshal "([^"]*)":(.*)/s,
		what: (_, match) => `${match[1]} cannot be read as a Kubernetes object.`,
		why: (_, match) => (match[2] ?? '').trim().slice(0, 300),
		next: ({ place, targetRevision }) =>
			`Find the line with lading check DIR, mend it, and push: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'tags-denied',
		pattern: /error fetching tags: failed to get tags/,
		what: ({ place }) => `The registry does not list the tags of ${place}.`,
		why: says('A version range needs the list; some registries keep it from a user who may pull.'),
		next: ({ name }) => `Allow it, or name a tag: lading sync ${name} TAG`,
	},
]

const revisionRows: readonly ExplanationRow[] = [
	{
		cause: 'revision-empty',
		pattern: /cannot get digest for revision : invalid reference/,
		what: says('The Application names no revision.'),
		why: says('Argo CD has no default such as HEAD or latest for OCI sources.'),
		next: ({ name }) => `Give it one: lading sync ${name} TAG`,
	},
	{
		cause: 'revision-head',
		pattern: /failed to resolve revision "HEAD":.*not found/,
		what: says('The Application asks for the revision HEAD.'),
		why: says(
			'HEAD is the default of Git sources; in a registry it is a tag like any other, and there is none.',
		),
		next: ({ name }) => `Give it a tag: lading sync ${name} latest`,
	},
	{
		cause: 'revision-slash',
		pattern: /mismatch between received "([^"]*)" and expected "([^"]*)"/,
		what: (_, match) => `The revision "${match[1]}" has a slash in it.`,
		why: says('Tags have no slash, so Argo CD takes it for another repository.'),
		next: ({ name }) => `Push under a tag without a slash, then: lading sync ${name} TAG`,
	},
	{
		cause: 'revision-plus',
		pattern: /cannot get digest for revision ([^:]*\+[^:]*): invalid reference/,
		what: (_, match) => `The range chose the version ${match[1]}, which no registry can be asked for.`,
		why: says('Argo CD reads the "_" of a tag as "+", and does not turn it back.'),
		next: ({ name }) => `Delete the tag with "_", or name the tag itself: lading sync ${name} TAG`,
	},
	{
		cause: 'revision-invalid',
		pattern: /cannot get digest for revision .*: invalid (?:reference|checksum)/,
		what: ({ targetRevision }) => `"${targetRevision}" is neither a tag nor a digest nor a version range.`,
		why: says('The registry cannot be asked for it.'),
		next: ({ name }) => `Name a tag or a full digest: lading sync ${name} TAG`,
	},
	{
		cause: 'range-unmatched',
		pattern: /version matching constraint not found in (\d+) tags/,
		what: ({ place, targetRevision }, match) =>
			`None of the ${match[1]} tags of ${place} lies in the range ${targetRevision}.`,
		why: says('A range takes versions only, and no pre-releases unless it names one.'),
		next: ({ place }) => `Look at the tags (lading tags ${place}) and push one that fits.`,
	},
	{
		cause: 'digest-missing',
		pattern: /cannot get digest for revision (sha\d+:[0-9a-f…]*): .*@sha\d+:\S*: not found/,
		what: ({ place }, match) => `The registry has no ${match[1]} in ${place}.`,
		why: says('It was never pushed there, or was deleted since.'),
		next: ({ name, place }) =>
			`Push it again, or go to a tag that is there (lading tags ${place}): lading sync ${name} TAG`,
	},
	{
		cause: 'tag-missing',
		pattern: /cannot get digest for revision (.*?): \S+: not found/,
		what: ({ place }, match) => `There is no tag ${match[1]} in ${place}, or no such repository.`,
		why: says('A registry answers both alike; versions are taken literally, so 1.0.0 is not v1.0.0.'),
		next: ({ place, targetRevision }) =>
			`See what is there: lading tags ${place} – or push it: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'digest-header-missing',
		pattern: /missing required header "Docker-Content-Digest"/,
		what: ({ registry }) => `${registry} does not say the digest of a tag.`,
		why: says(
			'Argo CD asks with HEAD and needs the header Docker-Content-Digest; a proxy may have removed it.',
		),
		next: ({ name }) => `Let the proxy pass the header, or pin the digest: lading sync ${name} sha256:…`,
	},
]

const transportRows: readonly ExplanationRow[] = [
	{
		cause: 'ca-unknown',
		pattern: /certificate signed by unknown authority|certificate is not trusted/,
		what: ({ registry }) => `Argo CD does not trust the certificate of ${registry}.`,
		why: ({ host }) =>
			`argocd-tls-certs-cm has no CA for ${host}, or the right one has not reached the repo-server yet (1–2 minutes).`,
		next: ({ registry }) => `Make it trusted: lading trust ${registry} --ca FILE`,
	},
	{
		cause: 'certificate-name',
		pattern:
			/certificate is (?:valid for (.*?), not (\S+)|not valid for any names)|doesn't contain any IP SANs/,
		what: ({ registry }) => `The certificate of ${registry} does not carry the name Argo CD uses.`,
		why: (_, match) =>
			match[2] === undefined ? 'It names other hosts.' : `It is for ${match[1]}, not for ${match[2]}.`,
		next: says(
			'Issue a certificate that carries the name, or use a name that it carries in the Application’s repoURL.',
		),
	},
	{
		cause: 'certificate-expired',
		pattern: /certificate has expired or is not yet valid/,
		what: ({ registry }) => `The certificate of ${registry} is not valid now.`,
		why: says('It has expired, or a clock is wrong.'),
		next: says('Renew the certificate; look at it with lading doctor.'),
	},
	{
		cause: 'registry-plain-http',
		pattern: /server gave HTTP response to HTTPS client/,
		what: ({ registry }) => `${registry} speaks HTTP, and Argo CD asked with HTTPS.`,
		why: says('HTTPS is what Argo CD uses unless the repository’s Secret says otherwise.'),
		next: ({ name, place, targetRevision }) =>
			`Give the registry a certificate, or allow HTTP: lading deploy ${name} ${place}:${targetRevision} --plain-http`,
	},
	{
		cause: 'registry-wants-https',
		pattern: /(?:HEAD|GET) "http:\/\/[^"]*": response status code 400/i,
		what: ({ registry }) => `${registry} speaks HTTPS, and Argo CD asked with HTTP.`,
		why: says('The repository’s Secret has insecureOCIForceHttp: "true".'),
		next: ({ name, place, targetRevision }) =>
			`Take it out: lading deploy ${name} ${place}:${targetRevision}`,
	},
	{
		cause: 'connection-refused',
		pattern: /connect: connection refused/,
		what: ({ registry }) => `Nothing answers at ${registry}.`,
		why: says(
			'The registry is not running, or listens on an address that the cluster cannot reach (loopback).',
		),
		next: says('Start it (lading registry up), then look again: lading doctor'),
	},
	{
		cause: 'host-unknown',
		pattern: /lookup \S+.*no such host|server misbehaving|Temporary failure in name resolution/,
		what: ({ host }) => `The cluster does not know the name ${host}.`,
		why: says('The name is looked up inside the cluster, not on your machine.'),
		next: says('Use a name the cluster can resolve; lading doctor tells the ones it knows.'),
	},
	{
		cause: 'unreachable',
		pattern: /i\/o timeout|no route to host|network is unreachable|connection reset by peer|": EOF$/,
		what: ({ registry }) => `${registry} cannot be reached from the cluster.`,
		why: says('A firewall, a network policy or a proxy stands between, or the registry broke off.'),
		next: says('Look from both sides: lading doctor'),
	},
	{
		cause: 'credentials-missing',
		pattern: /basic credential not found/,
		what: ({ place }) => `${place} asks for a user name and a password, and Argo CD has none.`,
		why: says(
			'There is no repository Secret with credentials for this URL; one for another path of the host does not count.',
		),
		next: ({ name, place, targetRevision }) =>
			`Give them: lading deploy ${name} ${place}:${targetRevision} --username USER --password-stdin`,
	},
	{
		cause: 'credentials-refused',
		pattern: /response status code 401|authentication required|unauthorized/i,
		what: ({ place }) => `The registry does not let Argo CD read ${place}.`,
		why: says(
			'The password is wrong or has expired, or the repository is private and no Secret names it. A registry may answer so for one that does not exist, too.',
		),
		next: ({ name, place, targetRevision }) =>
			`Give them again: lading deploy ${name} ${place}:${targetRevision} --username USER --password-stdin`,
	},
	{
		cause: 'access-denied',
		pattern: /response status code 403|\bdenied:/,
		what: ({ place }) => `The registry forbids Argo CD to read ${place}.`,
		why: says('The user is known and may not pull from this repository.'),
		next: says('Grant the user the right to pull, or use another one.'),
	},
	{
		cause: 'registry-failing',
		pattern: /response status code (5\d\d|429)/,
		what: ({ registry }, match) => `${registry} answered ${match[1]}.`,
		why: (_, match) => (match[1] === '429' ? 'It is asked too often.' : 'The registry itself is not well.'),
		next: ({ name }) => `Wait and try again: lading sync ${name} – and read the registry’s log.`,
	},
]

const artifactRows: readonly ExplanationRow[] = [
	{
		cause: 'layers-too-many',
		pattern: /expected no more than 10 oci layers, got (\d+)/,
		what: (_, match) => `The artifact has ${match[1]} layers; Argo CD takes at most 10.`,
		why: says('It was not pushed as one directory.'),
		next: ({ place, targetRevision }) => `Push it as one layer: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'layers-none',
		pattern: /expected only a single oci (?:content )?layer, got 0/,
		what: says('Argo CD finds no tar in the artifact.'),
		why: says('It is an image index, or its layer is something else: plain YAML, zstd.'),
		next: ({ place, targetRevision }) =>
			`See what it is: lading check ${place}:${targetRevision} – then push the directory: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'layers-several',
		pattern: /expected only a single oci (?:content )?layer, got (\d+)/,
		what: (_, match) =>
			`The artifact has ${match[1]} layers that Argo CD could unpack; it takes exactly one.`,
		why: says('Files were pushed one by one, or as an image.'),
		next: ({ place, targetRevision }) => `Push it as one layer: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'media-type',
		pattern: /oci layer media type (\S+) is not in the list of allowed media types/,
		what: (_, match) => `This Argo CD does not allow layers of the type ${match[1]}.`,
		why: says(
			'Its list has the OCI tar, the OCI tar+gzip and the Helm chart layer unless it was configured.',
		),
		next: ({ place, targetRevision }) =>
			`Push it again: lading push DIR ${place}:${targetRevision} – or set reposerver.oci.layer.media.types in argocd-cmd-params-cm and restart the repo-server.`,
	},
	{
		cause: 'manifest-unreadable',
		pattern: /error (?:fetching|decoding|resolving) oci manifest for digest/,
		what: ({ place }) => `Argo CD cannot read the manifest in ${place}.`,
		why: says('The registry serves it with a Content-Type that no manifest has, or it is larger than 4 MiB.'),
		next: ({ place, targetRevision }) => `Look at it: lading check ${place}:${targetRevision}`,
	},
	{
		cause: 'content-missing',
		pattern: /could not save oci digest \S+: failed to perform "\w+" on source: (sha\d+:\w+): not found/,
		what: ({ place }, match) => `The artifact in ${place} is not whole: the registry lacks ${match[1]}.`,
		why: says(
			'A layer, or the artifact that its manifest names as subject, was deleted or never pushed; garbage collection does that.',
		),
		next: ({ place, targetRevision }) => `Push it again: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'content-tampered',
		pattern: /mismatched digest|failed to ingest|mismatch Content-Length/,
		what: ({ registry }) => `${registry} gave bytes that are not those of the digest.`,
		why: says('The registry’s storage is damaged, or something between changes the content.'),
		next: ({ place, targetRevision }) =>
			`Compare: lading check ${place}:${targetRevision} – then delete the artifact and push it again.`,
	},
	{
		cause: 'size-limit',
		pattern: /content size (\d+) exceeds push size limit (\d+)/,
		what: (_, match) => `A part of the artifact has ${match[1]} bytes; Argo CD takes ${match[2]}.`,
		why: says('The manifest is that large, or a layer without a title, such as an SBOM.'),
		next: ({ place, targetRevision }) =>
			`See which: lading check ${place}:${targetRevision} – and attach what is no manifest as a referrer.`,
	},
	{
		cause: 'blob-title',
		pattern: /path traversal disallowed/,
		what: says('The title of a layer leads out of the directory.'),
		why: says('Argo CD would have to write the layer outside of it.'),
		next: ({ place, targetRevision }) => `Push it again: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'not-gzip',
		pattern: /could not decompress layer: error reading file|gzip: invalid header/,
		what: says('The layer says it is gzip and is not.'),
		why: says('It was pushed with the media type of another format.'),
		next: ({ place, targetRevision }) => `Push the directory: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'symlink',
		pattern:
			/illegal filepath in symlink|error (?:checking|creating|relativizing) (?:symlink|link)|illegal symlink parent|EvalSymlinks: too many links|out-of-bounds symlinks(?:\. file: (\S+))?/,
		what: says('A symlink in the artifact leads where Argo CD does not go.'),
		why: says('It points out of the artifact or to itself, or stands before the directory it lies in.'),
		next: ({ place, targetRevision }) =>
			`See which: lading check ${place}:${targetRevision} – and copy the file instead of linking to it.`,
	},
	{
		cause: 'name-too-long',
		pattern: /file name too long/,
		what: says('A file in the artifact has a name that no disk takes.'),
		why: says('Linux takes 255 bytes for a name, and 4095 for a path.'),
		next: ({ place, targetRevision }) =>
			`See which: lading check ${place}:${targetRevision} – rename it, and push: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'path-escape',
		pattern:
			/illegal filepath in archive|path escapes from parent|mkdirat|error creating (?:nested folders|file)/,
		what: says('A file in the artifact has a path that Argo CD refuses.'),
		why: says('It leads out of the directory, or through a symlink.'),
		next: ({ place, targetRevision }) =>
			`See which: lading check ${place}:${targetRevision} – then push the directory again: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'extracted-size',
		pattern: /error writing tgz file: unexpected EOF/,
		what: says('More comes out of the layer than Argo CD unpacks (1,000,000,000 bytes).'),
		why: says('It ends there with "unexpected EOF"; a tar that was cut off says the same.'),
		next: ({ place, targetRevision }) =>
			`Measure it: lading check ${place}:${targetRevision} – and ship manifests only.`,
	},
	{
		cause: 'not-tar',
		pattern: /error while iterating on tar reader/,
		what: says('The layer is no whole tar.'),
		why: says(
			'It is another format under the media type of a tar, was cut off, or is larger than Argo CD unpacks.',
		),
		next: ({ place, targetRevision }) =>
			`See which: lading check ${place}:${targetRevision} – then push the directory: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'chart-layer',
		pattern: /expected 1 directory, found (\d+)/,
		what: (_, match) => `A Helm chart layer must hold one directory; this one has ${match[1]} entries.`,
		why: says('The layer has the media type of a chart and is none.'),
		next: ({ place, targetRevision }) =>
			`Package it with helm, or push it as manifests: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'unpack-failed',
		pattern: /cannot extract contents of oci image|could not decompress layer|could not save oci digest/,
		what: says('Argo CD cannot unpack the artifact.'),
		why: says('The layer is not what its media type says, or the repo-server’s disk is full.'),
		next: ({ place, targetRevision }) => `Look at it: lading check ${place}:${targetRevision}`,
	},
]

const specRows: readonly ExplanationRow[] = [
	{
		cause: 'repository-capitals',
		pattern: /invalid reference: invalid repository "([^"]*[A-Z][^"]*)"/,
		what: (_, match) => `The repository "${match[1]}" has capital letters.`,
		why: says('Repositories are lower case; a registry knows no other.'),
		next: ({ name, place, targetRevision }) =>
			`Use the lower-case name: lading deploy ${name} ${place.toLowerCase()}:${targetRevision}`,
	},
	{
		cause: 'repository-invalid',
		pattern: /failed to initialize (?:oci client|repository)|invalid repository "/,
		what: says('The Application’s repoURL is not the URL of a repository.'),
		why: says('It looks like oci://host[:port]/path, without user name, without a slash at the end.'),
		next: ({ name }) => `Correct it: lading deploy ${name} REGISTRY/REPOSITORY:TAG`,
	},
	{
		cause: 'secret-type-missing',
		pattern: /unsupported scheme "oci"/,
		what: says('Argo CD takes the oci:// source for a Git repository.'),
		why: says(
			'Versions 3.4.4 to 3.5 do so where the repository has no Secret with type: oci; versions before 3.1 always do.',
		),
		next: ({ name, place, targetRevision }) =>
			`Make the Secret: lading deploy ${name} ${place}:${targetRevision} – or update Argo CD.`,
	},
	{
		cause: 'source-forbidden',
		pattern: /application repo (\S+) is not permitted in project '([^']*)'/,
		what: (_, match) => `The project ${match[2]} does not allow the source ${match[1]}.`,
		why: says(
			'A "*" in sourceRepos does not cross a slash: oci://host/* does not allow oci://host/team/app.',
		),
		next: ({ namespace }, match) =>
			`Add it (or use **): kubectl edit appproject ${shellWord(match[2] ?? '')} -n ${namespace}`,
	},
	{
		cause: 'destination-forbidden',
		pattern:
			/do not match any of the allowed destinations in project '([^']*)'|namespace (\S+) is not permitted in project '([^']*)'/,
		what: ({ project }, match) =>
			`The project ${match[1] ?? match[3] ?? project} does not allow this destination.`,
		why: says('Its destinations name other clusters or namespaces.'),
		next: ({ namespace, project }, match) =>
			`Add it: kubectl edit appproject ${shellWord(match[1] ?? match[3] ?? project)} -n ${namespace}`,
	},
	{
		cause: 'kind-forbidden',
		pattern: /resource (\S+) is not permitted in project '?([^'\s]*)/,
		what: (_, match) => `The project ${match[2]} does not allow ${match[1]}.`,
		why: says('Its lists of cluster and namespace resources leave it out.'),
		next: ({ namespace }, match) =>
			`Add it: kubectl edit appproject ${shellWord(match[2] ?? '')} -n ${namespace}`,
	},
	{
		cause: 'project-missing',
		pattern: /referencing project (\S+?),? which does not exist|app is not allowed in project "([^"]*)"/,
		what: ({ project }, match) =>
			`The project ${match[1] ?? match[2] ?? project} does not exist, or does not take this Application.`,
		why: says('An Application works only within an AppProject.'),
		next: ({ name, place, targetRevision }) =>
			`Name another: lading deploy ${name} ${place}:${targetRevision} --project default`,
	},
	{
		cause: 'path-absent',
		pattern: /(\S+): app path (does not exist|is absolute|outside root|is not a directory)/,
		what: (_, match) => `The path ${match[1]} cannot be used: it ${match[2]}.`,
		why: says('A path is a directory inside the artifact; no top directory is stripped from it.'),
		next: ({ name, place, targetRevision }) =>
			`See what is there (lading inspect ${place}:${targetRevision}), then: lading deploy ${name} ${place}:${targetRevision} --path DIR`,
	},
	{
		cause: 'source-incomplete',
		pattern: /spec\.source\.repoURL and either spec\.source\.path or spec\.source\.chart are required/,
		what: says('The source has no path.'),
		why: says('Argo CD wants one, "." for the root.'),
		next: ({ name, place, targetRevision }) =>
			`Deploy it again: lading deploy ${name} ${place}:${targetRevision} --path .`,
	},
	{
		cause: 'cluster-unknown',
		pattern:
			/(?:there are no clusters with this name|error getting cluster|unable to find destination server|cluster "[^"]*" not found|has not been configured)/,
		what: says('Argo CD does not know the destination cluster.'),
		why: says('No cluster Secret has that name or URL.'),
		next: says('List them: kubectl get secret -n argocd -l argocd.argoproj.io/secret-type=cluster'),
	},
]

/** What admission says of objects quotes anything, and so comes before it. */
const admissionRows: readonly ExplanationRow[] = [
	{
		cause: 'admission-unreachable',
		pattern: /failed calling webhook "([^"]*)": (.*)/s,
		what: (_, match) =>
			`The admission webhook ${match[1]} does not answer, and without it the cluster takes nothing.`,
		why: (_, match) => (match[2] ?? '').slice(0, 300),
		next: says(
			'See whether what it belongs to runs: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
		),
	},
	{
		cause: 'admission-refused',
		pattern:
			/(?:admission webhook "([^"]*)" denied the request|ValidatingAdmissionPolicy '([^']*)' with binding '[^']*' denied request|violates PodSecurity "([^"]*)"):? ?(.*)/s,
		what: (_, match) =>
			`A rule of the cluster does not allow an object: ${match[1] ?? match[2] ?? `Pod Security ${match[3]}`}.`,
		why: (_, match) => (match[4] ?? '').slice(0, 300),
		next: ({ place, targetRevision }) =>
			`Mend the manifest and push: lading push DIR ${place}:${targetRevision} – or ask who keeps the policy.`,
	},
	{
		cause: 'quota-exceeded',
		pattern: /exceeded quota: ([^\s,]+)(?:, requested: (.*))?/s,
		what: (_, match) => `The quota ${match[1]} of the namespace is used up.`,
		why: (_, match) =>
			match[2] === undefined ? 'It counts what is there.' : `Requested: ${match[2].slice(0, 300)}`,
		next: ({ destination }) =>
			`Look at it: kubectl describe resourcequota -n ${destination} – and free some, or raise it.`,
	},
	{
		cause: 'namespace-terminating',
		pattern: /unable to create new content in namespace (\S+) because it is being terminated/,
		what: (_, match) => `The namespace ${match[1]} is being deleted.`,
		why: says('Kubernetes makes nothing new in it until it is gone; a finalizer may hold that up.'),
		next: (_, match) =>
			`See what is left in it: kubectl get namespace ${shellWord(match[1] ?? '')} -o jsonpath='{.status.conditions}'`,
	},
]

const deployRows: readonly ExplanationRow[] = [
	{
		cause: 'json-several',
		pattern: /Found multiple objects in "([^"]*)"/,
		what: (_, match) => `${match[1]} holds several JSON objects.`,
		why: says('Argo CD takes one per JSON file.'),
		next: says('Split the file, or write YAML with --- between the objects.'),
	},
	{
		cause: 'kind-missing',
		pattern: /Object 'Kind' is missing/,
		what: says('A file in the artifact has no kind.'),
		why: says('A stray .json file is read as a manifest.'),
		next: ({ place, targetRevision }) => `See which: lading check ${place}:${targetRevision}`,
	},
	{
		cause: 'directory-size',
		pattern: /exceeded max combined manifest file size/,
		what: says('The manifests have more than 10,000,000 bytes together.'),
		why: says('That is what Argo CD reads from one directory.'),
		next: says(
			'Split them over several Applications, or raise reposerver.max.combined.directory.manifests.size.',
		),
	},
	{
		cause: 'tool-missing',
		pattern: /(?:exec: "(\S+)"|fork\/exec \S+): (?:executable file not found|no such file)/,
		what: (_, match) => `The repo-server has no ${match[1] ?? 'such tool'}.`,
		why: says('Kustomize and Helm directories are rendered by that program.'),
		next: says('Install it where the repo-server runs.'),
	},
	{
		cause: 'render-failed',
		pattern: /`?(kustomize build|helm template)\b.*failed/s,
		what: (_, match) => `${match[1]} failed.`,
		why: says('The directory does not render.'),
		next: (_, match) => `Render it yourself to see why: ${match[1]} DIR`,
	},
	{
		cause: 'api-version-missing',
		pattern:
			/^(?:(\S+ \S+): )?[^]*failed to discover server resources for group version : groupVersion shouldn't be empty/,
		what: (_, match) => `${match[1] ?? 'An object'} has no apiVersion.`,
		why: says('Without one the cluster does not know what it is.'),
		next: ({ place, targetRevision }) =>
			`Add it (kubectl api-resources lists them) and push: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'name-missing',
		pattern: /^(?:(\S+) \S*: )?[^]*resource name may not be empty/,
		what: (_, match) => `${match[1] === undefined ? 'An object' : `A ${match[1]}`} has no name.`,
		why: says('Argo CD applies objects by their names.'),
		next: ({ place, targetRevision }) => `Find it: lading check ${place}:${targetRevision}`,
	},
	{
		cause: 'generated-name',
		pattern: /cannot use generate name with apply/,
		what: says('An object has only a generateName.'),
		why: says('Argo CD applies objects by their names; only hooks may be named by the cluster.'),
		next: ({ place, targetRevision }) => `Find it: lading check ${place}:${targetRevision} – and name it.`,
	},
	{
		cause: 'field-type',
		pattern: /^(?:(\S+ \S+): )?[^]*json: cannot unmarshal (\w+) into Go struct field (\S+) of type (\w+)/,
		what: (_, match) =>
			`${match[1] ?? 'An object'} has a ${match[2]} where a ${match[4]} belongs: ${match[3]}.`,
		why: says('YAML reads 1.0, 0644, yes and on as numbers and booleans, and text as text.'),
		next: ({ place, targetRevision }) =>
			`Put it in quotes, or take it out of them, and push: lading push DIR ${place}:${targetRevision}`,
	},
	{
		cause: 'version-unserved',
		pattern:
			/could not find version "([^"]*)" of (\S+) for requested resource \S+ Version "([^"]*)" of \S+ is installed/,
		what: (_, match) => `The cluster does not serve ${match[2]} in the version ${match[1]}.`,
		why: (_, match) => `It serves ${match[3]}; old versions go away with new Kubernetes.`,
		next: (_, match) => `Write the manifest for ${match[3]} and push it.`,
	},
	{
		cause: 'crd-missing',
		pattern:
			/(?:failed to discover server resources for group version (\S+?):|no matches for kind "?(\S+?)"? in version|The Kubernetes API could not find (\S+?) for requested resource|could not find the requested resource)/,
		what: (_, match) =>
			`The cluster does not serve ${match[1] ?? match[2] ?? match[3] ?? 'a kind that the artifact has'}.`,
		why: says('Its CustomResourceDefinition is not installed, or not yet.'),
		next: says(
			'Install the CRD first, or ship it in the same artifact; Argo CD applies CRDs before the rest.',
		),
	},
	{
		cause: 'annotation-size',
		pattern: /metadata\.annotations: Too long/,
		what: says('An object is too large for client-side apply.'),
		why: says('Its last applied form goes into an annotation, and annotations have at most 262,144 bytes.'),
		next: ({ name, place, targetRevision }) =>
			`Apply on the server: lading deploy ${name} ${place}:${targetRevision} --server-side`,
	},
	{
		cause: 'resource-repeated',
		pattern: /Resource (\S+) appeared (\d+) times among application resources/,
		what: (_, match) => `${match[1]} is in the artifact ${match[2]} times.`,
		why: says('Argo CD deploys the last one.'),
		next: ({ place, targetRevision }) => `See where: lading check ${place}:${targetRevision}`,
	},
	{
		cause: 'resource-shared',
		pattern: /(\S+) is part of applications (\S+) and (.+)/,
		what: (_, match) => `${match[1]} belongs to two Applications: ${match[2]} and ${match[3]}.`,
		why: says('They overwrite each other.'),
		next: says('Take it out of one of them.'),
	},
	{
		cause: 'resource-excluded',
		pattern: /Resource (.+) is excluded in the settings/,
		what: (_, match) => `Argo CD is told to leave ${match[1]} alone.`,
		why: says('resource.exclusions in argocd-cm names its kind.'),
		next: ({ namespace }) => `Change it there: kubectl edit configmap argocd-cm -n ${namespace}`,
	},
	{
		cause: 'namespace-missing',
		pattern: /namespaces "([^"]*)" not found/,
		what: (_, match) => `The namespace ${match[1]} does not exist.`,
		why: says('Neither the artifact nor the Application makes it.'),
		next: (_, match) =>
			`Make it: kubectl create namespace ${shellWord(match[1] ?? '')} – or deploy with CreateNamespace=true, as lading does.`,
	},
	{
		cause: 'cluster-forbids',
		pattern: /is forbidden: (.*)/,
		what: says('The cluster forbids Argo CD to do this.'),
		why: (_, match) => (match[1] ?? '').slice(0, 300),
		next: says(
			'Grant the service account of the application-controller what it lacks, or change the object.',
		),
	},
	{
		cause: 'field-immutable',
		pattern: /field is immutable|updates to \w+ spec for fields other than/,
		what: says('A field cannot be changed on an object that exists.'),
		why: says('Kubernetes keeps it for the life of the object.'),
		next: says('Delete the object, or annotate it argocd.argoproj.io/sync-options: Replace=true,Force=true'),
	},
	{
		cause: 'object-invalid',
		pattern: /is invalid: (.*)/s,
		what: says('The cluster does not take an object.'),
		why: (_, match) => (match[1] ?? '').slice(0, 300),
		next: says('Mend the manifest and push again.'),
	},
	{
		cause: 'wipe-refused',
		pattern: /auto-sync will wipe out all resources/,
		what: says('The new artifact has no resources, and Argo CD does not delete everything by itself.'),
		why: says('A push without manifests is seldom meant.'),
		next: ({ name }) => `Push the manifests again; to remove the application: lading undeploy ${name}`,
	},
	{
		cause: 'auto-sync-blocks',
		pattern: /Cannot sync to .*: auto-sync currently set to (\S+)/,
		what: (_, match) => `Argo CD syncs by itself to ${match[1]} and refuses another revision.`,
		why: says('With auto-sync the Application’s targetRevision decides.'),
		next: ({ name }) => `Move the Application: lading sync ${name} REVISION`,
	},
	{
		cause: 'hook-failed',
		pattern:
			/(?:pre|post)?-?(?:sync)?\s*hooks? (?:has )?failed|one or more (?:pre-sync|post-sync|sync-fail) hooks|Job has reached the specified backoff limit/i,
		what: says('A hook failed, and the sync with it.'),
		why: says('A Job or Pod that runs before, during or after the sync did not succeed.'),
		next: ({ name }) => `See which: lading status ${name} – and read its log with kubectl logs.`,
	},
	{
		cause: 'tasks-invalid',
		pattern: /one or more synchronization tasks are not valid(?:: (.*))?/s,
		what: says('The cluster would not take some of the objects.'),
		why: (_, match) => (match[1] ?? 'The resources of the sync say which.').slice(0, 300),
		next: ({ name }) => `See which: lading status ${name}`,
	},
	{
		cause: 'tasks-failed',
		pattern: /one or more synchronization tasks completed unsuccessfully(?:,? reason: (.*))?/s,
		what: says('What was applied first did not get well, and the rest was not applied.'),
		why: (_, match) => (match[1] ?? 'The resources of the sync say which.').slice(0, 300),
		next: ({ name }) => `See which: lading status ${name}`,
	},
	{
		cause: 'objects-failed',
		pattern: /one or more objects failed to apply(?:,? reason: (.*))?/s,
		what: says('Some of the objects could not be applied.'),
		why: (_, match) => (match[1] ?? 'The resources of the sync say which.').slice(0, 300),
		next: ({ name }) => `See which: lading status ${name}`,
	},
]

const lastRows: readonly ExplanationRow[] = [
	{
		cause: 'timeout',
		pattern: /context deadline exceeded|DeadlineExceeded/,
		what: says('Argo CD’s repo-server took longer than 60 seconds.'),
		why: says(
			'The first pull and the rendering must fit into that; the registry is slow or the artifact large.',
		),
		next: ({ name }) =>
			`Try again (what was pulled is kept): lading sync ${name} – or raise controller.repo.server.timeout.seconds in argocd-cmd-params-cm.`,
	},
]

/** For what the cluster says of the objects that it was given. */
export const clusterRows: readonly ExplanationRow[] = [
	...sandboxRows,
	...admissionRows,
	...specRows,
	...deployRows,
]

/** In the order in which they are tried: what is more exact stands first. */
export const explanationRows: readonly ExplanationRow[] = [
	...sandboxRows,
	...quotingRows,
	...admissionRows,
	...specRows,
	...revisionRows,
	...transportRows,
	...artifactRows,
	...deployRows,
	...lastRows,
]
