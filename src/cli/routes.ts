import { buildRouteMap, type Command, type RouteMap } from '@stricli/core'
import { checkCommand } from './commands/check.ts'
import { clusterDownCommand } from './commands/cluster-down.ts'
import { clusterServeCommand } from './commands/cluster-serve.ts'
import { clusterStatusCommand } from './commands/cluster-status.ts'
import { clusterUpCommand } from './commands/cluster-up.ts'
import { completionCommand } from './commands/completion.ts'
import { copyCommand } from './commands/copy.ts'
import { deleteCommand } from './commands/delete.ts'
import { deployCommand } from './commands/deploy.ts'
import { devCommand } from './commands/dev.ts'
import { diffCommand } from './commands/diff.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downCommand } from './commands/down.ts'
import { forwardCommand } from './commands/forward.ts'
import { historyCommand } from './commands/history.ts'
import { initCommand } from './commands/init.ts'
import { inspectCommand } from './commands/inspect.ts'
import { loadCommand } from './commands/load.ts'
import { loginCommand } from './commands/login.ts'
import { logoutCommand } from './commands/logout.ts'
import { logsCommand } from './commands/logs.ts'
import { pullCommand } from './commands/pull.ts'
import { pushCommand } from './commands/push.ts'
import { registryDownCommand } from './commands/registry-down.ts'
import { registryPruneCommand } from './commands/registry-prune.ts'
import { registryScrubCommand } from './commands/registry-scrub.ts'
import { registryServeCommand } from './commands/registry-serve.ts'
import { registryStatusCommand } from './commands/registry-status.ts'
import { registryTokenRoutes } from './commands/registry-token.ts'
import { registryUpCommand } from './commands/registry-up.ts'
import { statusCommand } from './commands/status.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { saveCommand } from './commands/save.ts'
import { syncCommand } from './commands/sync.ts'
import { tagCommand } from './commands/tag.ts'
import { tagsCommand } from './commands/tags.ts'
import { trustCommand } from './commands/trust.ts'
import { undeployCommand } from './commands/undeploy.ts'
import { untagCommand } from './commands/untag.ts'
import { upCommand } from './commands/up.ts'
import type { CliContext } from './context.ts'

function registryRoutes(): RouteMap<CliContext> {
	return buildRouteMap<'up' | 'serve' | 'status' | 'prune' | 'scrub' | 'down' | 'token', CliContext>({
		routes: {
			up: registryUpCommand(),
			serve: registryServeCommand(),
			status: registryStatusCommand(),
			prune: registryPruneCommand(),
			scrub: registryScrubCommand(),
			down: registryDownCommand(),
			token: registryTokenRoutes(),
		},
		docs: { brief: 'The local registry with TLS' },
	})
}

function clusterRoutes(): RouteMap<CliContext> {
	return buildRouteMap<'up' | 'serve' | 'status' | 'down', CliContext>({
		routes: {
			up: clusterUpCommand(),
			serve: clusterServeCommand(),
			status: clusterStatusCommand(),
			down: clusterDownCommand(),
		},
		docs: { brief: 'The local cluster with Argo CD' },
	})
}

/** Every command, in the order of a first day with lading. */
const commands: Readonly<Record<string, () => Command<CliContext> | RouteMap<CliContext>>> = {
	up: upCommand,
	dev: devCommand,
	push: pushCommand,
	sync: syncCommand,
	status: statusCommand,
	doctor: doctorCommand,
	down: downCommand,
	check: checkCommand,
	diff: diffCommand,
	tags: tagsCommand,
	tag: tagCommand,
	untag: untagCommand,
	delete: deleteCommand,
	inspect: inspectCommand,
	pull: pullCommand,
	copy: copyCommand,
	save: saveCommand,
	load: loadCommand,
	deploy: deployCommand,
	undeploy: undeployCommand,
	history: historyCommand,
	rollback: rollbackCommand,
	logs: logsCommand,
	forward: forwardCommand,
	login: loginCommand,
	logout: logoutCommand,
	trust: trustCommand,
	registry: registryRoutes,
	cluster: clusterRoutes,
	init: initCommand,
	completion: completionCommand,
}

/**
 * What can be typed. A command line that begins with a command needs no other: to make all of them takes longer than
 * to read them.
 */
export function routesFor(word?: string): RouteMap<CliContext> {
	const made = Object.entries(commands).filter(
		([name]) => !Object.hasOwn(commands, word ?? '') || name === word,
	)
	return buildRouteMap({
		routes: Object.fromEntries(made.map(([name, make]) => [name, make()])),
		docs: {
			brief:
				'Takes a directory of Kubernetes manifests to a running application, through an OCI registry and Argo CD.',
			fullDescription: [
				'Takes a directory of Kubernetes manifests to a running application, through an OCI registry and Argo CD.',
				'',
				'EXAMPLES',
				'  lading init && lading up            a project, its registry, its cluster, its application',
				'  lading push manifests shop:v1.1.0   a new version',
				'  lading sync shop v1.1.0             moved, waited for, reported',
				'  lading doctor                       when something does not work',
				'',
				'EXIT CODES',
				'  0 done, or yes        3 bad input or configuration    6 network, registry or cluster   9 this machine',
				'  1 the answer is no    4 not authenticated or allowed  7 not found                      70 a bug of lading',
				'  2 wrong usage         5 TLS                           8 timed out                      130 interrupted',
			].join('\n'),
		},
	})
}
