/** Shell functions that read GRUB's menu and settings; part of install-script.ts. */
export const bootMenuFunctions = String.raw`
# The entry of a kernel, as GRUB_DEFAULT and grub-reboot take it; nothing where the menu has none.
# By id, not by number: numbers move with every kernel that is installed.
entry_of() {
  awk -v want="gnulinux-$1-advanced" '
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
      if (id == want || index(id, want "-") == 1) { print above id; exit }
    }' "$menu"
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

# Whether the default would move to another kernel when one is added to the menu.
default_moves() {
  default=$(configured_default)
  if [ "$default" = saved ]; then
    default=$(grub-editenv list 2>/dev/null | sed -n 's/^saved_entry=//p')
  fi
  case $default in
  '' | *[!0-9\>]*) ;;
  *) return 0 ;;
  esac
  case $default in
  '' | gnulinux-simple-* | gnulinux-simple | "$(simple_title)") return 0 ;;
  esac
  return 1
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
    : >"$record/made-folder"
  fi
  write_file "$pin" <<END
# Made by fwbuild's install.sh; 'install.sh --undo' removes it.
GRUB_DEFAULT='$1'
END
}
`
