# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of packages share: a source tarball of the tree as it is.

version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" "$src/meson.build" | head -n 1)

# $tmp/cotter-VERSION.tar.xz, as `meson dist` makes it of what is not ignored in the working tree.
make_tarball() {
	mkdir "$tmp/tree"
	if [ -e "$src/.git" ]; then
		git -c safe.directory='*' -C "$src" ls-files -z --cached --others --exclude-standard
	else
		(cd "$src" && find . -path './build*' -prune -o ! -type d -print0)
	fi | (cd "$src" && xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh |
		xargs -0 cp -P --parents -t "$tmp/tree")
	(
		cd "$tmp/tree"
		git init -q .
		git add --all
		git -c user.name=test -c user.email=test@localhost -c commit.gpgsign=false commit -qm tree
		meson setup "$tmp/dist" -Dtests=false
		meson dist -C "$tmp/dist" --no-tests
	) >"$tmp/dist.log" 2>&1 || { cat "$tmp/dist.log"; return 1; }
	mv "$tmp/dist/meson-dist/cotter-$version.tar.xz" "$tmp"
}
