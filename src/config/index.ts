export { CONFIG_FILE, configSchema, isClusterName, isDnsLabel, readConfig } from './config.ts'
export type { Config } from './config.ts'
export { environmentVariables } from './environment.ts'
export type { EnvironmentVariable } from './environment.ts'
