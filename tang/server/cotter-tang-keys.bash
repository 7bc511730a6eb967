# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for cotter-tang-keys(1)

_cotter_tang_keys() {
	local current=$2 previous=$3 verb= word
	local verbs='generate rotate list show prune'

	# bash splits --option=value into three words.
	if [[ $current == = ]]; then
		current=
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ " $verbs " != *" $word "* ]] || verb=$word
	done

	COMPREPLY=()
	case $previous in
	--curve)
		mapfile -t COMPREPLY < <(compgen -W 'P-256 P-384 P-521' -- "$current")
		return
		;;
	--usage)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--unused-for)
		return
		;;
	esac

	if [[ $current == -* ]]; then
		local options='--help --version'
		case $verb in
		generate) options+=' --add --curve=' ;;
		rotate) options+=' --curve=' ;;
		list) options+=' --json --usage=' ;;
		prune) options+=' --unused-for= --force --usage=' ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
		[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
	fi
} && complete -F _cotter_tang_keys cotter-tang-keys
