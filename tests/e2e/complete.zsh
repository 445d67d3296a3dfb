#!/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-only
# complete.zsh FOLDER LINE...: prints each line as it is after Tab is pressed at its end, in an
# interactive zsh with the functions in FOLDER.
zmodload zsh/zpty
folder=$1 answers=$1/answers
shift
: >$answers
zpty shell "TERM=dumb zsh -f -i"
# Each line is typed only after the one before is done, so that the command line is empty.
zpty -w shell "PS1= fpath=($folder \$fpath); autoload -U compinit; compinit -u -D; \
	show() { print -r -- \"\$BUFFER\" >>$answers; BUFFER=; }; zle -N show; bindkey '^X' show; \
	unsetopt beep; print ready >>$answers"
lines=0
answered() {
	local tries
	for tries in {1..200}; do
		(( $(wc -l <$answers) > lines )) && break
		sleep 0.05
	done
	lines=$(wc -l <$answers)
}
answered
for line; do
	zpty -w -n shell "$line"$'\t\x18'
	answered
done
zpty -d shell
tail -n +2 $answers
