#!/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-only
# complete.zsh FOLDER LINE...: what each line becomes where it is completed, in a zsh
# with the functions in FOLDER.
zmodload zsh/zpty
folder=$1 answers=$1/answers
shift
: >$answers
zpty shell "TERM=dumb zsh -f -i"
# Nothing is typed before the one before is done: the line that is completed has to be empty.
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
