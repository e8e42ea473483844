/** Shell functions that change the machine; part of install-script.ts. */
export const actionFunctions = String.raw`
# Other kernels that were installed by such a script.
other_records() {
  for each in "$state"/*/installed; do
    [ ! -e "$each" ] || [ "$each" = "$record/installed" ] || say "$each"
  done
}

# Before anything changes: a killed run knows as much as a whole one. A later run adds what it brings more.
remember() {
  mkdir -p "$record"
  # The record is written last: where it is, what such a script itself made is no part of what was there before.
  if [ -e "$pin" ] && [ ! -e "$record/installed" ]; then
    write_file "$record/pin" <"$pin"
    [ -n "$(other_records)" ] || write_file "$state/pin" <"$pin"
  fi
  {
    recorded
    for package in $packages; do
      is_installed "$package" || recorded | grep -qxF "$package" || say "$package"
    done
  } | write_file "$record/installed"
}

finish_dpkg() {
  [ -z "$(unfinished)" ] || dpkg --configure -a || :
}

install_packages() {
  remember
  finish_dpkg
  keep_default
  apply_default
  remove_former_zfs
  apt_install || fail 'APT did not install the packages'
  [ -e "/boot/initrd.img-$release" ] || fail "no initramfs was made for $release"
  [ -n "$(entry_of "$release")" ] || update-grub || fail "GRUB's menu could not be made"
  entry=$(entry_of "$release")
  [ -n "$entry" ] || fail "GRUB's menu has no entry for $release"
  apply_default
  closing_words
}

closing_words() {
  say ''
  say "$release is installed. $(default_text)"
  if [ "$running" = "$release" ] && [ "$(default_kernel)" = "$release" ]; then
    say 'It runs already; what was installed now is used from the next boot on.'
  elif grub_can_write; then
    say 'Boot it once, and the default again after that:'
    say "    grub-reboot '$entry' && reboot"
  else
    say 'GRUB cannot write to the disk of /boot here, so it could not forget a choice for one boot:'
    say 'choose the kernel in its menu, below the advanced options.'
  fi
  say 'When it works, make it the default:'
  say "    $here/install.sh --make-default"
  say 'To have the machine as it was:'
  say "    $here/install.sh --undo"
  if is_installed "$settings_package"; then
    say "The boot parameters of $settings_package (intel_iommu=on iommu=pt ...) reach all kernels of GRUB's menu,"
    say 'also those that were there before; only the recovery entries go without.'
  fi
}

# Set before the new kernel comes into the menu, so that it never is the default by accident.
keep_default() {
  kernel=$(kernel_of "$(pinned)")
  if [ -n "$(entry_of "$kernel")" ]; then
    # It may be this one: what is installed again is the same then, or check_replaced would have refused.
    [ "$kernel" = "$release" ] && [ -n "$(replaced)" ] || return 0
  elif [ "$(default_kernel)" = "$release" ]; then
    [ -n "$(replaced)" ] || return 0
  elif [ ! -e "$pin" ]; then
    [ "$running" != "$release" ] || [ -n "$(replaced)" ] || return 0
    default_moves || return 0
  fi
  kernel=$(fallback_kernel)
  if [ -n "$kernel" ]; then
    set_default "$(entry_of "$kernel")"
  else
    say "Note: there is no other kernel that could be the default instead of $release."
  fi
}

# Modules of a former build do not fit the kernel that comes now.
remove_former_zfs() {
  former=$(former_zfs)
  [ -z "$former" ] || dpkg --purge --force-remove-reinstreq "$former" || fail "dpkg did not remove $former"
}

default_text() {
  if [ -e "$pin" ]; then
    say "The default entry stays $(pinned)."
  else
    say "Your GRUB_DEFAULT stays as it is: $(configured_default)."
  fi
}

make_default() {
  check_system
  is_installed "linux-image-$release" || refuse "$release is not installed"
  [ -d "$record" ] || refuse "$release was not installed by this script"
  command -v update-grub >/dev/null || refuse 'GRUB does not boot this machine: there is no update-grub'
  entry=$(entry_of "$release")
  [ -n "$entry" ] || refuse "GRUB's menu has no entry for $release"
  [ "$(uname -r)" = "$release" ] || say "Note: the kernel that runs is $(uname -r)."
  set_default "$entry"
  apply_default
  say "$release is the default from the next boot on."
}

# The default is shared with other kernels of fwbuild: what one of them needs stays.
undo_default() {
  [ -n "$(kernel_of "$(pinned)")" ] || return 0
  if [ -z "$(other_records)" ]; then
    if [ -e "$state/pin" ]; then write_file "$pin" <"$state/pin"; else rm -f "$pin"; fi
    return 0
  fi
  if is_good_default "$(pinned)"; then return 0; fi
  before=$(sed -n "s/^GRUB_DEFAULT='\(.*\)'/\1/p" "$record/pin" 2>/dev/null || :)
  # Never none: GRUB would take the newest, which may be one that was not tried yet.
  is_good_default "$before" || before=$(entry_of "$(fallback_kernel)")
  [ -z "$before" ] || set_default "$before"
}

# Whether it is the entry of a kernel that is there when this one is gone.
is_good_default() { other_kernels | grep -qxF "$(kernel_of "$1")"; }

# In an order that dpkg takes: the kernel goes when nothing needs it any more.
all_packages() {
  {
    recorded
    for package in $packages; do say "$package"; done
  } | sort -u | awk '/^linux-image-/ { last = last $0 "\n"; next } { print } END { printf "%s", last }'
}

# They are one package for all kernels; the last one installed has them, and its --undo takes them out.
hand_over_settings() {
  owner=$(settings_kernel)
  [ -n "$owner" ] && [ "$owner" != "$release" ] && is_installed "linux-image-$owner" || return 1
  [ ! -e "$state/$owner/installed" ] || grep -qxF "$settings_package" "$state/$owner/installed" ||
    { cat "$state/$owner/installed" && say "$settings_package"; } | write_file "$state/$owner/installed"
}

undo() {
  check_system
  if [ ! -d "$record" ]; then
    say "Nothing of $release was installed by this script."
    return 0
  fi
  if is_there "linux-image-$release" && [ -z "$(other_kernels)" ]; then
    refuse "$menu has no other kernel than $release: without it the machine would not boot"
  fi
  undo_default
  case $(grub-editenv list 2>/dev/null | sed -n 's/^next_entry=//p') in
  *"gnulinux-$release-advanced"*) grub-editenv - unset next_entry ;;
  esac
  finish_dpkg
  set --
  for package in $(all_packages); do
    case $(status_of "$package") in
    '' | not-installed) continue ;;
    esac
    if [ "$package" = "$settings_package" ] && hand_over_settings; then
      say "$package is of another kernel now and stays."
    elif recorded | grep -qxF "$package"; then
      set -- "$@" "$package"
    elif [ "$package" = "$settings_package" ]; then
      # It depends on the kernel it goes with.
      say "$package was there before, of another kernel: that one's install.sh brings it back."
      set -- "$@" "$package"
    else
      say "$package was there before and stays."
    fi
  done
  if [ $# -gt 0 ]; then
    # Also those that a killed run left half unpacked.
    dpkg --purge --force-remove-reinstreq "$@" || fail 'dpkg did not remove the packages'
  fi
  case $(status_of "linux-image-$release") in
  '' | not-installed)
    # depmod's indexes belong to no package.
    rm -f "/lib/modules/$release"/modules.*
    rmdir "/lib/modules/$release" 2>/dev/null || :
    ;;
  esac
  update-grub || fail "GRUB's menu could not be made"
  rm -rf "$record"
  if [ -z "$(other_records)" ]; then
    if [ -e "$state/made-folder" ]; then rmdir "${'${pin%/*}'}" 2>/dev/null || :; fi
    rm -f "$state/made-folder" "$state/pin"
  fi
  rmdir "$state" 2>/dev/null || :
  if [ -e "$pin" ]; then
    say "$release is removed; the default entry is $(menu_default)."
  else
    say "$release is removed, and the machine boots as before."
  fi
  if [ "$(uname -r)" = "$release" ]; then say 'It still runs: reboot soon, its modules are gone.'; fi
}
`
