# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for clevis(1)

_clevis() {
	local current=$2 previous=$3 name=clevis word commands

	case $previous in
	-d | -k)
		mapfile -t COMPREPLY < <(compgen -f -- "${current:-$([ "$previous" = -k ] || echo /dev/)}")
		return
		;;
	esac

	# The names of programs are the words with dashes between, ours and others'.
	COMPREPLY=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word != -* ]] || return
		name+=-$word
	done
	mapfile -t commands < <(compgen -c -- "$name-$current")
	commands=("${commands[@]#"$name-"}")
	mapfile -t COMPREPLY < <(printf '%s\n' "${commands[@]%%-*}" | sort -u)
}

complete -F _clevis clevis
