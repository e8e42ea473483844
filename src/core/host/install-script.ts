import { usageError } from '../errors.ts'
import { actionFunctions } from './install-script-actions.ts'
import { machineChecks, packageChecks } from './install-script-checks.ts'
import { bootMenuFunctions } from './install-script-menu.ts'

export interface InstallPackage {
  readonly name: string
  /** Path of the .deb from the folder of the script, as `sha256sums` there names it. */
  readonly file: string
}

export interface InstallPlan {
  /** `uname -r` of the kernel that is installed. */
  readonly kernelRelease: string
  readonly packages: readonly InstallPackage[]
}

/** Names go into the script unquoted, by words. */
const word = /^[A-Za-z0-9][\w.+~:/-]*$/

/**
 * The text of `install.sh`: POSIX sh, to be run on the machine that gets the kernel. It looks first and changes
 * nothing where it does not understand how the machine boots.
 * @throws usage E_INSTALL_NAME for a name that does not belong into a script
 */
export function installScript(plan: InstallPlan): string {
  const { kernelRelease, packages } = plan
  for (const name of [kernelRelease, ...packages.flatMap((each) => [each.name, each.file])]) {
    if (word.test(name) && !name.includes('..')) continue
    throw usageError('E_INSTALL_NAME', `‘${name}’ cannot be the name of a package or a kernel in install.sh`)
  }
  const list = (values: readonly string[]): string => `'${values.join(' ')}'`
  const settings = [
    `release=${kernelRelease}`,
    `packages=${list(packages.map(({ name }) => name))}`,
    `files=${list(packages.map(({ file }) => file))}`,
  ]
  return [
    head,
    settings.join('\n'),
    common,
    bootMenuFunctions,
    machineChecks,
    packageChecks,
    actionFunctions,
    main,
  ].join('\n')
}

const head = String.raw`#!/bin/sh
# Made by fwbuild. Installs a kernel beside those that are there; './install.sh --help' says how.
set -eu
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
DEBIAN_FRONTEND=noninteractive
export LC_ALL PATH DEBIAN_FRONTEND
umask 022
`

const common = String.raw`
# What was there before, by kernel: read by --undo.
state=/var/lib/fwbuild-host-kernel
record=$state/$release
# The default entry; read after the distribution's own settings.
pin=/etc/default/grub.d/95-fwbuild-default.cfg
menu=/boot/grub/grub.cfg
settings_package=fwbuild-host-settings
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
replace_zfs_dkms=no
replace_running=no

say() { printf '%s\n' "$*"; }

refuse() {
  printf 'install.sh: refused, nothing was changed: %s\n' "$*" >&2
  exit 3
}

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  printf 'install.sh: run it again to go on, or with --undo to go back\n' >&2
  exit 1
}

usage() {
  cat <<END
Usage: install.sh [--check | --make-default | --undo]
                  [--replace-zfs-dkms] [--replace-running]

Installs the kernel $release and what belongs to it from the folder of this
script. The kernel that runs now stays the default until you say otherwise.

  --check             look whether it can be installed, and change nothing
  --make-default      boot the new kernel by default, from the next boot on
  --undo              remove what was installed, and boot as before
  --replace-zfs-dkms  zfs-dkms may be removed for the modules that come along
  --replace-running   another build of $release may take the place of the one
                      that runs or is the default; another kernel becomes the
                      default then, if there is one
  --help              this text

The boot parameters of $settings_package (intel_iommu=on iommu=pt ...)
reach all kernels of GRUB's menu, not only this one; only the recovery entries
go without.

Exit codes: 0 done; 1 failed half-way (run it again, or --undo); 2 wrong usage;
3 refused: this machine is not one it understands, and nothing was changed.
END
}

status_of() { dpkg-query -W -f '${'${db:Status-Status}'}' "$1" 2>/dev/null || :; }

# Packages that dpkg did not bring to an end; 'dpkg --audit' names harmless ones too.
unfinished() {
  dpkg-query -W -f '${'${db:Status-Status} ${db:Status-Eflag} ${Package}'}\n' |
    awk '$1 !~ /^(installed|config-files|not-installed)$/ || $2 != "ok" { print $3 }'
}

is_installed() { [ "$(status_of "$1")" = installed ]; }

# Also when it is there by half.
is_there() {
  case $(status_of "$1") in
  '' | not-installed | config-files) return 1 ;;
  esac
}

# The kernel that the installed settings go with.
settings_kernel() {
  dpkg-query -W -f '${'${Depends}'}\n' "$settings_package" 2>/dev/null | sed -n 's/.*linux-image-\([^ ,(]*\).*/\1/p'
}

# Packages that were not there before this script.
recorded() { cat "$record/installed" 2>/dev/null || :; }

# Whole or not at all, also when the power fails.
write_file() {
  cat >"$1.new"
  sync "$1.new"
  mv -f "$1.new" "$1"
}
`

const main = String.raw`
action=install
for argument; do
  case $argument in
  --check | --make-default | --undo)
    if [ "$action" != install ]; then
      usage >&2
      exit 2
    fi
    action=$argument
    ;;
  --replace-zfs-dkms) replace_zfs_dkms=yes ;;
  --replace-running) replace_running=yes ;;
  --help | -h)
    usage
    exit 0
    ;;
  *)
    printf 'install.sh: %s is not an option\n' "$argument" >&2
    usage >&2
    exit 2
    ;;
  esac
done

case $action in
install)
  check_all
  install_packages
  ;;
--check)
  check_all
  say "$release can be installed; $(uname -r) would stay the default."
  ;;
--make-default) make_default ;;
--undo) undo ;;
esac
`
