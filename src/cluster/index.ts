export { PatchType } from './cluster.ts'
export type { ApplyOptions, Cluster, ListOptions, ObjectList, WaitOptions, WatchEvent } from './cluster.ts'
export { formatRef, refOf } from './objects.ts'
export type { KubeObject, ObjectMeta, ObjectRef, OwnerReference, ResourceType } from './objects.ts'
