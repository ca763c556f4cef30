/** A minimal Debian userland: which packages it is unpacked from and what of them is left out. */
export interface DebianBase {
  readonly packages: readonly string[];
  /** Paths below the tree that nothing on a node reads: manuals, translations, tools with libraries of their own. */
  readonly drop: readonly string[];
}

const runtimeLibraries = [
  "libacl1",
  "libattr1",
  "libaudit1",
  "libblkid1",
  "libbsd0",
  "libc6",
  "libcap-ng0",
  "libcap2",
  "libcrypt1",
  "libedit2",
  "libgcc-s1",
  "libgmp10",
  "libip4tc2",
  "libip6tc2",
  "libjansson4",
  "libkmod2",
  "liblzma5",
  "libmd0",
  "libmnl0",
  "libmount1",
  "libnetfilter-conntrack3",
  "libnfnetlink0",
  "libnftables1",
  "libnftnl11",
  "libpam0g",
  "libpcre2-8-0",
  "libselinux1",
  "libsmartcols1",
  "libssl3",
  "libtinfo6",
  "libudev1",
  "libuuid1",
  "libxtables12",
  "libzstd1",
  "zlib1g",
];

const drop = [
  // Needs libsystemd, and there is no login here.
  "usr/bin/lslogins",
  "etc/apparmor.d",
  "etc/bash_completion.d",
  "etc/init.d",
  "etc/default",
  "etc/cron.d",
  "usr/lib/systemd",
  "usr/lib/x86_64-linux-gnu/gconv",
  "usr/lib/x86_64-linux-gnu/audit",
  "usr/lib/x86_64-linux-gnu/perl5",
  "usr/lib/locale",
  "usr/share/bash-completion",
  "usr/share/bug",
  "usr/share/doc",
  "usr/share/doc-base",
  "usr/share/info",
  "usr/share/initramfs-tools",
  "usr/share/lintian",
  "usr/share/locale",
  "usr/share/man",
  "usr/share/menu",
];

/** What images of programs that set up mounts and packet filters stand on: kubelet, kube-proxy, flannel. */
export const imageBase: DebianBase = {
  packages: [
    ...runtimeLibraries,
    "ca-certificates",
    "conntrack",
    "coreutils",
    "dash",
    "iptables",
    "kmod",
    "mount",
    // Has /etc/protocols: without it nft calls tcp "6", and kube-proxy, which lists its maps at every full sync, once an
    // hour and at its start, takes each of its entries for a stranger's and deletes it. No Service would answer then.
    "netbase",
    "nftables",
    "util-linux",
  ],
  drop: [...drop, "usr/lib/udev", "etc/pam.d", "usr/lib/mime"],
};

/** nginx with what it is linked to, and nothing else: no shell. */
export const nginxBase: DebianBase = {
  packages: ["libc6", "libcrypt1", "libpcre2-8-0", "libssl3", "nginx", "nginx-common", "zlib1g"],
  drop: [
    ...drop,
    "etc/logrotate.d",
    "etc/nginx/modules-available",
    "etc/nginx/modules-enabled",
    "etc/nginx/sites-available",
    "etc/nginx/sites-enabled",
    "etc/nginx/snippets",
    "etc/ufw",
    "usr/lib/x86_64-linux-gnu/engines-3",
    "usr/share/nginx",
    "usr/share/vim",
    "var/lib/nginx",
    "var/log",
    "var/www",
  ],
};

/** What a node needs besides Talos' own programs. */
export const nodeBase: DebianBase = {
  packages: [
    ...imageBase.packages,
    "e2fsprogs",
    "ethtool",
    "findutils",
    "grep",
    "iproute2",
    "libbpf1",
    "libcom-err2",
    "libelf1",
    "libext2fs2",
    "libgssapi-krb5-2",
    "libinih1",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "libss2",
    "libtirpc3",
    "liburcu8",
    "logsave",
    "sed",
    "xfsprogs",
  ],
  drop: [
    ...drop,
    "etc/pam.d",
    // Their libraries (ICU, Berkeley DB, device mapper, ATM) would weigh more than all the rest.
    "usr/sbin/arpd",
    "usr/sbin/e2scrub",
    "usr/sbin/e2scrub_all",
    "usr/sbin/xfs_io",
    "usr/sbin/xfs_scrub",
    "usr/sbin/xfs_scrub_all",
    "usr/lib/x86_64-linux-gnu/tc/q_atm.so",
  ],
};
