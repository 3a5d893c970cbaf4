#!/bin/bash
# The first process in namespaces of their own (network, mounts, processes): an engine of Docker's that nobody
# else sees, on the default socket, and then the command given. When this shell ends, the kernel ends everything
# that was started here, and the networks with it. Ends with 125 where the engine does not start.
#   inside.sh DIRECTORY CGROUP RUNTIME IMAGE… -- COMMAND…
set -eu
directory=$1 cgroup=$2 runtime=$3
shift 3

ip link set lo up
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /run
engine=(--data-root "$directory/docker" --exec-root /run/docker --pidfile /run/docker.pid)
engine+=(--config-file "$directory/daemon.json" --cgroup-parent "$cgroup" --exec-opt native.cgroupdriver=cgroupfs)
echo '{}' >"$directory/daemon.json"
# Where a capability is missing. The name of a runtime may not be that of the one it stands before.
if [ "$runtime" != runc ]; then engine+=(--add-runtime "reduced=$runtime" --default-runtime reduced); fi
dockerd "${engine[@]}" >"$directory/dockerd.log" 2>&1 &
dockerd=$!
until docker version >/dev/null 2>&1; do
	kill -0 "$dockerd" 2>/dev/null || exit 125
	sleep 0.2
done
while [ "$1" != -- ]; do
	docker load -q -i "$1" >/dev/null
	shift
done
shift
# Not exec: the first process is also who buries the orphans, and a shell does that.
"$@"
