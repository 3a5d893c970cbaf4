import { dump } from 'js-yaml'

/** Objects as one YAML stream, for `kubectl apply -f -`. */
export function formatYaml(objects: readonly unknown[]): string {
	return objects.map((object) => dump(object, { noRefs: true, lineWidth: -1 })).join('---\n')
}
