/** Shell functions that change the machine; part of install-script.ts. */
export const actionFunctions = String.raw`
# Before anything changes: a killed run knows as much as a whole one.
remember() {
  mkdir -p "$record"
  # Written last: where it is, what this script itself made is no part of what was there before.
  [ ! -e "$record/installed" ] || return 0
  if [ -e "$pin" ]; then write_file "$record/pin" <"$pin"; fi
  for package in $packages; do
    is_installed "$package" || say "$package"
  done | write_file "$record/installed"
}

finish_dpkg() {
  [ -z "$(unfinished)" ] || dpkg --configure -a || :
}

install_packages() {
  remember
  finish_dpkg
  # Set before the new kernel comes into the menu, so that it never is the default by accident.
  if [ ! -e "$pin" ] && [ "$running" != "$release" ] && default_moves; then
    set_default "$(entry_of "$running")"
  fi
  apt_install || fail 'APT did not install the packages'
  [ -e "/boot/initrd.img-$release" ] || fail "no initramfs was made for $release"
  default=$(sed -n "s/^GRUB_DEFAULT='\(.*\)'/\1/p" "$pin" 2>/dev/null || :)
  if [ -z "$(entry_of "$release")" ] || ! grep -qF "set default=\"$default\"" "$menu"; then
    update-grub || fail "GRUB's menu could not be made"
  fi
  entry=$(entry_of "$release")
  [ -n "$entry" ] || fail "GRUB's menu has no entry for $release"
  say ''
  say "$release is installed. $(default_text)"
  if [ "$running" = "$release" ]; then
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
}

default_text() {
  if [ -e "$pin" ]; then
    say "The default entry stays $(sed -n "s/^GRUB_DEFAULT='\(.*\)'/\1/p" "$pin")."
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
  update-grub || fail "GRUB's menu could not be made"
  say "$release is the default from the next boot on."
}

undo() {
  check_system
  if [ ! -d "$record" ]; then
    say "Nothing of $release was installed by this script."
    return 0
  fi
  if [ -e "$record/pin" ]; then write_file "$pin" <"$record/pin"; else rm -f "$pin"; fi
  case $(grub-editenv list 2>/dev/null | sed -n 's/^next_entry=//p') in
  *"gnulinux-$release-advanced"*) grub-editenv - unset next_entry ;;
  esac
  finish_dpkg
  set --
  for package in $packages; do
    case $(status_of "$package") in
    '' | not-installed) continue ;;
    esac
    if grep -qxF "$package" "$record/installed" 2>/dev/null; then
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
  if [ -e "$record/made-folder" ]; then rmdir "${'${pin%/*}'}" 2>/dev/null || :; fi
  update-grub || fail "GRUB's menu could not be made"
  rm -rf "$record"
  rmdir "$state" 2>/dev/null || :
  say "$release is removed, and the machine boots as before."
  if [ "$(uname -r)" = "$release" ]; then say 'It still runs: reboot soon, its modules are gone.'; fi
}
`
