/** Shell functions that refuse what the script does not understand; part of install-script.ts. */
export const machineChecks = String.raw`
check_system() {
  [ "$(id -u)" = 0 ] || refuse 'run it as root'
  for program in dpkg dpkg-query dpkg-deb apt-get awk sha256sum md5sum stat; do
    command -v "$program" >/dev/null || refuse "$program is missing; these packages are for Debian and Ubuntu"
  done
  [ "$(dpkg --print-architecture)" = amd64 ] || refuse 'the kernel is for amd64, and this system is not'
  if [ -e /.dockerenv ] || [ -e /run/.containerenv ] || [ -e /run/systemd/container ] ||
    tr '\0' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='; then
    refuse 'this is a container: the kernel is the business of its host'
  fi
  # Process 1 is of the machine; who sees another root than it sits in a chroot.
  if [ "$(stat -Lc %d:%i /)" != "$(stat -Lc %d:%i /proc/1/root 2>/dev/null)" ]; then
    refuse 'this is a chroot; run it on the system that was booted'
  fi
}

# Of an EFI variable, without its four bytes of attributes.
efi_variable() {
  tail -c +5 "/sys/firmware/efi/efivars/$1" 2>/dev/null | tr -d '\0' || :
}

check_boot() {
  if [ "$(efi_variable SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c | od -An -tu1 | tr -d ' ')" = 1 ]; then
    refuse 'Secure Boot is on, and it starts no kernel that is not signed; switch it off in the firmware'
  fi
  if [ -s /etc/kernel/proxmox-boot-uuids ]; then
    refuse 'proxmox-boot-tool keeps the kernels of this machine, not GRUB alone'
  fi
  for folder in /boot /boot/efi /efi; do
    if [ -e "$folder/EFI/systemd/systemd-bootx64.efi" ]; then
      refuse "systemd-boot is installed in $folder; only GRUB is understood"
    fi
  done
  case $(efi_variable LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f) in
  *systemd-boot* | *rEFInd*) refuse 'another boot loader than GRUB started this machine' ;;
  esac
  [ -s "$menu" ] || refuse "GRUB does not boot this machine: there is no $menu"
  for program in update-grub grub-mkconfig grub-probe grub-reboot grub-editenv; do
    command -v "$program" >/dev/null || refuse "$program is missing, so GRUB's menu cannot be kept"
  done
  [ -x /etc/grub.d/10_linux ] || refuse 'GRUB does not look for kernels here: /etc/grub.d/10_linux is off'
  grep -qF 'default/grub.d/*.cfg' "$(command -v grub-mkconfig)" ||
    refuse 'this GRUB reads no drop-ins in /etc/default/grub.d'
  if is_installed dracut || ! is_installed initramfs-tools-core || ! command -v update-initramfs >/dev/null; then
    refuse 'the initramfs is not made by initramfs-tools here'
  fi
  running=$(uname -r)
  [ -n "$(entry_of "$running")" ] ||
    refuse "$menu has no entry for $running, the kernel that runs: something else starts this machine"
  case $(tr ' ' '\n' </proc/cmdline | sed -n 's/^BOOT_IMAGE=//p') in
  */vmlinuz-"$running") ;;
  *) refuse 'the running kernel was not started by GRUB: /proc/cmdline has no BOOT_IMAGE of it' ;;
  esac
}

# A run that was killed may leave dpkg half-way; anything else that did is not ours to clear up.
check_dpkg() {
  half=$(unfinished | tr '\n' ' ')
  [ -n "$half" ] || return 0
  [ -d "$record" ] || refuse "dpkg has not finished: $half(see dpkg --audit)"
}
`

