#!/bin/bash
# With version 2 of control groups: makes the kubelet's root group, and hands
# every controller down to it. systemd has moved all processes out of the root
# by now, which the kernel asks for.
set -euo pipefail
root=/sys/fs/cgroup
if [ ! -e $root/cgroup.controllers ]; then
	mkdir -p $root/systemd/kubelet
	exit
fi
mkdir -p $root/kubelet $root/kubelet.slice
for group in $root $root/kubelet $root/kubelet.slice; do
	sed 's/[^ ]*/+&/g' $group/cgroup.controllers >$group/cgroup.subtree_control
done
