# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Work in another root: a folder with a system in it, on this machine's kernel. To be sourced after lib.sh.

# Runs CMD in ROOT, which it may change, with this machine's /dev, /proc and /sys.
in_root() { # ROOT CMD…
	unshare -m bash -euc '
		for folder in dev proc sys; do
			mount --rbind "/$folder" "$0/$folder"
		done
		exec chroot "$0" "$@"' "$@"
}

# Runs CMD in a copy of ROOT that keeps nothing; LAYER is an empty folder for it. Each FOLDER:AS is there, too, as AS;
# a FOLDER in LAYER/upper is of what was changed in the copy.
in_copy() { # ROOT LAYER [FOLDER:AS[:ro]]… -- CMD…
	unshare -m bash -euc "$(declare -f in_root)"'
		root=$0 layer=$1
		shift
		mount -t tmpfs tmpfs "$layer"
		mkdir "$layer/upper" "$layer/work" "$layer/root"
		mount -t overlay overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
		while [ "$1" != -- ]; do
			IFS=: read -r folder as how <<<"$1"
			mkdir -p "$layer/root$as"
			mount --bind ${how:+-o "$how"} "$folder" "$layer/root$as"
			shift
		done
		in_root "$layer/root" "${@:2}"' "$@"
}