export const packageChecks = String.raw`
check_files() {
  [ -r "$here/sha256sums" ] || refuse "$here/sha256sums is missing"
  for file in $files; do
    [ -r "$here/$file" ] || refuse "$here/$file is missing"
    wanted=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1; exit }' "$here/sha256sums")
    [ -n "$wanted" ] || refuse "sha256sums does not name $file"
    found=$(sha256sum <"$here/$file")
    [ "${'${found%% *}'}" = "$wanted" ] || refuse "$file is not what sha256sums says: it was damaged or changed"
  done
}

# KiB of /boot that this release has already.
replaced_space() {
  for file in /boot/*-"$release"; do [ ! -f "$file" ] || stat -c %s "$file"; done |
    awk '{ bytes += $1 } END { printf "%d\n", bytes / 1024 }'
}

# KiB that /boot must hold: what the packages bring, and an initramfs of the usual size twice, as the new one
# is written before it replaces the old.
check_space() {
  for file in $files; do dpkg-deb -c "$here/$file"; done |
    awk '$6 ~ /^\.\/boot\// { bytes += $3 } END { printf "%d\n", bytes / 1024 }' >"$scratch/new"
  largest=$(stat -c %s /boot/initrd.img-* 2>/dev/null | sort -n | tail -n 1)
  new=$(cat "$scratch/new")
  needed=$((new + 2 * ${'${largest:-67108864}'} / 1024 - $(replaced_space)))
  # dpkg writes the new files before it drops the old ones.
  [ "$needed" -ge "$new" ] || needed=$new
  free=$(df -Pk /boot | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$needed" ] ||
    refuse "/boot has $((free / 1024)) MiB free, and $((needed / 1024 + 1)) MiB are needed"
}

check_zfs() {
  case " $packages " in
  *' zfs-modules-'*) ;;
  *) return 0 ;;
  esac
  is_installed zfs-dkms || return 0
  [ "$replace_zfs_dkms" = no ] || return 0
  refuse "zfs-dkms is installed. It would be removed for the ZFS modules of $release, and the kernels you could
fall back to would lose theirs. If nothing they need to boot is on ZFS: --replace-zfs-dkms"
}

# The recorded ZFS modules of a former build of this release, where the packages have none.
former_zfs() {
  case " $packages " in
  *" zfs-modules-$release "*) return 0 ;;
  esac
  if is_there "zfs-modules-$release" && recorded | grep -qxF "zfs-modules-$release"; then
    say "zfs-modules-$release"
  fi
}

# Packages of this release that are there and would become others than they are.
replaced() {
  former_zfs
  for file in $files; do
    package=$(dpkg-deb -f "$here/$file" Package)
    case $package in
    *-"$release") ;;
    *) continue ;;
    esac
    is_there "$package" || continue
    dpkg-deb -I "$here/$file" md5sums 2>/dev/null | (cd / && md5sum -c --status - 2>/dev/null) || say "$package"
  done
}

# What runs or is the default is known to boot; a build that was not tried must not take its place unasked.
check_replaced() {
  [ "$replace_running" = no ] || return 0
  if [ "$running" = "$release" ]; then
    why='is the kernel that runs'
  elif [ "$(default_kernel)" = "$release" ]; then
    why='is the default'
  else
    return 0
  fi
  changed=$(replaced | tr '\n' ' ')
  [ -z "$changed" ] || refuse "$release $why, and another build of it would take its place, untried: $changed
Boot another kernel and make it the default first ('$here/install.sh --undo' from there removes this one),
or take the risk with --replace-running"
}

# Also a rebuilt package of the same version is taken.
apt_install() {
  set -- "$@" -y --no-install-recommends --reinstall --allow-downgrades -o DPkg::Lock::Timeout=120 install
  for file in $files; do set -- "$@" "$here/$file"; done
  apt-get "$@"
}

# Asks APT what it would do.
check_apt() {
  # Unfinished work of ours is finished first when it is really done.
  [ -z "$(unfinished)" ] || return 0
  if ! apt_install -s >"$scratch/apt" 2>&1; then
    grep -E '^(E:| )' "$scratch/apt" >&2 || :
    refuse "APT cannot install the packages; if some are not found, 'apt-get update' may help"
  fi
  gone=$(awk '$1 == "Remv" { print $2 }' "$scratch/apt" | grep -vxF -e zfs-dkms -e "$(former_zfs)" | tr '\n' ' ')
  [ -z "$gone" ] || refuse "APT would remove other packages: $gone"
}

check_all() {
  check_system
  check_boot
  check_dpkg
  check_files
  check_zfs
  check_replaced
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  check_space
  check_apt
}
`
