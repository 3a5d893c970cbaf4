import { expect, it } from 'vitest'
import * as lading from '../../src/index.ts'

it('the library has exactly these doors', () => {
	expect(Object.keys(lading).toSorted()).toMatchInlineSnapshot(`
		[
		  "InternalError",
		  "LadingError",
		  "RemoteError",
		  "UserError",
		  "acceptanceRules",
		  "applyTrust",
		  "check",
		  "checkArtifact",
		  "copy",
		  "createLayoutStore",
		  "createMemoryStore",
		  "deploy",
		  "diff",
		  "doctor",
		  "down",
		  "errorCodes",
		  "formatReference",
		  "inspect",
		  "listTags",
		  "openCluster",
		  "openWorkspace",
		  "parseReference",
		  "planTrust",
		  "pull",
		  "push",
		  "readApplications",
		  "readDeployments",
		  "readReference",
		  "rollbackApplication",
		  "silentProgress",
		  "syncApplication",
		  "undeploy",
		  "up",
		]
	`)
})
