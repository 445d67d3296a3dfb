# SPDX-License-Identifier: GPL-2.0-only
# make            build/portctl; needs no root
# sudo make deps  installs what building and testing need (Debian)
# sudo make run   a demonstration, in network namespaces of its own
# sudo make test  every suite that belongs to every change
# make man       the manual and completions; make deb: a package for Debian
# sudo make bench what a packet costs, beside the peers; bench-check: only the ratios

VERSION := 0.1.0
PREFIX ?= /usr/local
UNITS ?= $(PREFIX)/lib/systemd/system
ZSH_FUNCTIONS ?= $(PREFIX)/share/zsh/site-functions
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool)
BUILD := build

CFLAGS ?= -O2 -g
# As Debian hardens; what is given in CFLAGS, CPPFLAGS and LDFLAGS comes on top.
# Last what the processor can check of jumps: CET, BTI.
HARDENING_x86_64 := -fcf-protection
HARDENING_aarch64 := -mbranch-protection=standard
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	$(HARDENING_$(firstword $(subst -, ,$(shell $(CC) -dumpmachine))))
HARDENED_LINK := -pie -Wl,-z,relro,-z,now
WARNINGS := -Wall -Wextra -Wformat-security -Werror
PORTCTL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing $(WARNINGS) -Iinclude -Iuser -I$(BUILD) \
	-DVERSION='"$(VERSION)"' -MMD -MP $(HARDENING) $(CPPFLAGS)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 $(WARNINGS) -Iinclude -Ivmlinux -MMD -MP
# Each program is linked to what it uses of them.
LIBS := -Wl,--as-needed -lbpf -ljansson -lnettle -lpcap -lmicrohttpd -lncursesw

# Commands that are programs of their own, since their library takes long to load.
PROGRAMS := $(patsubst user/main/main_%.c,$(BUILD)/libexec/portctl/portctl-%,$(wildcard user/main/main_*.c))
SOURCES := $(filter-out user/main/main%.c,$(wildcard user/*/*.c))
OBJECTS := $(SOURCES:user/%.c=$(BUILD)/user/%.o)
LIBRARY := $(BUILD)/libportctl.a

all: $(BUILD)/portctl

# As it is installed, so that portctl finds its programs.
$(BUILD)/portctl: $(BUILD)/sbin/portctl | $(PROGRAMS)
	ln -sf sbin/portctl $@

$(BUILD)/sbin/portctl: $(BUILD)/user/main/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENED_LINK) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/libexec/portctl/portctl-%: $(BUILD)/user/main/main_%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENED_LINK) $(LDFLAGS) $^ $(LIBS) -o $@

$(LIBRARY): $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/user/%.o: user/%.c Makefile | $(BUILD)/portctl.skel.h $(BUILD)/confirm.skel.h \
		$(BUILD)/listen.skel.h $(BUILD)/known_services.inc
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new
	mv $@.new $@

# A text as a string of C.
$(BUILD)/%.inc: user/advise/%.txt Makefile
	@mkdir -p $(@D)
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@.new
	mv $@.new $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)

include tests/tests.mk

deps:
	scripts/deps

run: deps
	$(MAKE) all
	scripts/demo

# The manual and the completions; the commands' part of them is made from their table.
MANUAL := $(BUILD)/man/portctl.8 $(BUILD)/man/portctl.rules.5
COMPLETIONS := $(BUILD)/completions/portctl.bash $(BUILD)/completions/portctl.zsh

man: $(MANUAL) $(COMPLETIONS)

$(BUILD)/scripts/%: scripts/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) $< $(LIBRARY) $(LDFLAGS) $(LIBS) -o $@

$(BUILD)/man/portctl.8: scripts/man/portctl.8.in $(BUILD)/scripts/manual
	@mkdir -p $(@D)
	$(BUILD)/scripts/manual >$@.commands
	sed -e '/^@COMMANDS@$$/{r $@.commands' -e 'd}' $< >$@
	rm $@.commands

$(BUILD)/man/portctl.rules.5: scripts/man/portctl.rules.5
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/completions/portctl.%: $(BUILD)/scripts/completions
	@mkdir -p $(@D)
	$(BUILD)/scripts/completions $* >$@

# A blank, as systemd reads it in a unit.
EMPTY :=
UNIT_PREFIX = $(subst $(EMPTY) $(EMPTY),\\x20,$(PREFIX))

install: all man
	install -D -m 755 $(BUILD)/sbin/portctl "$(DESTDIR)$(PREFIX)/sbin/portctl"
	install -D -m 755 $(PROGRAMS) -t "$(DESTDIR)$(PREFIX)/libexec/portctl"
	install -D -m 644 $(BUILD)/man/portctl.8 "$(DESTDIR)$(PREFIX)/share/man/man8/portctl.8"
	install -D -m 644 $(BUILD)/man/portctl.rules.5 "$(DESTDIR)$(PREFIX)/share/man/man5/portctl.rules.5"
	install -D -m 644 $(BUILD)/completions/portctl.bash \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/portctl"
	install -D -m 644 $(BUILD)/completions/portctl.zsh "$(DESTDIR)$(ZSH_FUNCTIONS)/_portctl"
	for unit in portctl portctl-follow portctl-knock portctl-export; do \
		install -D -m 644 scripts/$$unit.service -t "$(DESTDIR)$(UNITS)" && \
			sed -i 's|@PREFIX@|$(UNIT_PREFIX)|' "$(DESTDIR)$(UNITS)/$$unit.service" || exit 1; \
	done

clean:
	rm -rf $(BUILD)

deb:
	scripts/deps package
	scripts/package

.PHONY: all deps run man install deb clean
.DELETE_ON_ERROR:
.SECONDARY:
