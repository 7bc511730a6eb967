# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for cotter-enroll(1)

_cotter_enroll() {
	local current=$2 previous=$3
	local flags='--unlock-token --reencrypt-first --list --test --report --explain --doctor --renew --reseal --replace --force
		--import --to-luks2 --reorder --crypttab --all --quiet --help --version'
	local values='--tang --tang-thumbprint --tang-advertisement --tang-ca --tang-pubkey
		--tpm2-device --tpm2-pcrs --tpm2-with-pin --tpm2-public-key --tpm2-public-key-pcrs
		--tpm2-signature --tpm2-seal-key-handle --pkcs11-token-uri
		--threshold --policy --unlock-key-file --keep-key-file --header --key-slot --token-id --label --pbkdf --wipe-slot --initrd --json'

	# bash splits --option=value into three words.
	if [[ $current == = ]]; then
		current=
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	COMPREPLY=()
	case $previous in
	--json)
		mapfile -t COMPREPLY < <(compgen -W 'off short pretty' -- "$current")
		return
		;;
	--pbkdf)
		mapfile -t COMPREPLY < <(compgen -W 'pbkdf2 argon2i argon2id' -- "$current")
		return
		;;
	--wipe-slot)
		mapfile -t COMPREPLY < <(compgen -W 'tang tpm2 pkcs11 sss orphaned all label=' -- "$current")
		return
		;;
	--tpm2-device)
		mapfile -t COMPREPLY < <(compgen -W 'auto list' -- "$current"
			compgen -G "${current:-/dev/tpmrm}*")
		return
		;;
	--pkcs11-token-uri)
		mapfile -t COMPREPLY < <(compgen -W 'auto list' -- "$current")
		return
		;;
	--tpm2-with-pin)
		mapfile -t COMPREPLY < <(compgen -W 'yes no' -- "$current")
		return
		;;
	--tpm2-public-key | --tpm2-signature | --tang-advertisement | --tang-ca | --policy | \
		--unlock-key-file | --keep-key-file | --header | --initrd)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--tang | --tang-thumbprint | --tang-pubkey | --threshold | --key-slot | --token-id | --label | \
		--tpm2-pcrs | --tpm2-public-key-pcrs | --tpm2-seal-key-handle)
		return
		;;
	esac

	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(
			compgen -W "$flags" -S ' ' -- "$current"
			compgen -W "$values" -S = -- "$current"
		)
		compopt -o nospace
		return
	fi

	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _cotter_enroll cotter-enroll
