package nodeimage

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/hack/airgap/debian"
)

// packages are what a node consists of. Whatever they depend on comes along,
// except what unneeded names.
var packages = []string{
	"base-files", "base-passwd", "bash", "coreutils", "dash", "debianutils", "findutils", "grep", "gzip", "hostname",
	"libc-bin", "login", "mawk", "mount", "procps", "sed", "tar", "util-linux",
	"systemd", "runc", "containernetworking-plugins", "conntrack", "ethtool", "iproute2", "iptables", "kmod", "nftables", "socat",
}

// unneeded are packages that only maintainer scripts need, which do not run.
var unneeded = []string{"debconf", "dpkg", "init-system-helpers", "perl", "perl-base", "perl-modules-5.36", "usrmerge"}

// skipped are folders of packages that no program of a node reads.
var skipped = []string{
	"usr/share/bash-completion", "usr/share/bug", "usr/share/doc", "usr/share/doc-base", "usr/share/info",
	"usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/zsh", "usr/lib/x86_64-linux-gnu/gconv",
	"usr/lib/x86_64-linux-gnu/perl", "usr/lib/x86_64-linux-gnu/perl-base", "usr/share/perl", "usr/share/perl5", "usr/lib/udev/hwdb.d",
}

// unwanted are units that make no sense in a container, or that would start
// what a node does not have.
var unwanted = []string{
	"dev-hugepages.mount", "dev-mqueue.mount", "getty.target", "proc-sys-fs-binfmt_misc.automount", "sys-fs-fuse-connections.mount",
	"sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-ask-password-console.path",
	"systemd-ask-password-wall.path", "systemd-binfmt.service", "systemd-firstboot.service", "systemd-logind.service",
	"systemd-modules-load.service", "systemd-networkd.service", "systemd-pcrphase-sysinit.service", "systemd-pcrphase.service",
	"systemd-pstore.service", "systemd-random-seed.service", "systemd-remount-fs.service", "systemd-repart.service",
	"systemd-resolved.service", "systemd-sysctl.service", "systemd-sysusers.service", "systemd-timesyncd.service",
	"systemd-tmpfiles-setup-dev.service", "systemd-tmpfiles-setup.service", "systemd-udev-settle.service",
	"systemd-udev-trigger.service", "systemd-udevd.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service",
	"apt-daily.timer", "e2scrub_all.timer", "fstrim.timer", "systemd-tmpfiles-clean.timer", "dpkg-db-backup.timer",
}

// writeBase writes the files of the packages, and those that their maintainer
// scripts would have made, as one layer.
func writeBase(ctx context.Context, w io.Writer, debs []string) error {
	out := &layer{out: tar.NewWriter(w), written: map[string]bool{}}
	for _, dir := range []string{"usr", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "etc", "var", "run", "tmp", "opt", "opt/cni", "root"} {
		if err := out.folder(dir); err != nil {
			return err
		}
	}
	for _, dir := range []string{"bin", "lib", "lib64", "sbin"} {
		if err := out.link(dir, "usr/"+dir); err != nil {
			return err
		}
	}
	for _, deb := range debs {
		if slices.Contains(unneeded, debian.Name(deb)) || strings.HasPrefix(debian.Name(deb), "libperl") {
			continue
		}
		if err := debian.Files(ctx, deb, out.add); err != nil {
			return err
		}
	}
	for _, step := range []func() error{out.accounts, out.links} {
		if err := step(); err != nil {
			return err
		}
	}
	return out.out.Close()
}

// layer is a layer that is being written.
type layer struct {
	out     *tar.Writer
	written map[string]bool
	// kept are the contents of files that others are made from.
	passwd, group []byte
}

func (l *layer) add(h *tar.Header, r io.Reader) error {
	if l.written[h.Name] { // a folder, or a link to one
		return nil
	}
	for _, dir := range skipped {
		if h.Name == dir || strings.HasPrefix(h.Name, dir+"/") {
			return nil
		}
	}
	l.written[h.Name] = true
	var keep *[]byte
	switch h.Name {
	case "usr/share/base-passwd/passwd.master":
		keep = &l.passwd
	case "usr/share/base-passwd/group.master":
		keep = &l.group
	}
	if err := l.out.WriteHeader(h); err != nil {
		return err
	}
	if keep != nil {
		content, err := io.ReadAll(io.LimitReader(r, 1<<16))
		if err != nil {
			return err
		}
		*keep = content
		_, err = l.out.Write(content)
		return err
	}
	_, err := io.Copy(l.out, r)
	return err
}

func (l *layer) folder(name string) error {
	l.written[name] = true
	mode := int64(0o755)
	if name == "tmp" {
		mode = 0o1777
	}
	return l.out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func (l *layer) link(name, target string) error {
	l.written[name] = true
	return l.out.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

func (l *layer) file(name string, content []byte) error {
	l.written[name] = true
	if err := l.out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644}); err != nil {
		return err
	}
	_, err := l.out.Write(content)
	return err
}

// accounts writes what base-passwd, libc-bin and systemd set up when they
// are installed.
func (l *layer) accounts() error {
	if l.passwd == nil || l.group == nil {
		return errors.New("package base-passwd has no accounts")
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"etc/passwd", l.passwd},
		{"etc/group", l.group},
		{"etc/nsswitch.conf", []byte("passwd: files\ngroup: files\nhosts: files dns\n")},
		{"etc/machine-id", nil},
		{"etc/fstab", nil},
	} {
		if err := l.file(f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

// links writes the links that update-alternatives and systemctl make.
func (l *layer) links() error {
	all := map[string]string{
		"usr/sbin/init":                     "/usr/lib/systemd/systemd",
		"opt/cni/bin":                       "/usr/lib/cni",
		"etc/systemd/system/default.target": "/usr/lib/systemd/system/multi-user.target",
		"usr/bin/awk":                       "mawk",
	}
	for _, tool := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		all["usr/sbin/"+tool] = "xtables-nft-multi"
	}
	for _, unit := range unwanted {
		all["etc/systemd/system/"+unit] = os.DevNull
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		dir := filepath.Dir(name)
		if !l.written[dir] {
			if err := l.folder(dir); err != nil {
				return err
			}
		}
		if l.written[name] {
			continue
		}
		if err := l.link(name, all[name]); err != nil {
			return err
		}
	}
	return nil
}
