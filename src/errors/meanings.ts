import type { ErrorCode } from './codes.ts'

/** What a code means, for docs/reference/errors.md. An error itself says more: its message names what it is about. */
export interface ErrorMeaning {
	readonly meaning: string
	readonly cause: string
	readonly fix: string
}

/** Not loaded by the command: the page is made from it. */
export const errorMeanings: Readonly<Record<ErrorCode, ErrorMeaning>> = {
	ARTIFACT_REFUSED: {
		meaning: 'Argo CD would not deploy it.',
		cause: 'A rule of Argo CD is broken: more than one layer, YAML that does not parse, no manifest at all.',
		fix: 'Mend what the details name, each with its own fix; `lading check` lists all of it. `--no-check` pushes it nevertheless.',
	},
	TAG_EXISTS: {
		meaning: 'The tag names other content, and is not moved.',
		cause: 'A version was pushed before and the files have changed since, or the registry keeps its tags.',
		fix: 'Choose a new tag. `--force` moves it where the registry lets it.',
	},
	APPLICATION_OWNED: {
		meaning: 'The Application belongs to something else, which would move it back.',
		cause: 'An ApplicationSet, another Application or an owner reference keeps it.',
		fix: 'Change what owns it; the message names it.',
	},
	SYNC_FAILED: {
		meaning: 'Argo CD tried to synchronise, and could not.',
		cause: 'The API server refuses an object, or Argo CD cannot read the artifact.',
		fix: 'The details have Argo CD’s words and what they mean; `lading doctor` looks for the cause.',
	},
	APPLICATION_DEGRADED: {
		meaning: 'It was deployed, and what runs is not healthy.',
		cause: 'An image that cannot be pulled, a container that crashes, a probe that fails.',
		fix: 'The details name the resource and why; `lading logs NAME`, or `lading rollback NAME`.',
	},
	ARGOCD_UNSUPPORTED: {
		meaning: 'This Argo CD is too old for OCI artifacts.',
		cause: 'It is older than 3.1.6.',
		fix: 'Update Argo CD.',
	},
	REVISION_KEPT: {
		meaning: 'The Application stays at the revision that a person has set.',
		cause: '`deploy`, `sync` or `rollback` has moved it, and `up` never moves it back.',
		fix: '`lading sync NAME REVISION` moves it.',
	},
	IN_USE: {
		meaning: 'An Application runs it or asks for it, or whether one does is not known.',
		cause: 'It is deployed somewhere, or the cluster does not answer.',
		fix: 'Move the Application first; `--force` goes on nevertheless.',
	},
	DELETE_UNSUPPORTED: {
		meaning: 'The registry does not delete.',
		cause: 'Deleting is switched off there, or the registry has another way to do it.',
		fix: 'Switch it on, or delete it by the registry’s own means.',
	},
	JOURNAL_DAMAGED: {
		meaning:
			'The registry removes nothing, as lines of its journal were damaged: they may have named what would go.',
		cause: 'The disk, or somebody edited the file.',
		fix: 'Push again what is missing, then move the `journal.damaged-*` files elsewhere.',
	},
	USAGE: {
		meaning: 'The command or function was called wrongly.',
		cause: 'A flag, an argument or an option that does not exist, is missing or does not go with another.',
		fix: 'The hint names the right spelling, or the help page.',
	},
	REGISTRY_UNKNOWN: {
		meaning: 'The reference names no registry, and there is none by default.',
		cause: 'The first part has no `.` and no `:`, and no local registry runs in this project.',
		fix: 'Write it with its host, `registry.example.com/team/app:v1`, or start one: `lading registry up`.',
	},
	REFERENCE_INVALID: {
		meaning: 'That is not the name of an artifact, a repository or a registry.',
		cause: 'Capital letters, a tag that is too long, a password in it.',
		fix: 'Write `registry/repository:tag` or `registry/repository@sha256:…`.',
	},
	DIGEST_INVALID: {
		meaning: 'That is not a digest.',
		cause: 'It was cut off, or its algorithm is not known.',
		fix: 'Copy it whole: `sha256:` and 64 hexadecimal digits.',
	},
	DIRECTORY_INVALID: {
		meaning: 'The directory cannot be used as it is.',
		cause: 'It does not exist, or is a file.',
		fix: 'Name another one.',
	},
	DIRECTORY_EMPTY: {
		meaning: 'There is nothing to pack.',
		cause: 'The directory has no files, or an ignore file takes them all out.',
		fix: 'Name the right directory, or mend the line of the ignore file that the message names.',
	},
	FILE_UNREADABLE: {
		meaning: 'A file cannot be read.',
		cause: 'Its rights, or the disk.',
		fix: 'Give yourself the right to read it, or leave it out by `.ladingignore`.',
	},
	FILE_UNSUPPORTED: {
		meaning: 'A file is of a kind that an artifact cannot hold, or that is not rendered here.',
		cause: 'A device, a socket, a link that leads outside, a remote base of Kustomize.',
		fix: 'Remove it, or leave it out by `.ladingignore`.',
	},
	FILE_CHANGED: {
		meaning: 'A file changed while it was packed.',
		cause: 'An editor or a generator was writing.',
		fix: 'Run it again when nothing writes.',
	},
	MANIFEST_UNPARSABLE: {
		meaning: 'A manifest is no YAML or JSON.',
		cause: 'A wrong indentation, a tab, a template that was not rendered.',
		fix: 'Mend the line that the message names.',
	},
	ARTIFACT_INVALID: {
		meaning: 'What was read is not an artifact that this can work with.',
		cause: 'A container image, an index, an OCI layout that is none.',
		fix: '`lading inspect` shows what it is; name another one.',
	},
	CONFIG_INVALID: {
		meaning: 'A setting is wrong.',
		cause: 'A field of `lading.yaml`, of the registry’s settings or a variable such as HTTPS_PROXY.',
		fix: 'Mend the field that the message names; `schema/` has the JSON Schemas for editors.',
	},
	KUBECONFIG_INVALID: {
		meaning: 'The kubeconfig cannot be used.',
		cause: 'It is not there, does not parse, or lacks the context.',
		fix: '`kubectl config get-contexts` lists contexts; `--kubeconfig FILE` names another file.',
	},
	STATE_INVALID: {
		meaning: '`.lading/state.json` is not what lading wrote.',
		cause: 'It was edited, or a newer lading wrote it.',
		fix: 'Use the newer lading, or `lading down --force`.',
	},
	JOURNAL_MISSING: {
		meaning: 'The directory of a registry has content, and no journal that says whose it is.',
		cause: 'The file `journal` was removed, or a backup was put back without it.',
		fix: 'Put the file back; to begin with an empty registry, choose another directory or remove its `blobs`.',
	},
	OBJECT_INVALID: {
		meaning: 'An object cannot be made, or the API server refuses it.',
		cause: 'A name or a value that Kubernetes does not take.',
		fix: 'Change what the message names.',
	},
	NAME_TAKEN: {
		meaning: 'Something else has this name already.',
		cause:
			'A directory that is not empty, a file, or an Application, a cluster or a container that lading did not make.',
		fix: 'Choose another name, or remove it yourself; `pull --force` replaces files of the same name, `save --force` a tar or a layout.',
	},
	UNAUTHENTICATED: {
		meaning: 'The other side wants to know who asks, or does not accept the credential.',
		cause: 'Nobody is signed in, or the password or token is wrong or over.',
		fix: '`lading login HOST`; for Argo CD’s own API, a new ARGOCD_AUTH_TOKEN. See docs/guide/registries.md.',
	},
	FORBIDDEN: {
		meaning: 'The account may not do this.',
		cause: 'A right is missing, or a private repository hides that it is there.',
		fix: 'Ask for the right, or use another account.',
	},
	CREDENTIALS_UNREADABLE: {
		meaning: 'A credential cannot be read.',
		cause: 'docker’s configuration does not parse, or a credential helper is missing or fails.',
		fix: 'Mend the file, or install the helper that the message names.',
	},
	TLS_UNKNOWN_CA: {
		meaning: 'The certificate is signed by a CA that is not trusted.',
		cause: 'A registry with a CA of its own, or a proxy that opens TLS.',
		fix: '`--ca FILE` or SSL_CERT_FILE for this machine, `lading trust HOST --ca FILE` for Argo CD.',
	},
	TLS_NAME_MISMATCH: {
		meaning: 'The certificate is for another name.',
		cause: 'The registry is called by an address or a name that its certificate lacks.',
		fix: 'Use one of the names that the message lists, or have a certificate issued for this one.',
	},
	TLS_EXPIRED: {
		meaning: 'The certificate is not valid at this time.',
		cause: 'It was not renewed, or the clock of this machine is wrong.',
		fix: 'Renew it, or set the clock.',
	},
	TLS_PROTOCOL: {
		meaning: 'One side speaks TLS and the other does not, or they find no common way.',
		cause:
			'A registry with plain HTTP, `--plain-http` for one with TLS, a client certificate that is wanted.',
		fix: 'Add or leave out `--plain-http`.',
	},
	CA_UNREADABLE: {
		meaning: 'The CA file holds no certificate.',
		cause: 'A wrong path, or a file in DER.',
		fix: 'Give a PEM file; `openssl x509 -inform der -in FILE -out ca.crt` converts one.',
	},
	CERTIFICATE_UNREADABLE: {
		meaning: 'A certificate or key of a server cannot be used.',
		cause: 'A wrong path, a key that does not fit, a file that is no PEM.',
		fix: 'Give the certificate with its chain, and its key.',
	},
	CONNECTION_FAILED: {
		meaning: 'There is no connection, or it broke off and trying again did not help.',
		cause: 'A name that DNS does not know, nothing that listens, a firewall, a proxy.',
		fix: 'Check the address; HTTPS_PROXY and NO_PROXY where there is a proxy.',
	},
	REGISTRY_FAILED: {
		meaning: 'The registry refuses, or fails.',
		cause: 'Too many requests, a limit or a quota, a fault of its own.',
		fix: 'The message has its words; try again later, or ask its operator.',
	},
	REGISTRY_PROTOCOL: {
		meaning: 'What answers is no registry, or does not keep to the specification.',
		cause: 'A web site, a login page or a proxy answers in its place.',
		fix: 'Check host and port.',
	},
	CONTENT_CORRUPT: {
		meaning: 'Content is not what its digest promises. It was not used.',
		cause: 'A damaged disk, or somebody in between who changed it.',
		fix: 'Push it again from a good source; `lading registry scrub` finds damage in an embedded registry.',
	},
	CLUSTER_UNREACHABLE: {
		meaning: 'The API of the cluster cannot be reached.',
		cause: 'It is stopped, the kubeconfig is old, a VPN is missing.',
		fix: '`kubectl cluster-info` with the same context; `lading cluster up` for a local one.',
	},
	CLUSTER_FAILED: {
		meaning: 'The API of the cluster answers with a fault.',
		cause: 'A webhook that fails, an API server in trouble.',
		fix: 'The message has its words.',
	},
	ARGOCD_FAILED: {
		meaning: 'Argo CD’s own API answers with a fault.',
		cause: 'argocd-server is in trouble, or a proxy before it.',
		fix: 'The message has its words; read the log of argocd-server.',
	},
	ARGOCD_NOT_READY: {
		meaning: 'Argo CD was installed and does not get ready.',
		cause: 'Its images cannot be pulled, or the machine is too small.',
		fix: 'The details name the Pods and why; run the same command again.',
	},
	NOT_RUNNING: {
		meaning: 'Something of this project is not running.',
		cause: 'It was stopped, or the machine was restarted.',
		fix: '`lading registry up`, `lading cluster up` or `lading up` starts it again.',
	},
	NOT_FOUND: {
		meaning: 'It is not there.',
		cause: 'A spelling, another registry, another namespace, a repository that has to be made first.',
		fix: '`lading tags REPOSITORY` and `lading status` list what is there.',
	},
	TIMED_OUT: {
		meaning: 'It did not end in the time that it was given; it may still.',
		cause: 'Images that are pulled slowly, a deadline that is short.',
		fix: '`lading status`; the same command again waits on; `--timeout` gives more time.',
	},
	PORT_TAKEN: {
		meaning: 'Another program listens on the port.',
		cause: 'Another registry, another project.',
		fix: 'Stop it, or choose another with `--port`.',
	},
	DISK_FULL: {
		meaning: 'No space is left. Nothing half-written stays.',
		cause: 'The disk or a quota is full.',
		fix: 'Make room, and run the same command again.',
	},
	FILE_UNWRITABLE: {
		meaning: 'A file cannot be written.',
		cause: 'Its rights, a path that cannot be, a file system that is read-only.',
		fix: 'See that the path is right and that you may write there.',
	},
	TOOL_MISSING: {
		meaning: 'A program that is needed for this is not installed.',
		cause: 'kind, docker, helm, kustomize or kubectl is not on PATH.',
		fix: 'Install it; the sandbox needs none.',
	},
	TOOL_FAILED: {
		meaning: 'Another program failed.',
		cause: 'kind, docker or helm ended with an error.',
		fix: 'The details have its words.',
	},
	DOCKER_NOT_RUNNING: {
		meaning: 'Docker does not answer.',
		cause: 'It is not started, or you may not talk to it.',
		fix: 'Start it, or join the group docker; `--cluster sandbox` needs no Docker.',
	},
	SERVER_NOT_STARTED: {
		meaning: 'A server in the background did not start.',
		cause: 'The message has the end of its log.',
		fix: 'Mend that; `lading doctor`.',
	},
	ALREADY_RUNNING: {
		meaning: 'Another lading works on the same directory.',
		cause: 'A command in another terminal, or a server on this data.',
		fix: 'Wait until it has ended, or stop it.',
	},
	INTERNAL: {
		meaning: 'A bug of lading.',
		cause: 'A state that was not thought of.',
		fix: 'Report it, with the output of the same command with LADING_DEBUG=1.',
	},
	INTERRUPTED: {
		meaning: 'It was interrupted, or its signal was aborted.',
		cause: 'Ctrl-C, SIGTERM, a terminal that was closed, an AbortSignal.',
		fix: 'Run the same again: it finishes what is missing.',
	},
}
