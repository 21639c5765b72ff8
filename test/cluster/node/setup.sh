#!/bin/sh
# Runs once while the node image is built: what cannot be said by a file.
set -eu
containerd_spec=/etc/containerd/cri-base.json
ctr oci spec | jq 'del(.process.rlimits)' >"$containerd_spec"
rm -rf /opt/cni/bin
mkdir -p /opt/cni /kind/manifests /etc/kubernetes/manifests
ln -s /usr/lib/cni /opt/cni/bin
# Units for hardware, consoles and mounts that a container does not have.
rm -f /etc/systemd/system/*.wants/*
cd /lib/systemd/system
rm -f multi-user.target.wants/* local-fs.target.wants/* basic.target.wants/* \
  sockets.target.wants/*udev* sockets.target.wants/*initctl* \
  sysinit.target.wants/*udev* sysinit.target.wants/systemd-tmpfiles-setup.service
systemctl enable containerd kubelet
systemctl mask systemd-binfmt.service systemd-logind.service apt-daily.timer apt-daily-upgrade.timer
rm /setup.sh
