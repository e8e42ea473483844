/** Shell functions that read GRUB's menu and settings; part of install-script.ts. */
export const bootMenuFunctions = String.raw`
# The entries of kernels, newest first, as GRUB_DEFAULT and grub-reboot take them; not those for recovery.
# By id, not by number: numbers move with every kernel that is installed.
menu_entries() {
  awk '
    function id_of(line) {
      if (!match(line, /menuentry_id_option .[^ ]*. [{]/)) return ""
      line = substr(line, RSTART, RLENGTH)
      sub(/^menuentry_id_option ./, "", line)
      sub(/. [{]$/, "", line)
      return line
    }
    /^[ \t]*submenu / { above = id_of($0) ">" }
    /^}/ { above = "" }
    /^[ \t]*menuentry / {
      id = id_of($0)
      if (id ~ /^gnulinux-.*-advanced(-|$)/) print above id
    }' "$menu" 2>/dev/null || :
}

# The entry of a kernel; nothing where the menu has none.
entry_of() {
  menu_entries | awk -v want="gnulinux-$1-advanced" '
    { id = $0; sub(/^.*>/, "", id) }
    id == want || index(id, want "-") == 1 { print; exit }'
}

# The kernel of an entry that is named by its id or by its title; nothing for another entry.
kernel_of() {
  say "$1" | sed -n -e 's/^\(.*>\)\{0,1\}gnulinux-\(.*\)-advanced.*$/\2/p' -e 's/^.*, with Linux \([^ ]*\)$/\1/p'
}

# Kernels other than this one that the menu has and that are there.
other_kernels() {
  menu_entries | while read -r each; do
    kernel=$(kernel_of "$each")
    [ "$kernel" = "$release" ] || [ ! -e "/boot/vmlinuz-$kernel" ] || say "$kernel"
  done
}

# The kernel to fall back to: the one that runs, as it is known to boot; else one that fwbuild did not bring.
fallback_kernel() {
  other_kernels | while read -r kernel; do
    if [ "$kernel" = "$(uname -r)" ]; then
      say "0 $kernel"
    elif [ ! -d "$state/$kernel" ]; then
      say "1 $kernel"
    else
      say "2 $kernel"
    fi
  done | sort -s -n -k 1,1 | sed -n '1s/^. //p'
}

# What our own file says.
pinned() { sed -n "s/^GRUB_DEFAULT='\(.*\)'/\1/p" "$pin" 2>/dev/null || :; }

# The default that the menu sets: the last one counts. next_entry is a choice for one boot.
menu_default() {
  sed -n 's/^[[:space:]]*set default="\(.*\)"[[:space:]]*$/\1/p' "$menu" | grep -vF next_entry | tail -n 1
}

saved_entry() { grub-editenv list 2>/dev/null | sed -n 's/^saved_entry=//p'; }

# The kernel that the next boot takes, as far as that can be told.
default_kernel() {
  default=$(menu_default)
  case $default in
  *saved_entry*) default=$(saved_entry) ;;
  esac
  kernel=$(kernel_of "$default")
  # GRUB takes the first entry where the default is none.
  if moves "$default" || { [ -n "$kernel" ] && [ -z "$(entry_of "$kernel")" ]; }; then
    kernel=$(kernel_of "$(menu_entries | head -n 1)")
  fi
  say "$kernel"
}

# Title of the entry that always means the newest kernel.
simple_title() {
  sed -n "s/^menuentry '\([^']*\)'.*'gnulinux-simple-[^']*' {.*/\1/p" "$menu" | head -n 1
}

# GRUB_DEFAULT of this machine without ours.
configured_default() (
  set +eu
  GRUB_DEFAULT=
  {
    # shellcheck source=/dev/null
    [ ! -r /etc/default/grub ] || . /etc/default/grub
    for part in /etc/default/grub.d/*.cfg; do
      # shellcheck source=/dev/null
      [ ! -r "$part" ] || [ "$part" = "$pin" ] || . "$part"
    done
  } >/dev/null 2>&1
  printf '%s\n' "$GRUB_DEFAULT"
)

# Whether an entry, as GRUB_DEFAULT names it, is another kernel when one is added to the menu.
moves() {
  case $1 in
  '' | gnulinux-simple-* | gnulinux-simple | "$(simple_title)") return 0 ;;
  *[!0-9]*) ;;
  *) return 0 ;;
  esac
  # A submenu without more stands for its first entry.
  if grep '^[[:space:]]*submenu ' "$menu" | grep -qF "'$1'"; then return 0; fi
  # Below a submenu, which has the newest kernel first, a number is whatever kernel comes to stand there.
  say "$1" | tr '>' '\n' | sed 1d | grep -qx '[0-9]*'
}

# Whether the default would move to another kernel when one is added to the menu.
default_moves() {
  default=$(configured_default)
  if [ "$default" = saved ]; then default=$(saved_entry); fi
  moves "$default"
}

# Whether GRUB can write to the disk it boots from: otherwise it could not forget a choice for one boot.
grub_can_write() {
  [ -z "$(grub-probe --target=abstraction /boot/grub 2>/dev/null)" ] || return 1
  case $(grub-probe --target=fs /boot/grub 2>/dev/null) in
  ext2 | xfs | fat | f2fs | jfs | reiserfs) return 0 ;;
  esac
  return 1
}

set_default() {
  if [ ! -d "${'${pin%/*}'}" ]; then
    mkdir -p "${'${pin%/*}'}"
    mkdir -p "$state"
    : >"$state/made-folder"
  fi
  write_file "$pin" <<END
# Made by fwbuild's install.sh; 'install.sh --undo' removes it.
GRUB_DEFAULT='$1'
END
}

# What is set is not yet what GRUB does: a file that is read after ours may say something else.
apply_default() {
  wanted=$(pinned)
  [ -n "$wanted" ] || return 0
  if [ "$(menu_default)" != "$wanted" ]; then update-grub || fail "GRUB's menu could not be made"; fi
  [ "$(menu_default)" = "$wanted" ] || fail "$menu has '$(menu_default)' as the default, not '$wanted':
something sets it after $pin; look for GRUB_DEFAULT in /etc/default/grub.d, for 'set default' in /etc/grub.d"
  kernel=$(kernel_of "$wanted")
  [ -z "$kernel" ] || [ -n "$(entry_of "$kernel")" ] || fail "$menu has no entry '$wanted', which is set as the default"
}
`
